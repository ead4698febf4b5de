//! The database's own clock, by which records age: it goes on evenly while Central runs, whatever is done to the machine's.
//!
//! The machine's clock may be wrong when it starts and is set later. By it, a step forward would make everything too old at
//! once, and a step back would keep everything. Only of the time in which Central did not run nothing else tells: of that, a
//! week counts at most.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

/// What is taken for the time between two runs at most: less than records are kept for, so that a clock that is wrong at a
/// start makes none of note too old.
const BETWEEN_RUNS: i64 = 7 * 24 * 3600 * 1_000_000_000;

/// A difference of the two clocks that is told.
const STEP: i64 = 60 * 1_000_000_000;

/// All times are nanoseconds, those of both clocks from about the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    kept: i64,
    wall: i64,
    seen: Instant,
}

impl Clock {
    /// The clock of this database, which nobody has looked at since its last run.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let saved = connection
            .query_row("SELECT kept, wall FROM clock", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        // Of a database that had no such clock, what came in last was at the machine's time of then.
        let newest = "SELECT max(received) FROM batches";
        let saved = match saved {
            Some(saved) => Some(saved),
            None => {
                connection.query_row(newest, [], |row| row.get::<_, Option<i64>>(0))?.map(|newest| (newest, newest))
            }
        };
        let clock = Self::starting(saved, crate::now(), Instant::now());
        // Nobody could be heard of in the time between.
        let between = clock.kept - saved.map_or(clock.kept, |(kept, _)| kept);
        connection.execute("UPDATE sensors SET heard = heard + ?1, lost_at = lost_at + ?1", [between])?;
        clock.write(connection)?;
        Ok(clock)
    }

    fn starting(saved: Option<(i64, i64)>, wall: i64, seen: Instant) -> Self {
        let kept = saved.map_or(wall, |(kept, before): (i64, i64)| {
            kept.saturating_add(wall.saturating_sub(before).clamp(0, BETWEEN_RUNS))
        });
        Self { kept, wall, seen }
    }

    /// What it says.
    pub(super) fn now(&self) -> i64 {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> i64 {
        self.kept.saturating_add(nanoseconds(now.saturating_duration_since(self.seen)))
    }

    /// Takes note of both clocks and keeps that; tells if the machine's was set since the last time.
    pub(super) fn save(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if let Some(step) = self.look(crate::now(), Instant::now()) {
            let direction = if step < 0 { "back" } else { "forward" };
            tracing::warn!(
                seconds = (step / 1_000_000_000).abs(),
                "the machine's clock was set {direction}; what is kept ages evenly all the same"
            );
        }
        self.write(transaction)
    }

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .prepare_cached("INSERT OR REPLACE INTO clock (one, kept, wall) VALUES (1, ?, ?)")?
            .execute(params![self.kept, self.wall])?;
        Ok(())
    }

    /// By how much the machine's clock was set since the last look, if it was.
    fn look(&mut self, wall: i64, now: Instant) -> Option<i64> {
        let next = Self { kept: self.at(now), wall, seen: now };
        let step = wall.saturating_sub(self.wall).saturating_sub(next.kept - self.kept);
        *self = next;
        (step.saturating_abs() > STEP).then_some(step)
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const DAY: i64 = 24 * 3600 * SECOND;

    #[test]
    fn a_step_of_the_machines_clock_is_told_once_and_ages_nothing() {
        let start = Instant::now();
        let later = |seconds: u64| start + Duration::from_secs(seconds);
        for step in [400 * DAY, -400 * DAY] {
            let mut clock = Clock::starting(Some((1_000 * DAY, 1_000 * DAY)), 1_000 * DAY, start);
            assert_eq!(clock.look(1_000 * DAY + 60 * SECOND, later(60)), None);
            assert_eq!(clock.look(1_000 * DAY + step + 120 * SECOND, later(120)), Some(step));
            assert_eq!(clock.look(1_000 * DAY + step + 180 * SECOND, later(180)), None);
            assert_eq!(clock.at(later(240)), 1_000 * DAY + 240 * SECOND);
        }
    }

    #[test]
    fn between_two_runs_a_week_passes_at_most() {
        let started = |wall| Clock::starting(Some((500, 1_000 * DAY)), wall, Instant::now()).kept;
        assert_eq!(started(1_000 * DAY + 3 * DAY), 500 + 3 * DAY);
        assert_eq!(started(1_000 * DAY + 300 * DAY), 500 + 7 * DAY);
        assert_eq!(started(3 * DAY), 500);
        assert_eq!(Clock::starting(None, 77, Instant::now()).kept, 77);
    }
}
