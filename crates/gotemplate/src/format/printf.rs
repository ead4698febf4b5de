//! `printf`: a format and the values for its verbs.

use super::{Flags, Printer};
use crate::{budget::Budget, functions::Failure, unicode, value::Value};

/// Widths and precisions are no larger.
const MOST: i128 = 1_000_000;

pub(crate) fn printf(format: &[u8], values: &[Value], budget: &mut Budget<'_>) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut format = Format { format, values, at: 0, next: 0, reordered: false, is_good: true };
    let mut printer = Printer { out: &mut out, budget, flags: Flags::default() };
    while let Some(len) = format.rest().iter().position(|byte| *byte == b'%') {
        printer.push(format.rest().get(..len).unwrap_or_default())?;
        format.at += len + 1;
        format.directive(&mut printer)?;
    }
    printer.push(format.rest())?;
    format.extra(&mut printer)?;
    Ok(out)
}

struct Format<'a> {
    format: &'a [u8],
    values: &'a [Value],
    at: usize,
    /// The value that the next verb gets.
    next: usize,
    /// `%[2]d` was met: not every value must be used then.
    reordered: bool,
    /// Whether the index in this directive is one.
    is_good: bool,
}

impl Format<'_> {
    fn rest(&self) -> &[u8] {
        self.format.get(self.at..).unwrap_or_default()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let accepted = self.rest().first() == Some(&byte);
        self.at += usize::from(accepted);
        accepted
    }

    /// What follows `%`, verb included.
    fn directive(&mut self, printer: &mut Printer<'_, '_, '_>) -> Result<(), Failure> {
        printer.budget.steps(1)?;
        printer.flags = Flags::default();
        self.is_good = true;
        self.flags(&mut printer.flags);
        let mut after_index = self.index();
        if self.accept(b'*') {
            match self.number_of_value() {
                Some(width) => {
                    printer.flags.minus |= width < 0;
                    printer.flags.width = usize::try_from(width.abs()).ok();
                }
                None => printer.push("%!(BADWIDTH)")?,
            }
            after_index = false;
        } else {
            printer.flags.width = self.number();
            self.is_good &= !(after_index && printer.flags.width.is_some());
        }
        // One that ends the format is a verb.
        if self.rest().len() > 1 && self.accept(b'.') {
            self.is_good &= !after_index;
            after_index = self.index();
            if self.accept(b'*') {
                let precision = self.number_of_value().and_then(|precision| usize::try_from(precision).ok());
                printer.flags.precision = precision;
                if precision.is_none() {
                    printer.push("%!(BADPREC)")?;
                }
                after_index = false;
            } else {
                printer.flags.precision = Some(self.number().unwrap_or_default());
            }
        }
        if !after_index {
            self.index();
        }
        if self.rest().is_empty() {
            return printer.push("%!(NOVERB)");
        }
        let (verb, len) = unicode::first(self.rest());
        let verb = verb.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.at += len;
        if verb == '%' {
            return printer.push("%");
        }
        if !self.is_good {
            return printer.push(format!("%!{verb}(BADINDEX)"));
        }
        let Some(value) = self.values.get(self.next) else {
            return printer.push(format!("%!{verb}(MISSING)"));
        };
        self.next += 1;
        if matches!(verb, 'v' | 'w') {
            printer.flags.sharp_v = std::mem::take(&mut printer.flags.sharp);
            printer.flags.plus_v = std::mem::take(&mut printer.flags.plus);
        }
        printer.argument(value, verb)
    }

    fn flags(&mut self, flags: &mut Flags) {
        loop {
            match self.rest().first() {
                Some(b'#') => flags.sharp = true,
                Some(b'0') => flags.zero = true,
                Some(b'+') => flags.plus = true,
                Some(b'-') => flags.minus = true,
                Some(b' ') => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
    }

    /// `[2]`: whether there is one. The verb gets that value then.
    fn index(&mut self) -> bool {
        if self.rest().first() != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let close = self.rest().iter().position(|byte| *byte == b']');
        let Some(close) = close.filter(|_| self.rest().len() >= 3) else {
            self.at += 1;
            self.is_good = false;
            return false;
        };
        let end = self.at + close;
        self.at += 1;
        let index = self.number();
        let is_number = self.at == end;
        self.at = end + 1;
        let Some(index) = index.filter(|_| is_number) else {
            self.is_good = false;
            return false;
        };
        match index.checked_sub(1).filter(|index| *index < self.values.len()) {
            Some(index) => self.next = index,
            None => self.is_good = false,
        }
        true
    }

    /// Digits; what is too large to be meant takes the rest of the format with it.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit) = self.rest().first().filter(|byte| byte.is_ascii_digit()) {
            let before = number.unwrap_or_default();
            if before as i128 > MOST {
                self.at = self.format.len();
                return None;
            }
            number = Some(before * 10 + usize::from(digit - b'0'));
            self.at += 1;
        }
        number
    }

    /// The next value, which is to be a width.
    fn number_of_value(&mut self) -> Option<i128> {
        let number = self.values.get(self.next)?.integer();
        self.next += 1;
        number.filter(|number| number.abs() <= MOST)
    }

    /// Values that no verb asked for.
    fn extra(&self, printer: &mut Printer<'_, '_, '_>) -> Result<(), Failure> {
        let extra = self.values.get(self.next..).unwrap_or_default();
        if self.reordered || extra.is_empty() {
            return Ok(());
        }
        printer.flags = Flags::default();
        printer.push("%!(EXTRA ")?;
        for (value, at) in extra.iter().zip(0..) {
            if at > 0 {
                printer.push(", ")?;
            }
            if *value != Value::Nothing {
                printer.push(value.type_name())?;
                printer.push("=")?;
            }
            printer.argument(value, 'v')?;
        }
        printer.push(")")
    }
}
