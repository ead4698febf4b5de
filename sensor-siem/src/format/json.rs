//! Items as objects, one a line.

use std::fmt::Write as _;

use super::python;
use crate::item::{Members, Value};

/// A value as it stands in other formats.
pub(super) fn value(value: &Value<'_>) -> String {
    let mut out = String::new();
    write(&mut out, value, false);
    out
}

fn write(out: &mut String, value: &Value<'_>, compat: bool) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(digits) if compat => out.push_str(match &*python::number(digits) {
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            digits => digits,
        }),
        Value::Number(digits) => out.push_str(digits),
        Value::Text(text) => string(out, text, compat),
        Value::List(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write(out, value, compat);
            }
            out.push(']');
        }
        Value::Object(members) => put(out, members, compat),
    }
}

/// One object, with a blank behind `,` and `:`, as readers know it.
pub(super) fn put(out: &mut String, members: &Members<'_>, compat: bool) {
    out.push('{');
    for (at, (name, value)) in members.iter().enumerate() {
        out.push_str(if at == 0 { "" } else { ", " });
        string(out, name, compat);
        out.push_str(": ");
        write(out, value, compat);
    }
    out.push('}');
}

fn string(out: &mut String, text: &str, compat: bool) {
    out.push('"');
    let mut rest = text;
    loop {
        // Nearly all is letters, digits and what stands between them.
        let plain =
            rest.bytes().take_while(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')).count();
        out.push_str(&rest[..plain]);
        let mut chars = rest[plain..].chars();
        let Some(char) = chars.next() else { break };
        rest = chars.as_str();
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // Those from U+007F on may stand in JSON, but some readers end a line at them. Writing to a string does not fail.
            _ if char < ' ' || !compat && (char.is_control() || matches!(char, '\u{2028}' | '\u{2029}')) => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}
