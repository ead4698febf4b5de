//! A walk over the running tasks after records were lost: who is there that nobody told of?
//!
//! A flood that fills the ring buffer, or a program that the kernel left out, can hide an exec. Its process is found as
//! long as it runs: by then all records from before the walk have been applied, so a process that the table does not
//! know, or knows with another image, is one whose record was lost.

use crate::capture::Batch;
use crate::event::decode::{Exec, Record, decode};

use super::baseline::CommandLines;

/// The walked tasks, with their arguments.
#[derive(Debug)]
pub struct RollCall {
    tasks: Batch,
    command_lines: CommandLines,
    /// The end of the walk, nanoseconds of the boot clock.
    walked_until: u64,
}

impl RollCall {
    /// Reads the arguments of the walked tasks: slow, not for the engine's thread.
    #[must_use]
    pub fn new(tasks: Batch, walked_until: u64) -> Self {
        let command_lines = CommandLines::read(tasks.records().filter_map(|bytes| decode(bytes).ok()));
        Self { tasks, command_lines, walked_until }
    }

    /// The end of the walk, nanoseconds of the boot clock.
    #[must_use]
    pub const fn walked_until(&self) -> u64 {
        self.walked_until
    }

    /// Tasks that were still running when their arguments were read, ancestors first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Exec<'_>> {
        let present = |bytes| match decode(bytes) {
            Ok(Record::Baseline(mut exec)) => self.command_lines.complete(&mut exec).then_some(exec),
            _ => None,
        };
        let mut tasks: Vec<_> = self.tasks.records().filter_map(present).collect();
        tasks.sort_by_key(|exec| exec.fixed.process.start);
        tasks
    }
}
