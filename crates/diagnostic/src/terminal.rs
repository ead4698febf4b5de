//! Text for a person at a terminal: columns, counts, and standard output.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

use crate::text::printable;

/// A number and what it counts: `1 policy`, `2 policies`.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The least columns that a wrapped cell has, its padding included.
const LEAST: u16 = 9;
/// Cells up to this width are not wrapped.
const WHOLE: u16 = 14;

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
    columns_within(None, head, rows)
}

/// The same, with long cells wrapped so that a terminal of this width shows no line in two, where it is wide enough for all
/// short cells and a few letters of each long one. None: nothing is wrapped.
#[must_use]
pub fn columns_within<const N: usize>(
    width: Option<usize>,
    head: [(&str, Align); N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(head.map(|(title, _)| title));
    for row in rows {
        table.add_row(row.each_ref().map(|cell| printable(cell)));
    }
    if table.is_empty() {
        return String::new();
    }
    let widest = table.column_max_content_widths();
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // Narrower than this no table is read any more, and lines that go on below are.
        table.set_width(u16::try_from(width.max(N * usize::from(LEAST))).unwrap_or(u16::MAX));
    }
    for ((column, (_, align)), widest) in table.column_iter_mut().zip(head).zip(widest) {
        column.set_constraint(if widest <= WHOLE {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::LowerBoundary(Width::Fixed(LEAST))
        });
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
    use super::*;

    #[test]
    fn cells_are_wrapped_to_the_terminal() {
        let rows = || [["one".to_owned(), "a sentence that is longer than the terminal is wide".to_owned()]];
        let head = [("NAME", Align::Left), ("WHY", Align::Left)];
        let text = columns_within(Some(30), head, rows());
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= 30), "{text}");
        assert_eq!(columns_within(None, head, rows()).lines().count(), 2);
    }

    #[test]
    fn columns_are_aligned_by_shown_width() {
        let text = columns(
            [("NAME", Align::Left), ("ROWS", Align::Right), ("NOTE", Align::Left)],
            [["日本".into(), "7".into(), "x".into()], ["plain\n".into(), "1234".into(), String::new()]],
        );
        assert_eq!(text, "NAME     ROWS  NOTE\n日本        7  x\nplain\\n  1234\n");
    }
}
