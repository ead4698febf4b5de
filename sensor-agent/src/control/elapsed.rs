//! Time that has passed, as people say it.

use std::fmt::Write as _;

/// Seconds as people say them, the two largest units.
pub(super) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let (unit, name) = UNITS[first];
    let mut out = format!("{} {name}", seconds / unit);
    if let Some((smaller, name)) = UNITS.get(first + 1)
        && seconds % unit >= *smaller
    {
        let _ = write!(out, " {} {name}", seconds % unit / smaller);
    }
    out
}
