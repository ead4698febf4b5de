//! Text for a person at a terminal.
//!
//! Paths, error texts and file names come from programs and files that others control. A terminal takes some
//! characters for commands, and some turn the reading order around; so what is printed goes through [`printable`].

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use comfy_table::{CellAlignment, Table};

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
fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{061c}' | '\u{feff}')
}

/// A number and what it counts: `1 policy`, `2 policies`.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Which side of its column a text leans to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    /// For numbers.
    Right,
}

/// Rows as aligned columns, two blanks apart, a line each, made [`printable`]; no rows, no text.
#[must_use]
pub fn columns<const N: usize>(head: [(&str, Align); N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(head.map(|(title, _)| title));
    for row in rows {
        table.add_row(row.each_ref().map(|cell| printable(cell)));
    }
    if table.is_empty() {
        return String::new();
    }
    for (column, (_, align)) in table.column_iter_mut().zip(head) {
        column.set_padding((0, 2)).set_cell_alignment(match align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        });
    }
    table.trim_fmt() + "\n"
}

/// Writes to standard output. A reader that has gone away, such as `head`, is no error.
///
/// # Errors
/// The output could not be written: a full disk, say.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
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

    #[test]
    fn columns_are_aligned_by_shown_width() {
        let text = columns(
            [("NAME", Align::Left), ("ROWS", Align::Right), ("NOTE", Align::Left)],
            [["日本".into(), "7".into(), "x".into()], ["plain\n".into(), "1234".into(), String::new()]],
        );
        assert_eq!(text, "NAME     ROWS  NOTE\n日本        7  x\nplain\\n  1234\n");
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
