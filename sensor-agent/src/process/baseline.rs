//! What was running before the sensor: tasks from the kernel's iterator, arguments from `/proc`.
//!
//! The programs are attached first and the tasks are walked then, so that nothing which starts in between is missed:
//! it is in the walk, in the ring buffer, or in both. [`Baseline`] sorts out the third case:
//! * a task that started after the programs were attached has its fork in the ring buffer: not a baseline task;
//! * a task whose exec is in the ring buffer, from before the walk was over, is told by that exec alone.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use foldhash::{HashMap, HashMapExt as _};
use sensor_ebpf::record::exec::{ARGS_HEAD, ARGS_TAIL};
use sensor_ebpf::record::exec_flags;

use super::Table;
use crate::event::decode::{Exec, Record};
use crate::event::{Event, ProcessKey};

/// Bytes of `/proc/PID/cmdline` read at most: Linux keeps an argv within 6 MiB (three quarters of `_STK_LIM`).
const CMDLINE_MAX: u64 = 6 << 20;

/// The arguments of the walked tasks. Those of other users' processes take capabilities, so they are read before
/// these are given up.
#[derive(Debug, Default)]
pub struct CommandLines(HashMap<ProcessKey, Vec<u8>>);

impl CommandLines {
    /// Reads those of every task in these records. What cannot be read (the task has ended) is left out.
    #[must_use]
    pub fn read<'a>(records: impl Iterator<Item = Record<'a>>) -> Self {
        Self(
            records
                .filter_map(|record| match record {
                    Record::Baseline(exec) => Some((exec.fixed.process, read_cmdline(exec.fixed.process)?)),
                    _ => None,
                })
                .collect(),
        )
    }

    /// Sets a walked task's arguments. False if it was not running any more when they were read.
    pub(super) fn complete<'a>(&'a self, exec: &mut Exec<'a>) -> bool {
        let Some(cmdline) = self.0.get(&exec.fixed.process) else { return false };
        set_args(exec, cmdline);
        true
    }
}

/// Baseline tasks that are in the table and have no event out yet.
#[derive(Debug)]
pub struct Baseline {
    pending: HashMap<ProcessKey, Event>,
    walked_until: u64,
}

impl Baseline {
    /// Puts the walked tasks into the table, ancestors first. Times are nanoseconds of the boot clock: the programs
    /// were attached at `attached`, the walk ended at `walked_until`; `unix` is the time that the events carry.
    pub fn load<'a>(
        table: &mut Table,
        records: impl Iterator<Item = Record<'a>>,
        command_lines: &'a CommandLines,
        attached: u64,
        walked_until: u64,
        unix: u64,
    ) -> Self {
        let mut tasks: Vec<Exec<'a>> =
            records.filter_map(|record| if let Record::Baseline(exec) = record { Some(exec) } else { None }).collect();
        table.learn_groups(tasks.iter().copied());
        tasks.retain(|exec| exec.fixed.process.start < attached);
        tasks.sort_by_key(|exec| exec.fixed.process.start);
        let mut pending = HashMap::with_capacity(tasks.len());
        for mut exec in tasks {
            let key = exec.fixed.process;
            set_args(&mut exec, command_lines.0.get(&key).map_or(&[], Vec::as_slice));
            if let Some(event) = table.apply(&Record::Baseline(exec), unix) {
                pending.insert(exec.fixed.process, event);
            }
        }
        Self { pending, walked_until }
    }

    /// Looks at a record from the ring buffer before it is applied.
    pub fn reconcile(&mut self, record: &Record<'_>) {
        if let Record::Exec(exec) = record
            && exec.fixed.header.time <= self.walked_until
        {
            self.pending.remove(&exec.fixed.process);
        }
    }

    /// The end of the walk, nanoseconds of the boot clock: later records concern no baseline task.
    #[must_use]
    pub const fn walked_until(&self) -> u64 {
        self.walked_until
    }

    /// The events of the tasks that are told by nothing else, oldest first.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let mut events: Vec<Event> = self.pending.into_values().collect();
        events.sort_by_key(|event| event.process.key.start);
        events
    }
}

/// The arguments of a process; none if it has ended and the pid may belong to another by now.
fn read_cmdline(key: ProcessKey) -> Option<Vec<u8>> {
    let folder = Path::new("/proc").join(key.tgid.to_string());
    let mut cmdline = Vec::new();
    let read = File::open(folder.join("cmdline")).and_then(|file| file.take(CMDLINE_MAX).read_to_end(&mut cmdline));
    let same = std::fs::read(folder.join("stat")).is_ok_and(|stat| started_at(&stat, key.start));
    (read.is_ok() && same).then_some(cmdline)
}

/// Whether `/proc/PID/stat` tells this start time (field 22, in clock ticks of 10 ms: `USER_HZ` is 100 on every
/// architecture that the sensor runs on).
pub(super) fn started_at(stat: &[u8], start: u64) -> bool {
    const NANOS_PER_TICK: u64 = 10_000_000;
    // The second field is the name in parentheses and may hold anything, parentheses too.
    let Some(end) = memchr::memrchr(b')', stat) else { return false };
    let ticks = stat[end..].split(|&byte| byte == b' ').nth(20).and_then(|field| str::from_utf8(field).ok());
    ticks.and_then(|ticks| ticks.parse::<u64>().ok()) == Some(start / NANOS_PER_TICK)
}

/// Sets a record's arguments as the kernel side would have, whole, or head and tail; and says that they are what the program
/// has left of them.
fn set_args<'a>(exec: &mut Exec<'a>, cmdline: &'a [u8]) {
    exec.fixed.flags |= exec_flags::ARGS_LATE;
    exec.fixed.args_bytes = cmdline.len() as u64;
    exec.fixed.argc = u32::try_from(memchr::memchr_iter(0, cmdline).count()).unwrap_or(u32::MAX);
    if cmdline.len() <= ARGS_HEAD + ARGS_TAIL {
        exec.args_head = cmdline;
    } else {
        exec.args_head = &cmdline[..ARGS_HEAD];
        exec.args_tail = &cmdline[cmdline.len() - ARGS_TAIL..];
        exec.fixed.flags |= exec_flags::ARGS_CUT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_times_are_read_past_any_name() {
        let stat = b"7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 1234 1 1 18446744073709551615";
        assert!(started_at(stat, 12_340_000_000));
        assert!(started_at(stat, 12_349_999_999));
        assert!(!started_at(stat, 12_350_000_000));
        assert!(!started_at(b"7 (a", 0));
    }

    #[test]
    fn the_own_arguments_are_found() {
        let stat = std::fs::read("/proc/self/stat").unwrap();
        let end = memchr::memrchr(b')', &stat).unwrap();
        let ticks: u64 =
            str::from_utf8(stat[end..].split(|&byte| byte == b' ').nth(20).unwrap()).unwrap().parse().unwrap();
        let cmdline = read_cmdline(ProcessKey::new(std::process::id(), ticks * 10_000_000));
        assert_eq!(cmdline, Some(std::fs::read("/proc/self/cmdline").unwrap()));
        assert_eq!(read_cmdline(ProcessKey::new(std::process::id(), 1)), None);
    }
}
