//! Items as lines of text, in one of three formats.
//!
//! An item is [normalised](normalise) first: its stream is written into it, members that are null go, some are renamed,
//! and what a name tells in words (a detection, a path) becomes members of its own.
//!
//! Each format comes in two ways. *Compatible* (`compat`) is byte by byte what the vendor's public script writes (its
//! release 2.1.0), faults included, for readers that are set up for it. The other mends what breaks its readers:
//!
//! | | compatible | mended |
//! | --- | --- | --- |
//! | severity `critical` in CEF | 0 | 10; a word that is not known is `Unknown` |
//! | nested values and true, false, null in CEF and key-value | as Python prints them | JSON |
//! | line ends and control characters in values | as they are: they split a record | escaped |
//! | quotes and backslashes in key-value | as they are | escaped with a backslash |
//! | names of members in CEF and key-value | as they are | letters, digits, `_`, `.`, `-`; all else is `_` |
//! | empty objects in CEF | vanish | `{}` |
//! | numbers in JSON | as Python prints them | as received |
//! | `dhost` as a host name | labels of any length; may end up empty | bounds of RFC 1123; left alone if nothing remains |
//! | syslog | `<30>` and the line; nothing between messages over TCP | RFC 5424, octet counting or a line end |

mod cef;
mod dhost;
mod json;
mod keyvalue;
mod names;
mod normalise;
mod python;
pub mod syslog;

use std::{borrow::Cow, collections::HashSet};

use crate::item::{Item, Members, Stream, Value};

settings::words! {
    /// How a line is laid out.
    pub Format {
        /// An object.
        Json = "json",
        /// Common Event Format, version 0.
        Cef = "cef",
        /// `<rt> name="value"; name="value";`
        KeyValue = "keyvalue",
    }
}

/// How items become lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub format: Format,
    /// Whether faults of the script are kept.
    pub compat: bool,
    /// Whether `dhost` is made a valid host name.
    pub fqdn: bool,
}

/// One item as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Without a line end behind it.
    pub text: String,
    /// The item is of a type whose name tells more, and this one could not be read: its name.
    pub unread: Option<String>,
}

/// The item as it was received, on one line: the order of its members and the digits of its numbers are as they were.
#[must_use]
pub fn whole(item: &Item<'_>) -> String {
    let mut out = String::new();
    json::put(&mut out, &item.members, false);
    out
}

/// A value as JSON.
#[must_use]
pub fn value(value: &Value<'_>) -> String {
    json::value(value)
}

impl Layout {
    /// The item as a line.
    #[must_use]
    pub fn line(&self, item: &Item<'_>, stream: Stream) -> Line {
        let mut text = String::new();
        let unread = self.put(&mut text, item, stream);
        Line { text, unread }
    }

    /// Appends the item as a line, without a line end. The name is returned if it should tell more, and could not be read.
    pub fn put(&self, out: &mut String, item: &Item<'_>, stream: Stream) -> Option<String> {
        let mut members = normalise::receive(&item.members, stream);
        let unread;
        let begin = out.len();
        match self.format {
            Format::Json => {
                self.rename(&mut members);
                unread = names::read(&mut members);
                json::put(out, &members, self.compat);
            }
            Format::KeyValue => {
                self.rename(&mut members);
                unread = names::read(&mut members);
                keyvalue::put(out, &members, self.compat);
            }
            Format::Cef => {
                unread = names::read(&mut members);
                let mut flat = normalise::flatten(members, self.compat);
                let header = cef::Header::take(&mut flat);
                self.rename(&mut flat);
                cef::put(out, &header, &flat, self.compat);
            }
        }
        if self.compat {
            strip(out, begin);
        }
        unread
    }

    fn rename(&self, members: &mut Members<'_>) {
        normalise::rename(members);
        if self.fqdn
            && let Some(Value::Text(dhost)) = members.get_mut("dhost")
        {
            *dhost = dhost::valid(dhost, self.compat).into();
        }
    }
}

/// Takes away blanks around what stands there from `begin` on.
fn strip(out: &mut String, begin: usize) {
    let line = &out[begin..];
    let stripped = python::strip(line);
    if stripped.len() != line.len() {
        let stripped = stripped.to_owned();
        out.truncate(begin);
        out.push_str(&stripped);
    }
}

/// Appends a text in which nothing ends a line: line feed and carriage return stand as `\n` and `\r`, other control
/// characters and line separators as `\xHH` or `\uHHHH`, and a backslash before each character that `is_escaped` says.
fn escape(out: &mut String, text: &str, is_escaped: impl Fn(char) -> bool) {
    use std::fmt::Write as _;
    let mut rest = text;
    loop {
        // Nearly all is letters, digits and what stands between them.
        let plain =
            rest.bytes().take_while(|&byte| matches!(byte, b' '..=b'~') && !is_escaped(char::from(byte))).count();
        out.push_str(&rest[..plain]);
        let mut chars = rest[plain..].chars();
        let Some(char) = chars.next() else { return };
        rest = chars.as_str();
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push('\t'),
            // Writing to a string does not fail.
            '\u{2028}' | '\u{2029}' => drop(write!(out, "\\u{:04x}", u32::from(char))),
            _ if char.is_control() => drop(write!(out, "\\x{:02x}", u32::from(char))),
            _ => {
                if is_escaped(char) {
                    out.push('\\');
                }
                out.push(char);
            }
        }
    }
}

/// A key that its readers can tell from the value, in place of a name that is none.
fn key(name: &str) -> Option<String> {
    let is_fine = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-');
    if !name.is_empty() && name.chars().all(is_fine) {
        return None;
    }
    let key: String = name.chars().map(|char| if is_fine(char) { char } else { '_' }).collect();
    Some(if key.is_empty() { "_".into() } else { key })
}

/// The members with keys made of their names. Two that become the same are told apart by underscores.
fn keys<'a>(members: &'a Members<'a>) -> impl Iterator<Item = (Cow<'a, str>, &'a Value<'a>)> {
    let mut made = HashSet::new();
    members.iter().map(move |(name, value)| {
        let Some(mut key) = key(name) else { return (Cow::Borrowed(&**name), value) };
        // One that is as it should be has its name.
        while members.contains_key(key.as_str()) || !made.insert(key.clone()) {
            key.push('_');
        }
        (Cow::Owned(key), value)
    })
}

#[cfg(test)]
mod tests;
