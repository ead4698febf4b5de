//! What literals mean: texts, letters, numbers.

use crate::unicode::first;

/// A number as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
    /// Beyond `int`, which Go tells only when it comes by.
    TooLarge,
}

/// A text with its quotes.
pub(crate) fn text(written: &str) -> Result<Vec<u8>, String> {
    if let Some(raw) = written.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        return Ok(raw.bytes().filter(|byte| *byte != b'\r').collect());
    }
    let mut rest = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(invalid)?.as_bytes();
    let mut text = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (letter, len) = letter(rest, b'"')?;
        match letter {
            Letter::Byte(byte) => text.push(byte),
            Letter::Char(char) => text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(text)
}

/// A letter with its quotes: its number.
pub(crate) fn char(written: &str) -> Result<Number, String> {
    let rest = written.strip_prefix('\'').ok_or_else(invalid)?.as_bytes();
    let (letter, len) = letter(rest, b'\'')?;
    if rest.get(len..) != Some(b"'") {
        return Err(format!("malformed character constant: {written}"));
    }
    Ok(Number::Int(match letter {
        Letter::Byte(byte) => byte.into(),
        Letter::Char(char) => u32::from(char).into(),
    }))
}

enum Letter {
    Byte(u8),
    Char(char),
}

fn invalid() -> String {
    "invalid syntax".to_owned()
}

/// The first letter or escape of a text in these quotes, and its length.
fn letter(text: &[u8], quote: u8) -> Result<(Letter, usize), String> {
    let escape = match *text {
        [byte, ..] if byte == quote => return Err(invalid()),
        [b'\\', escape, ..] => escape,
        [b'\\'] | [] => return Err(invalid()),
        _ => {
            let (char, len) = first(text);
            return Ok((Letter::Char(char.unwrap_or(char::REPLACEMENT_CHARACTER)), len));
        }
    };
    let simple = match escape {
        b'a' => Some(7),
        b'b' => Some(8),
        b'f' => Some(12),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'v' => Some(11),
        b'\\' => Some(b'\\'),
        other if other == quote => Some(quote),
        _ => None,
    };
    if let Some(byte) = simple {
        return Ok((Letter::Byte(byte), 2));
    }
    let (digits, radix) = match escape {
        b'x' => (text.get(2..4), 16),
        b'u' => (text.get(2..6), 16),
        b'U' => (text.get(2..10), 16),
        b'0'..=b'7' => (text.get(1..4), 8),
        _ => (None, 16),
    };
    let digits = digits.filter(|digits| digits.iter().all(|digit| char::from(*digit).is_digit(radix)));
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(invalid)?;
    let number = u32::from_str_radix(digits, radix).map_err(|_| invalid())?;
    let letter = if matches!(escape, b'u' | b'U') {
        Letter::Char(char::from_u32(number).ok_or_else(invalid)?)
    } else {
        Letter::Byte(number.try_into().map_err(|_| invalid())?)
    };
    Ok((letter, digits.len() + if escape.is_ascii_digit() { 1 } else { 2 }))
}

/// A number by the syntax of Go's literals, with a sign.
pub(crate) fn number(written: &str) -> Result<Number, String> {
    let illegal = || format!("illegal number syntax: {written:?}");
    if written.ends_with('i') {
        return Err("complex numbers are not supported".to_owned());
    }
    let float = || float(written).filter(|float| float.is_finite());
    let has = |any: &[char]| written.contains(any);
    // A sign before `0x` hides it, in Go too.
    let hexadecimal = (written.starts_with("0x") || written.starts_with("0X")) && !has(&['p', 'P']);
    let with_point = has(&['.', 'e', 'E', 'p', 'P']);
    match integer(written) {
        Some(number) if with_point && !hexadecimal => Ok(Number::Float(number as f64)),
        Some(number) => match i64::try_from(number) {
            Ok(number) => Ok(Number::Int(number)),
            Err(_) if !written.starts_with(['+', '-']) && u64::try_from(number).is_ok() => Ok(Number::TooLarge),
            Err(_) => Err(format!("integer overflow: {written:?}")),
        },
        None if with_point => float().map(Number::Float).ok_or_else(illegal),
        None if float().is_some() => Err(format!("integer overflow: {written:?}")),
        None => Err(illegal()),
    }
}

fn integer(written: &str) -> Option<i128> {
    let (negative, digits) = sign(written);
    if !underscores_separate(digits) {
        return None;
    }
    let lower = digits.to_ascii_lowercase().replace('_', "");
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (lower.get(2..)?, 16),
        [b'0', b'o', ..] => (lower.get(2..)?, 8),
        [b'0', b'b', ..] => (lower.get(2..)?, 2),
        [b'0', _, ..] => (lower.get(1..)?, 8),
        _ => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

fn sign(written: &str) -> (bool, &str) {
    match written.as_bytes().first() {
        Some(b'-') => (true, written.get(1..).unwrap_or_default()),
        Some(b'+') => (false, written.get(1..).unwrap_or_default()),
        _ => (false, written),
    }
}

/// Whether each underscore stands between digits, or between the base and a digit.
fn underscores_separate(digits: &str) -> bool {
    let lower = digits.to_ascii_lowercase();
    let based = ["0x", "0o", "0b"].iter().any(|base| lower.starts_with(base));
    let hexadecimal = lower.starts_with("0x");
    let is_digit = |char: char| char.is_ascii_digit() || (hexadecimal && char.is_ascii_hexdigit());
    let mut before = if based { '0' } else { ' ' };
    let mut rest = lower.get(if based { 2 } else { 0 }..).unwrap_or_default().chars().peekable();
    while let Some(char) = rest.next() {
        if char == '_' && !(is_digit(before) && rest.peek().is_some_and(|next| is_digit(*next))) {
            return false;
        }
        before = char;
    }
    true
}

fn float(written: &str) -> Option<f64> {
    let (negative, digits) = sign(written);
    if !underscores_separate(digits) || digits.starts_with(['+', '-']) {
        return None;
    }
    let lower = digits.to_ascii_lowercase().replace('_', "");
    let number = match lower.strip_prefix("0x") {
        Some(rest) => hexadecimal(rest)?,
        None if lower.chars().all(|char| char.is_ascii_digit() || "+-.e".contains(char)) => lower.parse().ok()?,
        None => return None,
    };
    Some(if negative { -number } else { number })
}

const MAX_EXPONENT: i64 = 100_000;

/// A mantissa and the exponent that it must have: `1.8p3`.
fn hexadecimal(written: &str) -> Option<f64> {
    let (mantissa, exponent) = written.split_once('p')?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (below, exponent) = sign(exponent);
    if exponent.is_empty() || !exponent.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What is larger than any that a number can have is as good.
    let exponent = exponent.parse().map_or(MAX_EXPONENT, |exponent: i64| exponent.min(MAX_EXPONENT));
    let exponent = if below { -exponent } else { exponent };
    let digits = format!("{whole}{part}");
    // More digits than a number can hold exactly would have to be rounded here.
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return (whole.len() + part.len() > 0).then_some(0.0);
    }
    let number = u64::from_str_radix(digits, 16).ok().filter(|number| *number < 1 << 53)?;
    let exponent = exponent - 4 * i64::try_from(part.len()).ok()?;
    let exponent = i32::try_from(exponent).ok()?;
    // In two steps, so that what is nearly out of range is not.
    Some(number as f64 * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2))
}
