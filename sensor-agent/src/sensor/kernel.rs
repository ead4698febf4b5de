//! What was lost in the kernel.

use std::sync::Arc;

use super::Shared;
use crate::capture::Capture;
use crate::engine::LossSource;
use crate::loss::Total;

const RECURSION: &str = "recursion";
pub(super) const OVER_BUDGET: &str = "over_budget";

/// Reads the counters of the kernel programs and of the kernel itself.
pub(super) struct Losses {
    shared: Arc<Shared>,
    /// Most that each hook has lost to recursion.
    recursion: Vec<u64>,
}

impl Losses {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, recursion: Vec::new() }
    }
}

impl LossSource for Losses {
    fn totals(&mut self) -> Vec<Total> {
        let mut totals = losses(&self.shared.capture());
        never_fall(&mut self.recursion, totals.iter_mut().filter(|total| total.cause == RECURSION));
        totals
    }
}

/// What was lost since the start.
pub(super) fn losses(capture: &Capture) -> Vec<Total> {
    let programs = capture.status();
    // Counters that cannot be read now can be read the next time: they only grow.
    let Ok(counted) = capture.counters() else { return Vec::new() };
    let mut totals = Vec::new();
    for counted in &counted {
        let class = counted.source.class().name();
        totals.push(Total { stage: "ring", class, cause: "ring_full", count: counted.counters.ring_full });
        totals.push(Total { stage: "hook", class, cause: OVER_BUDGET, count: counted.counters.over_budget });
        totals.push(Total { stage: "hook", class, cause: "failed_read", count: counted.counters.failed });
    }
    for program in &programs {
        let class = program.source.class().name();
        let count = program.lost_to_recursion(&counted);
        totals.push(Total { stage: "hook", class, cause: RECURSION, count });
    }
    totals
}

/// Holds what each hook lost at its highest: an event that is told twice is taken for a miss made good, so the count of
/// misses can fall, and one that falls passes for one that starts anew.
fn never_fall<'a>(highest: &mut Vec<u64>, totals: impl Iterator<Item = &'a mut Total>) {
    for (at, total) in totals.enumerate() {
        if highest.len() <= at {
            highest.push(0);
        }
        total.count = total.count.max(highest[at]);
        highest[at] = total.count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_in_the_kernel_has_words() {
        use schema::Word as _;
        use schema::classes::sensor::{Cause, Stage, Subject};
        use sensor_ebpf::classes::Class;
        assert!(Class::ALL.iter().all(|class| Subject::WORDS.contains(&class.name())));
        assert!(["ring_full", "failed_read", RECURSION, OVER_BUDGET].iter().all(|cause| Cause::WORDS.contains(cause)));
        assert!(["ring", "hook"].iter().all(|stage| Stage::WORDS.contains(stage)));
    }

    #[test]
    fn a_count_that_falls_starts_nothing_anew() {
        let mut highest = Vec::new();
        let mut told = |counts: [u64; 2]| {
            let total = |count| Total { stage: "hook", class: "process", cause: RECURSION, count };
            let mut totals = counts.map(total);
            never_fall(&mut highest, totals.iter_mut());
            totals.map(|total| total.count)
        };
        assert_eq!(told([5, 0]), [5, 0]);
        assert_eq!(told([4, 1]), [5, 1]);
        assert_eq!(told([6, 1]), [6, 1]);
    }
}
