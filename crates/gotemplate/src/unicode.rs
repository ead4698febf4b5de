//! Classes of letters as Go's `unicode` package has them.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// `unicode.IsLetter`
pub(crate) fn is_letter(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphabetic();
    }
    matches!(
        get_general_category(char),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
    )
}

/// What names consist of: letters, decimal digits, `_`.
pub(crate) fn is_name(char: char) -> bool {
    char == '_'
        || char.is_ascii_digit()
        || is_letter(char)
        || (!char.is_ascii() && get_general_category(char) == Category::DecimalNumber)
}

/// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII blank.
pub(crate) fn is_print(char: char) -> bool {
    if char.is_ascii() {
        return (' '..='~').contains(&char);
    }
    !matches!(
        get_general_category(char),
        Category::Control
            | Category::Format
            | Category::Surrogate
            | Category::PrivateUse
            | Category::Unassigned
            | Category::SpaceSeparator
            | Category::LineSeparator
            | Category::ParagraphSeparator
    )
}

/// The first letter of bytes that are not empty, and its length; none for a byte that begins no letter.
pub(crate) fn first(bytes: &[u8]) -> (Option<char>, usize) {
    let lead = bytes.get(..bytes.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(lead) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(lead.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
    };
    valid.chars().next().map_or((None, 1), |char| (Some(char), char.len_utf8()))
}

/// The letters of bytes with their lengths; none for each byte that is part of no letter.
pub(crate) fn letters(mut bytes: &[u8]) -> impl Iterator<Item = (Option<char>, usize)> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (char, len) = first(bytes);
        bytes = bytes.get(len..).unwrap_or_default();
        Some((char, len))
    })
}
