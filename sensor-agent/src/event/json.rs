//! Rows as JSON: one object per line, always valid, nothing lost.
//!
//! Kernel strings are bytes. Those that are valid UTF-8 stand as they are, control characters escaped as JSON
//! demands. A byte that is not UTF-8 stands as `\xHH` (in the JSON text: `\\xHH`), and so that this can be undone, a
//! backslash that happens to be followed by `x` and two hexadecimal digits stands as `\x5c`. To get the bytes back,
//! replace every `\xHH` by its byte.

use std::borrow::Cow;

use schema::Table;

use super::{Arguments, Event, Host, Place, Value, fields};

/// A table's columns with their getters, ready to write rows.
#[derive(Debug)]
pub struct RowWriter {
    /// `{"table":"…"`, what every row begins with.
    head: Vec<u8>,
    /// `,"column":` and where its value comes from.
    columns: Vec<(Vec<u8>, &'static fields::Field)>,
}

impl RowWriter {
    /// Writes rows of this table.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        Self::without(table, &[])
    }

    /// The same, less these columns.
    #[must_use]
    pub fn without(table: &Table, left_out: &[&str]) -> Self {
        Self {
            head: format!("{{\"table\":\"{}\"", table.name).into_bytes(),
            columns: fields::of_table(table)
                .filter(|field| !left_out.contains(&field.column))
                .map(|field| (format!(",\"{}\":", field.column).into_bytes(), field))
                .collect(),
        }
    }

    /// Appends one row and a newline. Columns without a value are left out.
    pub fn write(&self, out: &mut Vec<u8>, event: &Event, host: &Host) {
        out.extend_from_slice(&self.head);
        for (key, field) in &self.columns {
            let value = field.of(event, host);
            if !matches!(value, Value::Absent) {
                out.extend_from_slice(key);
                write_value(out, value);
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Appends one value.
pub fn write_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Absent => out.extend_from_slice(b"null"),
        Value::Unknown => out.extend_from_slice(b"\"?\""),
        Value::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Int(value) => write_integer(out, value),
        Value::Time(value) => write_integer(out, value),
        Value::Text(text) | Value::Place(Place { text, .. }) => write_text(out, text),
        Value::Word(word) => write_text(out, word.as_bytes()),
        Value::Uuid(uuid) => {
            out.push(b'"');
            out.extend_from_slice(uuid.hyphenated().encode_lower(&mut [0; 36]).as_bytes());
            out.push(b'"');
        }
        Value::SophosPid(key) => {
            out.push(b'"');
            write_integer(out, key.tgid);
            out.push(b':');
            write_integer(out, key.start);
            out.push(b'"');
        }
        Value::Args(args) => write_args(out, args),
        Value::Pids(pids) => write_list(out, pids.iter(), write_integer),
        Value::Addr(address) => write_text(out, address.to_string().as_bytes()),
    }
}

/// A value as plain text, as JSON has it without its quotes; none for one that is absent or not known, and for lists.
#[must_use]
pub fn as_text(value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::Absent | Value::Unknown | Value::Args(_) | Value::Pids(_) => return None,
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Time(value) => value.to_string(),
        Value::Text(text) | Value::Place(Place { text, .. }) => lossless(text).into_owned(),
        Value::Word(word) => word.to_owned(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::SophosPid(key) => format!("{}:{}", key.tgid, key.start),
        Value::Addr(address) => address.to_string(),
    })
}

fn write_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_args(out: &mut Vec<u8>, args: &Arguments) {
    write_list(out, args.iter(), write_text);
}

fn write_list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Appends a JSON string.
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if text.iter().all(|&byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\') {
        out.extend_from_slice(text);
    } else {
        for char in lossless(text).chars() {
            match char {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                // C0, DEL and C1: a terminal must not take a row for commands. U+2028 and U+2029 end lines for some readers.
                '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                    out.extend_from_slice(format!("\\u{:04x}", u32::from(char)).as_bytes());
                }
                _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}

/// Bytes as text, in the lossless way that the module describes.
#[must_use]
pub fn lossless(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes)
        && !looks_escaped(bytes)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        for (at, char) in valid.char_indices() {
            if char == '\\' && is_escape(&valid.as_bytes()[at..]) {
                out.push_str("\\x5c");
            } else {
                out.push(char);
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    Cow::Owned(out)
}

/// The bytes that such a text stands for: the way back from [`lossless`].
#[must_use]
pub fn from_lossless(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        if is_escape(rest) {
            out.push(digit(rest[2]) << 4 | digit(rest[3]));
            rest = &rest[4..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

fn looks_escaped(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', bytes).any(|at| is_escape(&bytes[at..]))
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_survive(bytes: Vec<u8>) {
            let mut out = Vec::new();
            write_text(&mut out, &bytes);
            prop_assert!(!out.iter().any(|&byte| byte < b' ' || byte == 0x7f));
            let text: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(from_lossless(&text), bytes);
        }

        #[test]
        fn escape_like_text_survives(text in r"[\\x0-9a-f\PC]{0,12}") {
            prop_assert_eq!(from_lossless(&lossless(text.as_bytes())), text.as_bytes());
        }
    }
}
