//! Kernel strings in lines that people read on terminals.
//!
//! A process chooses its name. Printed as it is, the name could move the cursor, clear the screen, forge a second
//! line or turn the order of letters around.

use std::fmt::Write as _;

use crate::event::json::lossless;

/// Bytes as text that a terminal shows and does not obey.
///
/// Bytes that are not UTF-8, control characters (C0, DEL, C1), line and paragraph separators and the characters that
/// change the direction of text stand as `\xHH`, once per byte of their UTF-8 form; as in JSON a backslash that would
/// read as such an escape stands as `\x5c`. To get the bytes back, replace every `\xHH` by its byte.
#[must_use]
pub fn visible(bytes: &[u8]) -> String {
    printable(&lossless(bytes))
}

/// The same for text that is known to be UTF-8, backslashes left as they are.
#[must_use]
pub fn printable(text: &str) -> String {
    if !text.contains(commands_a_terminal) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if commands_a_terminal(char) {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(out, "\\x{byte:02x}");
            }
        } else {
            out.push(char);
        }
    }
    out
}

const fn commands_a_terminal(char: char) -> bool {
    matches!(char,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_shown_not_obeyed() {
        assert_eq!(visible(b"/tmp/\x1b[2Jx\ny"), r"/tmp/\x1b[2Jx\x0ay");
        assert_eq!(visible("a\u{202e}b".as_bytes()), r"a\xe2\x80\xaeb");
        assert_eq!(visible("/tmp/é".as_bytes()), "/tmp/é");
        assert_eq!(visible(b"/tmp/\xff"), r"/tmp/\xff");
        assert_eq!(visible(br"a\x41"), r"a\x5cx41");
    }

    proptest! {
        #[test]
        fn no_bytes_command_a_terminal(bytes: Vec<u8>) {
            prop_assert!(!visible(&bytes).contains(commands_a_terminal));
        }
    }
}
