//! Numbers as digits.

use super::Printer;
use crate::{functions::Failure, unicode::is_print};

type Done = Result<(), Failure>;

impl Printer<'_, '_, '_> {
    pub(super) fn integer(&mut self, number: i128, base: u32, verb: char) -> Done {
        let flags = self.flags;
        let magnitude = number.unsigned_abs();
        if flags.precision == Some(0) && magnitude == 0 {
            return self.without_zeros(|printer| printer.padding(flags.width.unwrap_or_default()));
        }
        let mut digits = match (base, verb) {
            (2, _) => format!("{magnitude:b}"),
            (8, _) => format!("{magnitude:o}"),
            (16, 'X') => format!("{magnitude:X}"),
            (16, _) => format!("{magnitude:x}"),
            _ => format!("{magnitude}"),
        };
        let has_sign = number < 0 || flags.plus || flags.space;
        // Zeros are asked for by a precision, or fill the width.
        let wanted = match (flags.precision, flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => width.saturating_sub(usize::from(has_sign)),
            _ => 0,
        };
        let missing = wanted.saturating_sub(digits.len());
        self.budget.grow(self.out.len(), missing)?;
        digits.insert_str(0, &"0".repeat(missing));
        if flags.sharp {
            match (base, verb) {
                (2, _) => digits.insert_str(0, "0b"),
                (8, _) if !digits.starts_with('0') => digits.insert(0, '0'),
                (16, 'X') => digits.insert_str(0, "0X"),
                (16, _) => digits.insert_str(0, "0x"),
                _ => {}
            }
        }
        if verb == 'O' {
            digits.insert_str(0, "0o");
        }
        if number < 0 {
            digits.insert(0, '-');
        } else if flags.plus {
            digits.insert(0, '+');
        } else if flags.space {
            digits.insert(0, ' ');
        }
        self.without_zeros(|printer| printer.pad(digits.as_bytes()))
    }

    /// `%#v` of a number without a sign.
    pub(super) fn hexadecimal_by_itself(&mut self, number: i128) -> Done {
        let sharp = std::mem::replace(&mut self.flags.sharp, true);
        let done = self.integer(number, 16, 'v');
        self.flags.sharp = sharp;
        done
    }

    /// `U+0041`, with `#` also the letter.
    pub(super) fn unicode(&mut self, number: i128) -> Done {
        let least = self.flags.precision.unwrap_or_default().max(4);
        self.budget.grow(self.out.len(), least)?;
        // A negative number is one of 64 bits here.
        let bits = if number < 0 { number & i128::from(u64::MAX) } else { number };
        let mut text = format!("{bits:X}");
        text.insert_str(0, &"0".repeat(least.saturating_sub(text.len())));
        text.insert_str(0, "U+");
        if self.flags.sharp
            && let Some(char) = u32::try_from(number).ok().and_then(char::from_u32).filter(|char| is_print(*char))
        {
            text.push_str(&format!(" '{char}'"));
        }
        self.without_zeros(|printer| printer.pad(text.as_bytes()))
    }

    pub(super) fn float(&mut self, number: f64, verb: char) -> Done {
        let flags = self.flags;
        if flags.sharp || flags.sharp_v {
            return Err("the flag # is not supported for floats".into());
        }
        let precision = match verb {
            'e' | 'E' | 'f' | 'F' => Some(flags.precision.unwrap_or(6)),
            _ => flags.precision,
        };
        self.budget.grow(self.out.len(), precision.unwrap_or_default())?;
        let magnitude = number.abs();
        let digits = match verb {
            'e' => exponential(magnitude, precision.unwrap_or_default()),
            'E' => exponential(magnitude, precision.unwrap_or_default()).to_uppercase(),
            'f' | 'F' => fixed(magnitude, precision.unwrap_or_default()),
            'G' => general(magnitude, precision).to_uppercase(),
            _ => general(magnitude, precision),
        };
        let sign = match (number.is_sign_negative(), flags.plus, flags.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => return self.pad(digits.as_bytes()),
        };
        match flags.width {
            // The sign comes before the zeros.
            Some(width) if flags.zero && !flags.minus => {
                self.push(sign)?;
                self.padding(width.saturating_sub(digits.len() + 1))?;
                self.push(digits)
            }
            _ => self.pad(format!("{sign}{digits}").as_bytes()),
        }
    }
}

/// More decimals than a number has are zeros; the standard library takes no more than this many.
const MOST_DECIMALS: usize = 1100;

fn fixed(number: f64, decimals: usize) -> String {
    let exact = decimals.min(MOST_DECIMALS);
    let mut digits = format!("{number:.exact$}");
    digits.push_str(&"0".repeat(decimals - exact));
    digits
}

/// `1.5e+07`: one digit before the point, two at least in the exponent.
fn exponential(number: f64, decimals: usize) -> String {
    let exact = decimals.min(MOST_DECIMALS);
    let written = format!("{number:.exact$e}");
    let Some((mantissa, exponent)) = written.split_once('e') else { return written };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}{}e{sign}{digits:0>2}", "0".repeat(decimals - exact))
}

/// `%g`: with an exponent where that is far from zero; no zeros at the end.
fn general(number: f64, precision: Option<usize>) -> String {
    let precision = precision.map(|precision| precision.max(1));
    let written = match precision {
        Some(precision) => format!("{number:.*e}", (precision - 1).min(MOST_DECIMALS)),
        None => format!("{number:e}"),
    };
    let Some((mantissa, exponent)) = written.split_once('e') else { return written };
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let all = mantissa.replace('.', "");
    let digits = match all.trim_end_matches('0') {
        "" => "0",
        digits => digits,
    };
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let most = match precision.map(|precision| i64::try_from(precision).unwrap_or(i64::MAX)) {
        None => 6,
        Some(precision) if precision > count && count > exponent => count,
        Some(precision) => precision,
    };
    if exponent < -4 || exponent >= most {
        return exponential(number, digits.len() - 1);
    }
    fixed(number, usize::try_from(count - exponent - 1).unwrap_or_default())
}
