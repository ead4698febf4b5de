//! A walk over the running tasks after records were lost: who is there that nobody told of, and who is gone?
//!
//! A flood that fills the ring buffer, or a program that the kernel left out, can hide an exec. Its process is found as
//! long as it runs: by then all records from before the walk have been applied, so a process that the table does not
//! know, or knows with another image, is one whose record was lost. One that the table knows and the walk does not has
//! ended, and the record of that was lost.

use foldhash::HashMap;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::capture::{Baseline, Batch};
use crate::event::ProcessKey;
use crate::event::decode::{Exec, Record, decode};

use super::baseline::CommandLines;

/// The walked tasks, with their arguments.
#[derive(Debug)]
pub struct Rescan {
    tasks: Batch,
    command_lines: CommandLines,
    /// When each of them started, by its pid; none if the walk did not see all processes of the host.
    started: Option<HashMap<u32, u64>>,
    /// The begin and the end of the walk, nanoseconds of the boot clock.
    walked_from: u64,
    walked_until: u64,
}

impl Rescan {
    /// Reads the arguments of the walked tasks: slow, not for the engine's thread.
    #[must_use]
    pub fn new(walk: Baseline) -> Self {
        let records = || walk.tasks.records().filter_map(|bytes| decode(bytes).ok());
        let command_lines = CommandLines::read(records());
        let started = sees_all(records()).then(|| walked(records()).map(|task| key_of(&task)).collect());
        Self { command_lines, started, walked_from: walk.started, walked_until: walk.finished, tasks: walk.tasks }
    }

    /// The end of the walk, nanoseconds of the boot clock.
    #[must_use]
    pub const fn walked_until(&self) -> u64 {
        self.walked_until
    }

    /// All tasks that were walked.
    pub fn walked(&self) -> impl Iterator<Item = Exec<'_>> {
        walked(self.tasks.records().filter_map(|bytes| decode(bytes).ok()))
    }

    /// Tasks that were still running when their arguments were read, ancestors first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Exec<'_>> {
        let mut tasks: Vec<_> =
            self.walked().filter_map(|mut exec| self.command_lines.complete(&mut exec).then_some(exec)).collect();
        tasks.sort_by_key(|exec| exec.fixed.process.start);
        tasks
    }

    /// Whether a process that ran once was there no more.
    #[must_use]
    pub fn has_ended(&self, process: ProcessKey) -> bool {
        // One that started amid the walk may have been behind it.
        let Some(started) = self.started.as_ref().filter(|_| process.start < self.walked_from) else { return false };
        match started.get(&process.tgid) {
            Some(&start) => start != process.start,
            None => is_free(process.tgid),
        }
    }
}

fn walked<'a>(records: impl Iterator<Item = Record<'a>>) -> impl Iterator<Item = Exec<'a>> {
    records.filter_map(|record| if let Record::Baseline(exec) = record { Some(exec) } else { None })
}

const fn key_of(task: &Exec<'_>) -> (u32, u64) {
    (task.fixed.process.tgid, task.fixed.process.start)
}

/// Whether the sensor is among them under the id by which it knows itself: in a pid namespace of its own it sees only
/// what is in there, and its ids are others than those of the records.
fn sees_all<'a>(records: impl Iterator<Item = Record<'a>>) -> bool {
    let own = std::process::id();
    walked(records).any(|task| (task.fixed.process.tgid, task.fixed.ns_pid) == (own, own))
}

/// Whether nobody has this pid.
fn is_free(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use sensor_ebpf::record::ExecRecord;

    use super::*;

    #[test]
    fn who_has_ended_is_not_there() {
        // Above what a pid can be: nobody has it.
        const FREE: u32 = 1 << 23;
        let own = std::process::id();
        let scan = |started| Rescan {
            tasks: Batch::with_capacity(0),
            command_lines: CommandLines::default(),
            started,
            walked_from: 100,
            walked_until: 200,
        };
        let whole = scan(Some(HashMap::from_iter([(7, 50)])));
        assert!(!whole.has_ended(ProcessKey::new(7, 50)));
        // The pid is another's now.
        assert!(whole.has_ended(ProcessKey::new(7, 40)));
        assert!(whole.has_ended(ProcessKey::new(FREE, 50)));
        assert!(!whole.has_ended(ProcessKey::new(FREE, 100)), "it may have started behind the walk");
        assert!(!whole.has_ended(ProcessKey::new(own, 50)), "somebody has the pid");
        assert!(!scan(None).has_ended(ProcessKey::new(FREE, 50)));
    }

    #[test]
    fn the_walk_counts_if_the_sensor_is_in_it() {
        let task = |tgid, ns_pid| {
            let process = ProcessKey::new(tgid, 1);
            let fixed = ExecRecord { process, ns_pid, ..ExecRecord::default() };
            Record::Baseline(Exec::bare(fixed))
        };
        let own = std::process::id();
        assert!(sees_all([task(1, 1), task(own, own)].into_iter()));
        assert!(!sees_all([task(own + 1, own), task(own, 1)].into_iter()));
        assert!(!sees_all([].into_iter()));
    }
}
