//! Rows as JSON: one object per line, always valid, nothing lost.
//!
//! Kernel strings are bytes. Those that are valid UTF-8 stand as they are, control characters escaped as JSON
//! demands. A byte that is not UTF-8 stands as `\xHH` (in the JSON text: `\\xHH`), and so that this can be undone, a
//! backslash that happens to be followed by `x` and two hexadecimal digits stands as `\x5c`. To get the bytes back,
//! replace every `\xHH` by its byte.

use std::borrow::Cow;

use schema::{EventType, Seen, Table};

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

/// Writes events with all that is known of them, whether a table takes them or not: every field under its column's name, and
/// the ancestors.
#[derive(Debug)]
pub struct EventWriter {
    /// `"column":` and where its value comes from, by kind; empty for a kind of which there was none yet.
    kinds: [Vec<(Vec<u8>, &'static fields::Field)>; EventType::ALL.len()],
}

impl Default for EventWriter {
    fn default() -> Self {
        Self { kinds: [const { Vec::new() }; EventType::ALL.len()] }
    }
}

/// What is told of an ancestor.
const OF_ANCESTOR: &[&str] = &["pid", "process_uuid", "path", "uid"];
/// The most ancestors that are told.
const ANCESTORS: usize = 32;

impl EventWriter {
    /// Appends one event, as [`build`](super::build) reads it, and a newline. Fields without a value are left out.
    pub fn write(&mut self, out: &mut Vec<u8>, event: &Event, host: &Host) {
        let fields = &mut self.kinds[event.kind as usize];
        if fields.is_empty() {
            let of_kind = fields::FIELDS.iter().filter(|field| field.applies_to(Seen::only(event.kind)));
            fields.extend(of_kind.map(|field| (format!("\"{}\":", field.column).into_bytes(), field)));
        }
        let start = out.len();
        for (key, field) in fields {
            write_field(out, start, key, field.of(event, host));
        }
        for (index, ancestor) in event.process.ancestors().take(ANCESTORS).enumerate() {
            out.extend_from_slice(if index == 0 { b",\"lineage\":[" } else { b"," });
            let start = out.len();
            for field in OF_ANCESTOR.iter().filter_map(|column| fields::by_column(column)) {
                write_field(out, start, format!("\"{}\":", field.column).as_bytes(), field.of_process(ancestor, host));
            }
            out.extend_from_slice(if out.len() == start { b"{}" } else { b"}" });
        }
        out.extend_from_slice(if event.process.parent.is_some() { b"]}\n" } else { b"}\n" });
    }
}

/// Appends a field of the object that begins there, unless it has no value.
fn write_field(out: &mut Vec<u8>, start: usize, key: &[u8], value: Value<'_>) {
    if !matches!(value, Value::Absent) {
        out.push(if out.len() == start { b'{' } else { b',' });
        out.extend_from_slice(key);
        write_value(out, value);
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

/// The same where people read on: of a list its texts, with commas between them.
#[must_use]
pub fn as_line(value: Value<'_>) -> Option<String> {
    let Value::Args(texts) = value else { return as_text(value) };
    let texts: Vec<_> = texts.iter().map(lossless).collect();
    Some(texts.join(", "))
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
    use crate::event::build::build;

    #[test]
    fn an_event_is_read_back_with_its_ancestors() {
        let event = serde_json::json!({
            "programName": "/bin/x", "args": ["x", "\u{1b}[2J"], "processPid": 9, "uid": 1000,
            "lineage": [{"programName": "/bin/sh", "processPid": 5}, {}],
        });
        let (event, host) = build(&event).unwrap();
        let mut out = Vec::new();
        let mut writer = EventWriter::default();
        writer.write(&mut out, &event, &host);
        assert!(out.starts_with(b"{\"") && !out.starts_with(b"{\"reply\"") && out.ends_with(b"]}\n"));
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let (again, host) = build(&value).unwrap();
        let mut twice = Vec::new();
        writer.write(&mut twice, &again, &host);
        assert_eq!(String::from_utf8(out), String::from_utf8(twice));
        assert_eq!(value["lineage"][0]["path"], "/bin/sh");
    }

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
