//! Replies as text that a strict reader of JSON takes: one odd value must not stop a page.

use std::fmt::Write as _;

/// A body that can be read as JSON by a reader of Unicode: bytes that are not UTF-8, and halves of surrogate pairs that
/// stand alone as `\uD800`, become U+FFFD. Both have no meaning, and a page with one of them would stop the stream.
#[must_use]
pub fn readable(body: Vec<u8>) -> String {
    let mut text =
        String::from_utf8(body).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    for at in lone_surrogates(&text) {
        text.replace_range(at..at + 4, "fffd");
    }
    text
}

/// Where the digits of such halves stand. A backslash stands in the strings of JSON alone.
fn lone_surrogates(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(br"\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(next) = memchr::memchr(b'\\', &bytes[at..]) {
        at += next;
        match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                found.push(at + 2);
                at += 6;
            }
            // Past what is escaped, which may be a backslash.
            _ => at = (at + 2).min(bytes.len()),
        }
    }
    found
}

/// What is no JSON by its values alone, as JSON: control characters as they are in a string become escapes, a backslash
/// before what it does not escape one of the text, and the numbers `NaN`, `Infinity` and `-Infinity`, which some writers
/// have, texts.
#[must_use]
pub fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    let mut is_within = false;
    while let Some(char) = rest.chars().next() {
        let number = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| !is_within && rest.starts_with(word));
        let mut length = char.len_utf8();
        match char {
            '"' => {
                is_within = !is_within;
                out.push('"');
            }
            '\\' if is_within => {
                length = escape(rest);
                out.push_str(if length == 1 { "\\\\" } else { &rest[..length] });
            }
            '\0'..'\x20' if is_within => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => match number {
                Some(word) => {
                    length = word.len();
                    let _ = write!(out, "\"{word}\"");
                }
                None => out.push(char),
            },
        }
        rest = &rest[length..];
    }
    out
}

/// The bytes of the escape that begins here; 1 if it is none.
fn escape(text: &str) -> usize {
    match text.as_bytes() {
        [_, b'u', digits @ ..] if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) => 6,
        [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::Value, *};
    use crate::item::Item;

    fn item(json: &str) -> Item<'_> {
        Item::new(serde_json::from_str(json).unwrap())
    }

    /// The text that an item has.
    fn told(json: &str) -> String {
        let Value::Text(text) = &item(json).members["a"] else { panic!("{json}") };
        text.to_string()
    }

    #[test]
    fn what_is_no_unicode_does_not_stop_a_page() {
        let read = |body: &[u8]| told(&readable(body.into()));
        assert_eq!(read(br#"{"a": "x\ud83d\ude00y"}"#), "x😀y");
        assert_eq!(read(br#"{"a": "x\ud83dy"}"#), "x\u{fffd}y");
        assert_eq!(read(br#"{"a": "x\uDE00\ud83d\ud83d\ude00"}"#), "x\u{fffd}\u{fffd}😀");
        assert_eq!(read(br#"{"a": "x\\ud83d"}"#), r"x\ud83d");
        assert_eq!(read(b"{\"a\": \"x\xff\"}"), "x\u{fffd}");
        for text in [r#""\u00e4 \"""#, r"\ud8"] {
            assert_eq!(readable(text.into()), text);
        }
    }

    #[test]
    fn what_json_does_not_have_becomes_text() {
        let read = |json: &str| told(&mended(json));
        assert!(serde_json::from_str::<serde_json::Value>("{\"a\": \"x\0y\"}").is_err());
        assert_eq!(read("{\"a\": \"x\0y\r\nz\t\"}"), "x\0y\r\nz\t");
        assert_eq!(read(r#"{"a": "C:\dir\u12 \" NaN"}"#), "C:\\dir\\u12 \" NaN");
        assert_eq!(read(r#"{"a": "end\\"}"#), "end\\");
        let numbers = ["NaN", "Infinity", "-Infinity"].map(|word| Value::Text(word.into())).to_vec();
        assert_eq!(item(&mended(r#"{"a": [NaN, Infinity,-Infinity]}"#)).members["a"], Value::List(numbers));
        // What is no JSON by its form stays none.
        assert!(serde_json::from_str::<serde_json::Value>(&mended("{\"a\": [1}")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_json_stays_as_it_is(text in "(\\PC|[\"\\\\/])*") {
            let json = serde_json::json!({"a": text, "b": [1.5, {"c": null}]}).to_string();
            prop_assert_eq!(mended(&json), json);
        }

        #[test]
        fn any_text_between_quotes_is_a_string_afterwards(text in "([\\x00-\\x7f]|\\PC|\\\\u00){0,40}") {
            let within = text.replace(['"', '\\'], "") + if text.len() % 2 == 0 { "\\q" } else { "" };
            let json = mended(&format!("\"{within}\""));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), within);
        }
    }
}
