//! That a process is still the one that an event was about.
//!
//! A pid is used again once its process has ended. So the process is held by a descriptor first, then what `/proc` tells
//! under the pid is compared with the event, and at last it is looked whether the held one still runs: if it does, nobody
//! else can have had its pid meanwhile.

use std::fs;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::event::ProcessKey;

/// `PF_KTHREAD`: a thread of the kernel's own.
const KERNEL_THREAD: u32 = 0x0020_0000;

/// What `/proc/PID/stat` tells of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) parent: u32,
    flags: u32,
    /// Ticks of the boot clock.
    pub(super) start: u64,
}

impl Stat {
    /// Reads what the kernel says of this pid now; none if nobody has it, or it may not be seen.
    pub(super) fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        // A name can have blanks and parentheses in it; nothing behind it has.
        let after = text.iter().rposition(|&byte| byte == b')')? + 1;
        let mut fields = std::str::from_utf8(text.get(after..)?).ok()?.split_ascii_whitespace();
        // proc_pid_stat(5): the state is field 3.
        let parent = fields.nth(1)?.parse().ok()?;
        let flags = fields.nth(4)?.parse().ok()?;
        let start = fields.nth(12)?.parse().ok()?;
        Some(Self { parent, flags, start })
    }

    pub(super) const fn is_kernel_thread(&self) -> bool {
        self.flags & KERNEL_THREAD != 0
    }
}

/// Why a process cannot be held.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// It has ended; also if another one has its pid by now.
    Gone,
    /// It cannot be told whether it is the same.
    Unclear(String),
}

/// A process that is the one that was meant, whatever becomes of its pid.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) pid: u32,
    pub(super) stat: Stat,
    descriptor: OwnedFd,
}

impl Held {
    /// Holds the process of this key.
    pub(super) fn hold(key: ProcessKey) -> Result<Self, Lost> {
        Self::hold_if(key.tgid, |stat| is_same(key, *stat, ticks_per_second()))
    }

    /// Holds whoever has this pid, if it is who is meant.
    pub(super) fn hold_if(pid: u32, is_meant: impl FnOnce(&Stat) -> bool) -> Result<Self, Lost> {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Lost::Gone)?;
        let descriptor = pidfd_open(raw, PidfdFlags::empty()).map_err(|error| match error {
            // The second: a thread has that id now which is no process.
            Errno::SRCH | Errno::INVAL => Lost::Gone,
            other => Lost::Unclear(format!("no descriptor of it can be had: {other}")),
        })?;
        let stat = Stat::of(pid);
        // Last: see above.
        if has_ended(&descriptor) {
            return Err(Lost::Gone);
        }
        let stat = stat.ok_or_else(|| {
            Lost::Unclear(format!(
                "/proc/{pid}/stat cannot be read, so it cannot be told whether it is the same process; is /proc mounted with hidepid?"
            ))
        })?;
        if is_meant(&stat) { Ok(Self { pid, stat, descriptor }) } else { Err(Lost::Gone) }
    }

    pub(super) fn has_ended(&self) -> bool {
        has_ended(&self.descriptor)
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), Errno> {
        pidfd_send_signal(&self.descriptor, signal)
    }
}

/// Whether this is the process that was begun at that time, as exactly as `/proc` tells it.
fn is_same(key: ProcessKey, stat: Stat, ticks_per_second: u64) -> bool {
    let tick = 1_000_000_000 / ticks_per_second.max(1);
    key.start != 0 && stat.start == key.start / tick.max(1)
}

fn ticks_per_second() -> u64 {
    rustix::param::clock_ticks_per_second()
}

