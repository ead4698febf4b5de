//! Values as text, as Go's `fmt` writes them.

mod number;
pub(crate) mod print;
pub(crate) mod printf;
mod verb;

use crate::{budget::Budget, functions::Failure};

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// `%+v`, `%#v`
    plus_v: bool,
    sharp_v: bool,
}

/// Writes values behind a text, as far as that may grow.
struct Printer<'o, 'b, 'l> {
    out: &'o mut Vec<u8>,
    budget: &'b mut Budget<'l>,
    flags: Flags,
}

impl Printer<'_, '_, '_> {
    fn push(&mut self, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        self.budget.append(self.out, text.as_ref())
    }

    /// A text as wide as is asked for.
    fn pad(&mut self, text: &[u8]) -> Result<(), Failure> {
        let width = self.flags.width.unwrap_or_default();
        let missing = width.saturating_sub(crate::unicode::letters(text).count());
        if self.flags.minus {
            self.push(text)?;
            self.padding(missing)
        } else {
            self.padding(missing)?;
            self.push(text)
        }
    }

    fn padding(&mut self, len: usize) -> Result<(), Failure> {
        self.budget.grow(self.out.len(), len)?;
        let byte = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.out.resize(self.out.len().saturating_add(len), byte);
        Ok(())
    }

    /// Runs a part that zeros do not fill.
    fn without_zeros(&mut self, part: impl FnOnce(&mut Self) -> Result<(), Failure>) -> Result<(), Failure> {
        let zero = std::mem::take(&mut self.flags.zero);
        let done = part(self);
        self.flags.zero = zero;
        done
    }
}
