//! How long it takes from what happened until it is handed over, as a histogram.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use serde::{Deserialize, Serialize};

/// Upper bounds of the buckets, milliseconds; what takes longer is in one more.
pub const BOUNDS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 5_000, 30_000];

/// Counts, in memory that needs no lock.
#[derive(Debug)]
pub(crate) struct Latency {
    counts: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LatencyStatus {
    /// How many took no longer than each of [`BOUNDS`] and longer than the one before it; the last took longer than all. None
    /// where nothing is measured.
    pub counts: Vec<u64>,
    /// All of them together, microseconds.
    pub micros: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self { counts: array::from_fn(|_| AtomicU64::default()), micros: AtomicU64::default() }
    }
}

impl Latency {
    /// One took so many nanoseconds. If a clock was set back meanwhile, none is what is known.
    pub(crate) fn add(&self, nanos: u64) {
        let bucket = BOUNDS.partition_point(|bound| bound * 1_000_000 < nanos);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(nanos / 1_000, Relaxed);
    }

    pub(crate) fn status(&self) -> LatencyStatus {
        LatencyStatus {
            counts: self.counts.iter().map(|count| count.load(Relaxed)).collect(),
            micros: self.micros.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_within_its_bucket() {
        let latency = Latency::default();
        for nanos in [0, 1_000_000, 1_000_001, 20_000_000, 30_000_000_000, u64::MAX / 2] {
            latency.add(nanos);
        }
        let LatencyStatus { counts, micros } = latency.status();
        assert_eq!(counts, [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert!(micros > 30_000_000);
    }
}
