//! What was lost in the kernel.

use std::sync::Arc;

use super::Shared;
use crate::capture::{Capture, ProgramStatus, Ring};
use crate::engine::LossSource;
use crate::event::Class;
use crate::loss::Total;

/// Reads the counters of the kernel programs and of the kernel itself.
pub(super) struct Losses(pub(super) Arc<Shared>);

impl LossSource for Losses {
    fn totals(&mut self) -> Vec<Total> {
        losses(&self.0.capture())
    }
}

/// What was lost since the start.
pub(super) fn losses(capture: &Capture) -> Vec<Total> {
    let programs = capture.status();
    // Counters that cannot be read now can be read the next time: they only grow.
    let counted = capture.counters().unwrap_or_default();
    let mut totals = Vec::new();
    for counted in &counted {
        let class = class_of(&programs, counted.name);
        totals.push(Total { stage: "ring", class, cause: "ring_full", count: counted.counters.ring_full });
        totals.push(Total { stage: "hook", class, cause: "failed_read", count: counted.counters.failed });
    }
    for program in &programs {
        let class = class_of(&programs, program.name);
        let count = program.lost_to_recursion(&counted);
        totals.push(Total { stage: "hook", class, cause: "recursion", count });
    }
    totals
}

/// The class of what a hook tells.
fn class_of(programs: &[ProgramStatus], hook: &str) -> &'static str {
    let ring = programs.iter().find(|program| program.name == hook).map(|program| program.ring);
    match ring {
        Some(Ring::Audit) => Class::Audit.name(),
        Some(Ring::Lifecycle) | None => Class::Process.name(),
    }
}
