//! Where reading begins.

/// How far back the first reading begins, seconds.
pub const FIRST: i64 = 12 * 3600;
/// How far back Central goes, seconds.
pub const LONGEST: i64 = 24 * 3600;
/// Nothing is asked for so near to the bound that a difference of clocks is beyond it, seconds.
const RESERVE: i64 = 60;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Begin {
    /// Behind the page that gave it.
    Cursor(String),
    /// What came in at that time or later, Unix seconds.
    Time(i64),
}

/// The earliest time that Central goes back to, Unix seconds.
#[must_use]
pub const fn earliest(now: i64) -> i64 {
    now - LONGEST + RESERVE
}

/// Where a stream begins that was never read for an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// So many seconds ago.
    Ago(i64),
    /// With what comes in from now on.
    Now,
    /// Where the vendor's script stopped; twelve hours ago if it never read it.
    Script,
}

/// Where a stream was left. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub cursor: String,
    /// When that was.
    pub at: Option<i64>,
    /// When it had been read to its end, by Central's clock; none if it had not.
    pub complete: Option<i64>,
    /// All ids are known of what came in from this time on.
    pub known_from: Option<i64>,
}

/// A time that cannot be read any more, Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Gap {
    pub from: i64,
    pub to: i64,
}

/// As it is told.
impl std::fmt::Display for Gap {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "from {} to {}", shown(self.from), shown(self.to))
    }
}

/// A time as people read it: RFC 3339, UTC.
#[must_use]
pub fn shown(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s"), |time| time.to_string())
}

/// Where a reading begins, and what it misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    pub begin: Begin,
    pub gap: Option<Gap>,
}

/// Where a reading begins. `since` is what people ask for, and stands above where it stopped. Without it, a stream that
/// was read to its end begins `overlap` seconds before that, as far as the ids of what came in since are known: so items
/// that Central lists late are found, and those that were handed over are told from them.
#[must_use]
pub fn begin(stopped: Option<&Stopped>, start: Start, since: Option<i64>, overlap: i64, now: i64) -> Begun {
    let earliest = earliest(now);
    if let Some(since) = since {
        let gap = (since < now - LONGEST).then_some(Gap { from: since, to: earliest });
        return Begun { begin: Begin::Time(since.max(earliest)), gap };
    }
    let Some(stopped) = stopped else {
        let ago = match start {
            Start::Ago(ago) => ago,
            Start::Now => 0,
            Start::Script => FIRST,
        };
        return Begun { begin: Begin::Time(now.saturating_sub(ago).max(earliest)), gap: None };
    };
    let gap = stopped.at.filter(|at| *at < now - LONGEST).map(|from| Gap { from, to: earliest });
    let late = match (stopped.complete, stopped.known_from) {
        (Some(complete), Some(known)) if overlap > 0 && gap.is_none() => {
            // A clock that was set back, here or there: the cursor knows better than a time that has not come.
            let is_past = complete <= now + overlap;
            Some((complete - overlap).max(known)).filter(|time| is_past && *time <= complete && *time >= earliest)
        }
        _ => None,
    };
    Begun { begin: late.map_or_else(|| Begin::Cursor(stopped.cursor.clone()), Begin::Time), gap }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_796_000_000;
    const HOUR: i64 = 3600;

    fn begun(stopped: Option<Stopped>, start: Start, since: Option<i64>, overlap: i64) -> (Begin, Option<Gap>) {
        let Begun { begin, gap } = begin(stopped.as_ref(), start, since, overlap, NOW);
        (begin, gap)
    }

    fn stopped(ago: Option<i64>, complete: Option<i64>, known: Option<i64>) -> Option<Stopped> {
        let before = |ago: i64| NOW - ago;
        let (at, complete, known_from) = (ago.map(before), complete.map(before), known.map(before));
        Some(Stopped { cursor: "c".into(), at, complete, known_from })
    }

    #[test]
    fn the_first_reading_begins_where_it_is_said_and_never_more_than_a_day_ago() {
        let begins = |start| begun(None, start, None, 300);
        assert_eq!(begins(Start::Script), (Begin::Time(NOW - 12 * HOUR), None));
        assert_eq!(begins(Start::Now), (Begin::Time(NOW), None));
        assert_eq!(begins(Start::Ago(7)), (Begin::Time(NOW - 7), None));
        assert_eq!(begins(Start::Ago(i64::MAX)), (Begin::Time(earliest(NOW)), None));
    }

    #[test]
    fn a_cursor_goes_on_and_a_gap_is_told() {
        let begins = |at| begun(stopped(at, None, None), Start::Now, None, 300);
        assert_eq!(begins(Some(24 * HOUR)), (Begin::Cursor("c".into()), None));
        assert_eq!(begins(None), (Begin::Cursor("c".into()), None));
        let gap = Gap { from: NOW - 30 * HOUR, to: NOW - 24 * HOUR + RESERVE };
        assert_eq!(begins(Some(30 * HOUR)), (Begin::Cursor("c".into()), Some(gap)));
    }

    #[test]
    fn a_stream_that_was_read_to_its_end_is_read_again_from_before_it() {
        let begins = |complete, known, overlap| {
            let (begin, gap) = begun(stopped(Some(50), complete, known), Start::Now, None, overlap);
            assert_eq!(gap, None);
            match begin {
                Begin::Time(time) => Some(NOW - time),
                Begin::Cursor(_) => None,
            }
        };
        assert_eq!(begins(Some(100), Some(9999), 300), Some(400));
        assert_eq!(begins(Some(100), Some(150), 300), Some(150), "no further than what is known");
        assert_eq!(begins(Some(100), Some(50), 300), None);
        assert_eq!(begins(Some(100), Some(9999), 0), None);
        assert_eq!(begins(None, Some(9999), 300), None, "there was more to read");
        assert_eq!(begins(Some(-200), Some(9999), 300), Some(100), "clocks differ a little");
        assert_eq!(begins(Some(-301), Some(9999), 300), None, "it is of the future");
        assert_eq!(begins(Some(100), None, 300), None);
    }

    #[test]
    fn what_people_ask_for_stands_above_a_cursor() {
        let begins = |since| begun(stopped(None, None, None), Start::Now, Some(since), 300);
        assert_eq!(begins(NOW - 5), (Begin::Time(NOW - 5), None));
        assert_eq!(begins(NOW - 24 * HOUR), (Begin::Time(earliest(NOW)), None));
        assert_eq!(begins(0), (Begin::Time(earliest(NOW)), Some(Gap { from: 0, to: earliest(NOW) })));
    }
}
