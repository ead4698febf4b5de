//! How far a round is that catches up, and when it will be done.
//!
//! Central does not say how many items there are. What is known is how far the items of a stream have come in time: at
//! the pace of so far, the rest of the time takes so long.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::now;
use crate::source::shown;

/// Nothing is told of rounds that have just begun.
const SOON: Duration = Duration::from_secs(1);

/// Streams on their way.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    begun: Option<Instant>,
    items: u64,
    ways: HashMap<Number, Way>,
    next: u64,
}

/// A stream of a tenant. Times are Unix seconds, of items.
#[derive(Clone, Copy, Debug)]
struct Way {
    from: i64,
    /// The last page's last.
    at: i64,
    /// Whether there is more behind it.
    more: bool,
}

/// Which of the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Number(u64);

impl Progress {
    /// A stream begins. `from` is the time that is read from on, if it is known.
    pub(super) fn begin(&self, from: Option<i64>) -> Number {
        self.with(|inner| {
            inner.begun.get_or_insert_with(Instant::now);
            let from = from.unwrap_or_else(now);
            let number = Number(inner.next);
            inner.next += 1;
            inner.ways.insert(number, Way { from, at: from, more: false });
            number
        })
    }

    /// A page of so many items has come, which end at this time.
    pub(super) fn page(&self, number: Number, items: usize, first: Option<i64>, last: Option<i64>, more: bool) {
        self.with(|inner| {
            inner.items += items as u64;
            let Some(way) = inner.ways.get_mut(&number) else { return };
            way.from = way.from.min(first.unwrap_or(way.from));
            way.at = last.unwrap_or(way.at).max(way.from);
            way.more = more;
        });
    }

    /// A stream has ended, wherever it is. With the last one it begins anew.
    pub(super) fn end(&self, number: Number) {
        self.with(|inner| {
            inner.ways.remove(&number);
            if inner.ways.is_empty() {
                *inner = Inner { next: inner.next, ..Inner::default() };
            }
        });
    }

    /// A line for people; none if no stream has more to read.
    pub(super) fn line(&self) -> Option<String> {
        self.with(|inner| {
            let since = inner.begun?.elapsed();
            let ways: Vec<Way> = inner.ways.values().copied().collect();
            (since >= SOON).then(|| line(inner.items, &ways, since, now())).flatten()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn line(items: u64, ways: &[Way], since: Duration, now: i64) -> Option<String> {
    let behind = ways.iter().filter(|way| way.more).map(|way| way.at).min()?;
    let sum = |part: &dyn Fn(&Way) -> i64| ways.iter().map(|way| part(way).max(0)).sum::<i64>();
    let (done, all) = (sum(&|way| way.at - way.from), sum(&|way| now.max(way.at) - way.from));
    let mut line = format!("{items} items, {:.0}/s, at {}", per_second(items, since), shown(behind));
    if done > 0 {
        let left = since.as_secs_f64() * seconds(all - done) / seconds(done);
        // Beyond a day nothing is left of what Central keeps.
        line += &format!(", ETA {}", clock(Duration::from_secs_f64(left.min(86_400.0))));
    }
    Some(line)
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn per_second(items: u64, since: Duration) -> f64 {
    items as f64 / since.as_secs_f64().max(0.001)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
const fn seconds(of: i64) -> f64 {
    of as f64
}

/// `7s`, `2m 07s` or `1h 02m`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_from_the_time_that_items_have_come() {
        let way = |from, at, more| Way { from, at, more };
        let of = |ways: &[Way]| line(5000, ways, Duration::from_secs(10), 1000);
        assert_eq!(of(&[way(0, 250, true)]).unwrap(), "5000 items, 500/s, at 1970-01-01T00:04:10Z, ETA 30s");
        // Another is at its end, and a third has not begun.
        let ways = [way(0, 250, true), way(0, 1000, false), way(0, 0, true)];
        assert_eq!(of(&ways).unwrap(), "5000 items, 500/s, at 1970-01-01T00:00:00Z, ETA 14s");
        assert_eq!(of(&[way(0, 0, true)]).unwrap(), "5000 items, 500/s, at 1970-01-01T00:00:00Z");
        assert_eq!(of(&[way(0, 1000, false)]), None, "nothing is behind");
        // Clocks differ.
        assert_eq!(of(&[way(0, 2000, true)]).unwrap(), "5000 items, 500/s, at 1970-01-01T00:33:20Z, ETA 0s");
    }

    #[test]
    fn times_are_short() {
        let clock = |seconds| clock(Duration::from_secs(seconds));
        assert_eq!((clock(7), clock(127), clock(3720)), ("7s".into(), "2m 07s".into(), "1h 02m".into()));
    }
}
