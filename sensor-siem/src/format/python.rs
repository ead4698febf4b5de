//! Values as Python prints them: what readers of the script's output are set up for.
//!
//! Seen with Python 3.11. What is printable follows the Unicode tables of this program, which are newer: of characters that
//! came into Unicode since, Python 3.11 writes escapes.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::item::Value;

/// `str(value)`.
pub(super) fn str<'a>(value: &'a Value<'_>) -> Cow<'a, str> {
    if let Value::Text(text) = value {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    repr(&mut out, value);
    Cow::Owned(out)
}

/// `repr(value)`.
fn repr(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Number(digits) => out.push_str(&number(digits)),
        Value::Text(text) => repr_text(out, text),
        Value::List(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                repr(out, value);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                repr_text(out, name);
                out.push_str(": ");
                repr(out, value);
            }
            out.push('}');
        }
    }
}

fn repr_text(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for char in text.chars() {
        // Writing to a string does not fail.
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char == quote => out.extend(['\\', quote]),
            ' '..='~' => out.push(char),
            _ if is_printable(char) => out.push(char),
            '\0'..='\u{ff}' => drop(write!(out, "\\x{:02x}", u32::from(char))),
            '\u{100}'..='\u{ffff}' => drop(write!(out, "\\u{:04x}", u32::from(char))),
            _ => drop(write!(out, "\\U{:08x}", u32::from(char))),
        }
    }
    out.push(quote);
}

fn is_printable(char: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate, Unassigned,
    };
    !matches!(
        get_general_category(char),
        Control | Format | Surrogate | PrivateUse | Unassigned | LineSeparator | ParagraphSeparator | SpaceSeparator
    )
}

/// A number that was written so, as Python prints it after reading it: integers whole, others as the shortest text that is
/// the same double, with an exponent below 1e-4 and from 1e16 on.
pub(super) fn number(written: &str) -> Cow<'_, str> {
    if !written.contains(['.', 'e', 'E']) {
        return Cow::Borrowed(if written == "-0" { "0" } else { written });
    }
    let Ok(double) = written.parse::<f64>() else { return Cow::Borrowed(written) };
    if double.is_infinite() {
        return Cow::Borrowed(if double > 0.0 { "inf" } else { "-inf" });
    }
    let scientific = format!("{double:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) || double == 0.0 {
        let positional = double.to_string();
        let end = if positional.contains('.') { "" } else { ".0" };
        return Cow::Owned(positional + end);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Cow::Owned(format!("{digits}e{sign}{:02}", exponent.abs()))
}

/// `str.strip()`.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(|char: char| char.is_whitespace() || matches!(char, '\u{1c}'..='\u{1f}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as `python3 -c 'import json; print(json.loads("…"))'` prints it.
    #[test]
    fn numbers() {
        for (written, printed) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("1e5", "100000.0"),
            ("1E+5", "100000.0"),
            ("0.75", "0.75"),
            ("1.50", "1.5"),
            ("1e15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("12345678901234567.0", "1.2345678901234568e+16"),
            ("1e22", "1e+22"),
            ("1e-4", "0.0001"),
            ("1e-5", "1e-05"),
            ("0.00001234", "1.234e-05"),
            ("-2.5e-300", "-2.5e-300"),
            ("1e400", "inf"),
            ("-1e400", "-inf"),
            ("1e-400", "0.0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(number(written), printed, "{written}");
        }
    }

    #[test]
    fn texts_within_others() {
        for (text, printed) in [
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("it's \"it\"", "'it\\'s \"it\"'"),
            ("C:\\x", "'C:\\\\x'"),
            ("a\n\r\t\0\u{7f}\u{85}\u{a0}", "'a\\n\\r\\t\\x00\\x7f\\x85\\xa0'"),
            ("ä日😀", "'ä日😀'"),
            ("\u{200b}\u{2028}\u{3000}\u{e000}", "'\\u200b\\u2028\\u3000\\ue000'"),
            ("\u{e0001}", "'\\U000e0001'"),
        ] {
            let mut out = String::new();
            repr_text(&mut out, text);
            assert_eq!(out, printed, "{text:?}");
        }
    }

    #[test]
    fn white_space_as_python_knows_it() {
        assert_eq!(strip("\u{1f}\u{a0} a b\u{3000}\n\u{85}"), "a b");
    }
}
