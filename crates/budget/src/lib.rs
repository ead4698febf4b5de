//! The memory that what is remembered and what waits may take: one budget, in bytes.
//!
//! How long an argument is, how deep a lineage, how large a message: that is up to the programs that are watched. So
//! nothing is bounded by a number of pieces alone. What is large carries a [`Charge`] of what it takes, wherever it is
//! held and by however many; whoever takes something in looks at the [`Pressure`], and what counts for less makes room
//! for what counts for more:
//!
//! | charged, of the budget | from then on |
//! | --- | --- |
//! | 1/2 | rows that sinks have had leave the rings; a sink that is behind gets no more rows; who follows gets nothing more |
//! | 3/4 | rows that wait for sinks are given up, the oldest first; the process table keeps what is new in short |
//! | all | processes that did nothing for longest leave the table |
//!
//! Alerts have a share of their own, which nothing else can use up: each output may have [`Budget::alerts`] waiting.
//! What is given up is counted where that happens.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Where memory is given out from. Copies are the same one.
#[derive(Clone, Copy, Debug)]
pub struct Budget(&'static Account);

#[derive(Debug)]
struct Account {
    limit: AtomicUsize,
    charged: [AtomicUsize; Part::ALL.len()],
}

/// What memory is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Programs with their arguments and paths: of the process table, of ancestors, of rows and alerts.
    #[default]
    Programs,
    /// Texts of audit messages, of rows and alerts.
    Messages,
    /// What waits for ZeroMQ's receivers.
    Network,
}

/// How much of a budget is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    None,
    /// A half.
    Rows,
    /// Three quarters.
    Table,
    /// All of it.
    Full,
}

static OF_SENSOR: Account = Account::new(128 << 20);
static UNLIMITED: Account = Account::new(usize::MAX);

impl Account {
    const fn new(limit: usize) -> Self {
        Self { limit: AtomicUsize::new(limit), charged: [const { AtomicUsize::new(0) }; Part::ALL.len()] }
    }
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Programs, Self::Messages, Self::Network];

    /// The word in the status and in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Programs => "programs",
            Self::Messages => "messages",
            Self::Network => "network",
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::unlimited()
    }
}

impl Budget {
    /// The sensor's.
    #[must_use]
    pub const fn of_sensor() -> Self {
        Self(&OF_SENSOR)
    }

    /// One that bounds nothing: for tools and tests.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self(&UNLIMITED)
    }

    /// One of so many bytes by itself, which is there until the program ends: for tests.
    #[must_use]
    pub fn of(limit: usize) -> Self {
        Self(Box::leak(Box::new(Account::new(limit))))
    }

    /// Puts another limit in force, bytes.
    pub fn set_limit(&self, bytes: u64) {
        self.0.limit.store(usize::try_from(bytes).unwrap_or(usize::MAX), Relaxed);
    }

    /// Bytes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit.load(Relaxed)
    }

    /// Bytes charged for this.
    #[must_use]
    pub fn charged(&self, part: Part) -> usize {
        self.0.charged[part as usize].load(Relaxed)
    }

    /// How much of it is used.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        let limit = self.limit();
        let charged: usize = self.0.charged.iter().map(|charged| charged.load(Relaxed)).sum();
        match () {
            () if charged < limit / 2 => Pressure::None,
            () if charged < limit / 4 * 3 => Pressure::Rows,
            () if charged < limit => Pressure::Table,
            () => Pressure::Full,
        }
    }

    /// Bytes that may wait for one output, or one sink: nothing else can use them up.
    #[must_use]
    pub fn share(&self) -> usize {
        self.limit() / 4
    }

    /// Bytes of what may wait for one who follows, and of alerts that are kept to be looked at.
    #[must_use]
    pub fn follower(&self) -> usize {
        self.limit() / 64
    }

    /// Bytes that are handed on in one piece, or held in hand at once.
    #[must_use]
    pub fn piece(&self) -> usize {
        self.limit() / 16
    }
}

/// Memory that is taken out of a budget until this is dropped. A clone takes as much again.
#[derive(Debug, Default)]
pub struct Charge {
    budget: Budget,
    part: Part,
    bytes: usize,
}

impl Charge {
    #[must_use]
    pub fn new(budget: Budget, part: Part, bytes: usize) -> Self {
        budget.0.charged[part as usize].fetch_add(bytes, Relaxed);
        Self { budget, part, bytes }
    }

    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// So many bytes out of the same budget, for the same.
    #[must_use]
    pub fn alike(&self, bytes: usize) -> Self {
        Self::new(self.budget, self.part, bytes)
    }
}

impl Clone for Charge {
    fn clone(&self) -> Self {
        Self::new(self.budget, self.part, self.bytes)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.charged[self.part as usize].fetch_sub(self.bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_given_back() {
        let budget = Budget::of(100);
        let mut all: Vec<Charge> = (0..10).map(|_| Charge::new(budget, Part::Programs, 8)).collect();
        assert_eq!((budget.charged(Part::Programs), budget.pressure()), (80, Pressure::Table));
        all.push(all[0].clone());
        all.push(Charge::new(budget, Part::Network, 12));
        assert_eq!(budget.pressure(), Pressure::Full);
        all.truncate(6);
        assert_eq!(budget.pressure(), Pressure::None);
        all.clear();
        assert!(Part::ALL.iter().all(|part| budget.charged(*part) == 0));
    }
}
