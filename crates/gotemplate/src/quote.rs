//! Texts in quotes, as `%q` writes them.

use crate::unicode::{is_print, letters};

/// In double quotes; `ascii`: letters beyond ASCII escaped too.
pub(crate) fn quoted(text: &[u8], ascii: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    let mut at = 0_usize;
    for (char, len) in letters(text) {
        match char {
            Some(char) => push(&mut out, char, '"', ascii),
            None => out.extend_from_slice(format!("\\x{:02x}", text.get(at).copied().unwrap_or_default()).as_bytes()),
        }
        at += len;
    }
    out.push(b'"');
    out
}

/// In single quotes.
pub(crate) fn quoted_letter(char: char, ascii: bool) -> Vec<u8> {
    let mut out = vec![b'\''];
    push(&mut out, char, '\'', ascii);
    out.push(b'\'');
    out
}

/// Whether a text can stand in backquotes.
pub(crate) fn fits_backquotes(text: &[u8]) -> bool {
    letters(text).all(|(char, _)| {
        char.is_some_and(|char| char == '\t' || !(char.is_ascii_control() || char == '`' || char == '\u{feff}'))
    })
}

fn push(out: &mut Vec<u8>, char: char, quote: char, ascii: bool) {
    let mut push = |text: &str| out.extend_from_slice(text.as_bytes());
    let number = u32::from(char);
    match char {
        '\\' => push(r"\\"),
        char if char == quote => {
            push("\\");
            push(char.encode_utf8(&mut [0; 4]));
        }
        char if is_print(char) && (!ascii || char.is_ascii()) => push(char.encode_utf8(&mut [0; 4])),
        '\x07' => push(r"\a"),
        '\x08' => push(r"\b"),
        '\x0c' => push(r"\f"),
        '\n' => push(r"\n"),
        '\r' => push(r"\r"),
        '\t' => push(r"\t"),
        '\x0b' => push(r"\v"),
        '\0'..='\x1f' | '\x7f' => push(&format!("\\x{number:02x}")),
        '\0'..='\u{ffff}' => push(&format!("\\u{number:04x}")),
        _ => push(&format!("\\U{number:08x}")),
    }
}
