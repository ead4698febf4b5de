//! How often each action came to what.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Outcome;
use crate::policy::Action;

/// Since the start, by action and outcome.
#[derive(Debug, Default)]
pub struct Counts([[AtomicU64; Outcome::ALL.len()]; Action::ALL.len()]);

impl Counts {
    /// One more.
    pub fn count(&self, action: Action, outcome: Outcome) {
        self.0[action as usize][outcome as usize].fetch_add(1, Relaxed);
    }

    /// All, also those that have not been yet.
    pub fn all(&self) -> impl Iterator<Item = (Action, Outcome, u64)> {
        Action::ALL.iter().flat_map(move |&action| {
            let count = move |outcome: Outcome| self.0[action as usize][outcome as usize].load(Relaxed);
            Outcome::ALL.iter().map(move |&outcome| (action, outcome, count(outcome)))
        })
    }
}
