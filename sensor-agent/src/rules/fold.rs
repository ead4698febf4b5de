//! Letter case taken away, for comparisons that do not care about it.

/// The text with each letter as its small form, in the buffer.
///
/// A letter whose small form is more than one character stays as it is, and so do bytes that are no UTF-8: what is one
/// character before is one afterwards.
pub(super) fn fold<'b>(text: &[u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    if text.is_ascii() {
        buffer.extend_from_slice(text);
        buffer.make_ascii_lowercase();
        return buffer;
    }
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            buffer.extend_from_slice(small(char).encode_utf8(&mut [0; 4]).as_bytes());
        }
        buffer.extend_from_slice(chunk.invalid());
    }
    buffer
}

/// A letter's small form.
pub(super) fn small(char: char) -> char {
    one(char.to_lowercase(), char)
}

/// A letter's capital form.
pub(super) fn capital(char: char) -> char {
    one(char.to_uppercase(), char)
}

fn one(mut forms: impl Iterator<Item = char>, char: char) -> char {
    match (forms.next(), forms.next()) {
        (Some(form), None) => form,
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lose_their_case_and_nothing_else_changes() {
        let mut buffer = Vec::new();
        for (text, folded) in [
            (&b"/USR/Bin/Wget -K\n"[..], &b"/usr/bin/wget -k\n"[..]),
            ("ÄÉ İß".as_bytes(), "äé İß".as_bytes()),
            (b"A\xffB", b"a\xffb"),
            (b"", b""),
        ] {
            assert_eq!(fold(text, &mut buffer), folded);
        }
    }
}
