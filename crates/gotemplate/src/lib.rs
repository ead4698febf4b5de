//! Go's `text/template`, with bounds.
//!
//! A [`Template`] is parsed once and filled with a [`Value`] as often as needed. Both stop at bounds: the text of a
//! template, its nesting, and what one filling may take of steps, memory and output ([`Limits`]). Nothing that a
//! template says ends or holds up the program; what cannot be done is an [`Error`] with its place.
//!
//! ```
//! use gotemplate::{Functions, Limits, Template, Value};
//!
//! let template = Template::parse("Hello, {{.Name | printf \"%q\"}}!", Functions::default()).unwrap();
//! let value = Value::structure("Person", [("Name", "Ada".into())]);
//! assert_eq!(template.fill(&value, &Limits::default()).unwrap(), b"Hello, \"Ada\"!");
//! ```
//!
//! It does what Go 1.24 and later do, byte for byte, which the tests hold against the Go at hand. Left out, each with
//! an error of its own and never by another text: complex numbers, the addresses of `%p`, `%b` and `%x` of floats, `%#v` of
//! what is no text, number or bool. Values have no methods, so `call` has nothing to call.
//!
//! Texts are bytes, as in Go: `slice` can cut a letter in two.

mod ast;
mod budget;
mod exec;
mod fields;
mod format;
mod functions;
mod lexer;
mod literal;
mod parser;
mod quote;
mod unicode;
mod value;

use std::ops::Range;

pub use budget::{Budget, Limits};
pub use exec::text_of;
pub use fields::UnknownField;
pub use functions::{Failure, Function, Functions};
pub use value::{List, Map, Structure, Value};

/// Longest text of a template, bytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// A template that was parsed.
#[derive(Debug)]
pub struct Template {
    text: Box<str>,
    tree: ast::Tree,
}

/// What is wrong with a template, or with filling it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// One sentence without a full stop.
    pub message: String,
    /// The part of the template that it is about: bytes, on borders of letters.
    pub place: Range<usize>,
    /// Why it is one.
    pub cause: Cause,
}

/// Why there is an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The template is wrong in itself, or asks for what values of this type never have.
    Template,
    /// This value lacks what the template asks for: another may have it.
    Value,
    /// A bound was reached.
    Limit,
}

impl Template {
    /// Parses a template that can call Go's own functions and these.
    ///
    /// # Errors
    ///
    /// If Go's parser refuses it, if it is longer than [`MAX_TEXT`], or if it is nested too deep.
    pub fn parse(text: &str, functions: Functions) -> Result<Self, Error> {
        if text.len() > MAX_TEXT {
            let message = format!("it is {} bytes long; a template can have {MAX_TEXT}", text.len());
            return Err(Error { message, place: 0..text.len(), cause: Cause::Limit });
        }
        let tree = parser::parse(text, &functions)?;
        Ok(Self { text: text.into(), tree })
    }

    /// The template as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Fills the template: the value is `.` and `$`.
    ///
    /// # Errors
    ///
    /// If Go fails to fill it, or if a bound is reached.
    pub fn fill(&self, value: &Value, limits: &Limits) -> Result<Vec<u8>, Error> {
        exec::fill(self, value, limits)
    }

    /// Names of fields that a value like the sample does not have, also where filling the sample does not come by.
    /// The sample needs an item in each list.
    #[must_use]
    pub fn unknown_fields(&self, sample: &Value) -> Vec<UnknownField> {
        fields::unknown(&self.tree, sample)
    }
}
