//! Numbers as the table shows them.

use std::path::Path;
use std::time::Duration;
use std::{env, fs, io};

use crate::store::{Failure, Rival};

/// A row: what was measured, and one cell for each of [`Rival::COMPARED`].
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) cells: [String; 3],
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, cells: [String; 3]) -> Self {
        Self { what: what.into(), cells }
    }
}

/// How long something took, in ascending order.
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The value that this part of all values does not exceed.
    pub(crate) fn at(&self, part: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
    }
}

/// One value, or the range of several.
pub(crate) fn range<T: Copy + Ord>(values: &[T], show: impl Fn(T) -> String) -> String {
    let (Some(&least), Some(&most)) = (values.iter().min(), values.iter().max()) else { return "–".to_owned() };
    let (least, most) = (show(least), show(most));
    if least == most { least } else { format!("{least}–{most}") }
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{} ms", number(time))
}

/// Milliseconds, with two digits that mean something.
pub(crate) fn number(time: Duration) -> String {
    let value = time.as_secs_f64() * 1e3;
    match value {
        0.0..1.0 => format!("{value:.2}"),
        1.0..10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

pub(crate) fn text(description: &str, rows: &[Row]) -> String {
    let mut text = format!("{description}\n\n| |");
    for rival in Rival::COMPARED {
        text += &format!(" {} |", rival.name());
    }
    text += "\n| --- | --- | --- | --- |\n";
    for Row { what, cells } in rows {
        text += &format!("| {what} | {} |\n", cells.join(" | "));
    }
    text
}

/// Puts the table into the documentation, if asked to.
pub(crate) fn keep(text: &str) -> Result<(), Failure> {
    const BEGIN: &str = "<!-- measured: stores -->\n";
    if env::var_os("UPDATE_DOCS").is_none() {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/delivery.md");
    let page = fs::read_to_string(&path)?;
    let lost = || io::Error::other("docs/delivery.md has lost its marks");
    let (head, rest) = page.split_once(BEGIN).ok_or_else(lost)?;
    let (_, tail) = rest.split_once("<!-- end -->").ok_or_else(lost)?;
    Ok(fs::write(path, format!("{head}{BEGIN}{text}<!-- end -->{tail}"))?)
}