/// Whether all threads of the process have ended: `/proc` calls one a zombie whose first thread alone has.
fn has_ended(descriptor: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(descriptor, PollFlags::IN)];
    matches!(poll(&mut polled, Some(&Timespec::default())), Ok(count) if count > 0)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn own() -> Stat {
        Stat::of(std::process::id()).expect("this process runs")
    }

    /// A key as the kernel programs tell it: to the nanosecond.
    fn key(pid: u32, stat: Stat, nanoseconds: u64) -> ProcessKey {
        ProcessKey::new(pid, stat.start * (1_000_000_000 / ticks_per_second()) + nanoseconds)
    }

    #[test]
    fn a_process_is_held_by_pid_and_start() {
        let pid = std::process::id();
        assert_eq!(Held::hold(key(pid, own(), 9_999_999)).unwrap().stat, own());
        assert_eq!(own().parent, std::os::unix::process::parent_id());
        assert!(!own().is_kernel_thread());
        // Another one had the pid before, or has it later.
        assert_eq!(Held::hold(key(pid, own(), 10_000_000)).unwrap_err(), Lost::Gone);
        assert_eq!(Held::hold(ProcessKey::new(pid, key(pid, own(), 0).start - 1)).unwrap_err(), Lost::Gone);
        assert_eq!(Held::hold(ProcessKey::new(pid, 0)).unwrap_err(), Lost::Gone);
        // Above what a pid can be.
        assert_eq!(Held::hold(ProcessKey::new(1 << 23, 5)).unwrap_err(), Lost::Gone);
    }

    #[test]
    fn who_has_ended_is_gone_also_before_anybody_asked_how() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stat = Stat::of(child.id()).unwrap();
        let held = Held::hold(key(child.id(), stat, 0)).unwrap();
        held.signal(Signal::KILL).unwrap();
        // A zombie from here on, with its pid.
        let mut polled = [PollFd::new(&held.descriptor, PollFlags::IN)];
        assert_eq!(poll(&mut polled, None), Ok(1));
        assert_eq!(Held::hold(key(child.id(), stat, 0)).unwrap_err(), Lost::Gone);
        child.wait().unwrap();
        assert_eq!(held.signal(Signal::KILL), Err(Errno::SRCH));
    }

    /// A child that waits, with the pid that is asked for; none if somebody has it.
    fn child_with_pid(pid: i32) -> Option<i32> {
        let pids = [pid];
        // SAFETY: an all-zero clone_args asks for nothing; its pointers outlive the call.
        let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
        args.exit_signal = u64::try_from(libc::SIGCHLD).unwrap();
        args.set_tid = pids.as_ptr() as u64;
        args.set_tid_size = 1;
        // SAFETY: the child, a copy of this process, does nothing but wait for its end.
        let child = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
        if child == 0 {
            loop {
                // SAFETY: pause(2) has no arguments, and may be called in a copy of a process with threads.
                unsafe { libc::pause() };
            }
        }
        (child > 0).then(|| i32::try_from(child).unwrap())
    }

    #[test]
    fn who_has_the_pid_now_is_not_who_had_it() {
        // Others fork beside this test, and may have the pid first: then the next one is tried.
        for _ in 0..100 {
            let mut first = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let before = key(first.id(), Stat::of(first.id()).unwrap(), 0);
            drop(first.stdin.take());
            first.wait().unwrap();
            // Within one tick of the clock `/proc` tells nobody apart.
            let tick = 1_000_000_000 / ticks_per_second();
            while clock::boot_now() / tick == before.start / tick {
                std::thread::yield_now();
            }
            let Some(second) = child_with_pid(first.id().try_into().unwrap()) else { continue };
            let pid = u32::try_from(second).unwrap();
            let now = Held::hold(key(pid, Stat::of(pid).unwrap(), 0)).unwrap();
            let lost = Held::hold(before).unwrap_err();
            now.signal(Signal::KILL).unwrap();
            // SAFETY: waits for the child that was made above, and stores nothing.
            unsafe { libc::waitpid(second, std::ptr::null_mut(), 0) };
            assert_eq!(lost, Lost::Gone);
            return;
        }
        panic!("no pid could be had a second time; do the tests run as root?");
    }

    #[test]
    fn threads_of_the_kernel_are_told() {
        // kthreadd is pid 2 wherever the kernel's threads are seen at all.
        if let Some(stat) = Stat::of(2).filter(|stat| stat.parent == 0) {
            assert!(stat.is_kernel_thread());
        }
    }

    proptest! {
        #[test]
        fn a_name_says_nothing_but_itself(name in proptest::collection::vec(any::<u8>(), 0..16), parent: u32, start: u64) {
            let fields = format!(") S {parent} 5 5 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 {start} 0 0\n");
            let text = [b"77 (", &*name, fields.as_bytes()].concat();
            prop_assert_eq!(Stat::parse(&text), Some(Stat { parent, flags: 4_194_560, start }));
        }

        #[test]
        fn whatever_stands_there_is_read_or_not(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Stat::parse(&text);
        }
    }
}
