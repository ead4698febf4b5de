//! Processes that ended a moment ago, for what they did before and is told after.
//!
//! Process events and other events come by rings of their own. A short-lived program that sends a message and ends
//! may be told to have ended first; its message still has to find its lineage.

use std::sync::Arc;

use hashlink::LinkedHashMap;

use crate::event::{Process, ProcessKey};

/// Processes kept: at 20,000 ends a second those of two looks of the drain thread, which puts things in order within one.
const KEPT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Ended(LinkedHashMap<ProcessKey, Arc<Process>, foldhash::fast::RandomState>);

impl Ended {
    /// Takes a process in, and gives back the one that has been here for longest once there are too many.
    pub(super) fn push(&mut self, process: Arc<Process>) -> Option<Arc<Process>> {
        let before = self.0.insert(process.key, process);
        if before.is_some() || self.0.len() <= KEPT { before } else { self.0.pop_front().map(|(_, oldest)| oldest) }
    }

    /// The last one with this pid.
    pub(super) fn find_pid(&self, pid: u32) -> Option<&Arc<Process>> {
        self.0.values().rev().find(|process| process.key.tgid == pid)
    }

    /// The last one in this container.
    pub(super) fn last_in(&self, container: &str) -> Option<&Arc<Process>> {
        let is_in = |process: &Process| process.container.as_ref().is_some_and(|found| found.id == container);
        self.0.values().rev().find(|process| is_in(process))
    }

    pub(super) fn get(&self, key: ProcessKey) -> Option<&Arc<Process>> {
        self.0.get(&key)
    }
}
