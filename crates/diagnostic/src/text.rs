//! Text that a terminal shows and does not obey.
//!
//! Paths, error texts and file names come from programs and files that others control. A terminal takes some
//! characters for commands, and some turn the reading order around or hide.

use std::{borrow::Cow, fmt::Write as _};

/// The text with everything spelt out that a terminal would obey instead of show.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_unprintable(char) {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// JSON with such characters written as `\u` escapes; they can stand only inside its strings.
#[must_use]
pub fn printable_json(json: &str) -> Cow<'_, str> {
    let unprintable = |char: char| char != '\n' && is_unprintable(char);
    if !json.contains(unprintable) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        if unprintable(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// Control characters, line and paragraph separators, and those that change the direction of text or hide it.
pub(crate) fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_spelt_out() {
        assert_eq!(printable("plain é 日本"), "plain é 日本");
        assert_eq!(printable("\x1b[2Jx\r\n"), "\\u{1b}[2Jx\\r\\n");
        assert_eq!(printable("a\u{202e}b\u{9b}"), "a\\u{202e}b\\u{9b}");
    }

    proptest! {
        #[test]
        fn json_stays_the_same_value(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let shown = printable_json(&json);
            prop_assert!(!shown.contains(is_unprintable));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
