//! What was lost in the kernel.

use std::sync::Arc;

use super::Shared;
use crate::engine::LossSource;
use crate::event::Class;
use crate::loss::Total;

/// Reads the counters of the kernel programs and of the kernel itself.
pub(super) struct Losses(pub(super) Arc<Shared>);

impl LossSource for Losses {
    fn totals(&mut self) -> Vec<Total> {
        let class = Class::Process.name();
        let capture = self.0.capture();
        let mut totals = Vec::new();
        // Counters that cannot be read now can be read the next time: they only grow.
        for counted in capture.counters().unwrap_or_default() {
            totals.push(Total { stage: "ring", class, cause: "ring_full", count: counted.counters.ring_full });
            totals.push(Total { stage: "hook", class, cause: "failed_read", count: counted.counters.failed });
        }
        for program in capture.status() {
            totals.push(Total { stage: "hook", class, cause: "recursion", count: program.recursion_misses });
        }
        totals
    }
}
