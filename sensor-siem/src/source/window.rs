//! Where reading begins.

use crate::item::Stream;

/// How far back the first reading begins, seconds.
pub const FIRST: i64 = 12 * 3600;
/// How far back Central goes, seconds.
pub const LONGEST: i64 = 24 * 3600;
/// Nothing is asked for so near to the bound that a difference of clocks is beyond it, seconds.
const RESERVE: i64 = 60;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Behind the page that gave it.
    Cursor(String),
    /// What came in at that time or later, Unix seconds.
    Time(i64),
}

impl Begin {
    /// As far back as can be.
    #[must_use]
    pub const fn earliest(now: i64) -> Self {
        Self::Time(earliest(now))
    }
}

const fn earliest(now: i64) -> i64 {
    now - LONGEST + RESERVE
}

/// Where a pass begins a stream, and what is to be told about it. `position` is the cursor that is kept, and when it was;
/// `since` is what people ask for, and stands above it; without both it is the last twelve hours, and some minutes more if
/// the configuration says so. All are Unix seconds.
#[must_use]
pub fn begin(
    stream: Stream,
    position: Option<(&str, Option<i64>)>,
    since: Option<i64>,
    earlier_minutes: u32,
    now: i64,
) -> (Begin, Option<String>) {
    if let Some(since) = since {
        let is_too_early = since < now - LONGEST;
        let told = format!("{}s are read from 24 hours ago on, not from {since}: Central keeps no more", stream.word());
        return (Begin::Time(since.max(earliest(now))), is_too_early.then_some(told));
    }
    match position {
        Some((cursor, updated_at)) => {
            let lost = updated_at.filter(|at| *at < now - LONGEST).map(|at| {
                let hours = (now - at) / 3600;
                format!(
                    "{}s were read {hours} hours ago the last time, and Central keeps 24: what came in between is lost",
                    stream.word()
                )
            });
            (Begin::Cursor(cursor.to_owned()), lost)
        }
        None => (Begin::Time((now - FIRST - i64::from(earlier_minutes) * 60).max(earliest(now))), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_796_000_000;
    const HOUR: i64 = 3600;

    #[test]
    fn the_first_reading_is_of_twelve_hours_and_never_of_more_than_a_day() {
        let begins = |minutes| begin(Stream::Events, None, None, minutes, NOW);
        assert_eq!(begins(0), (Begin::Time(NOW - 12 * HOUR), None));
        assert_eq!(begins(30), (Begin::Time(NOW - 12 * HOUR - 1800), None));
        assert_eq!(begins(1440), (Begin::earliest(NOW), None));
    }

    #[test]
    fn a_cursor_goes_on_and_a_gap_is_told() {
        let begins = |at| begin(Stream::Alerts, Some(("c", at)), None, 30, NOW);
        assert_eq!(begins(Some(NOW - 24 * HOUR)), (Begin::Cursor("c".into()), None));
        assert_eq!(begins(None), (Begin::Cursor("c".into()), None));
        let (begin, told) = begins(Some(NOW - 30 * HOUR));
        assert_eq!(begin, Begin::Cursor("c".into()));
        assert!(told.unwrap().contains("alerts were read 30 hours ago"));
    }

    #[test]
    fn what_people_ask_for_stands_above_a_cursor() {
        let begins = |since| begin(Stream::Events, Some(("c", None)), Some(since), 0, NOW);
        assert_eq!(begins(NOW - 5), (Begin::Time(NOW - 5), None));
        assert_eq!(begins(NOW - 24 * HOUR), (Begin::earliest(NOW), None));
        let (begin, told) = begins(0);
        assert_eq!(begin, Begin::earliest(NOW));
        assert!(told.unwrap().contains("Central keeps no more"));
    }
}
