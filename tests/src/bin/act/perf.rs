//! Opens a performance event: how often the processor was taken away, of itself, of a child or of all, as the kernel's software
//! counts it.

use std::ffi::OsString;
use std::io::Error;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::process::ExitCode;
use std::ptr::null_mut;

use super::Outcome;
use super::trace::{OTHER, compat, hold};

/// `PERF_TYPE_SOFTWARE` of Linux, and `struct perf_event_attr` as it was first: type, size and which event; no more is asked for.
const SOFTWARE: u64 = 1;
/// `PERF_COUNT_SW_CONTEXT_SWITCHES`. That of the clock the kernel gives a type of its own.
const SWITCHES: u64 = 3;
type Asked = [u64; 8];

const fn asked(event: u64) -> Asked {
    [SOFTWARE | (size_of::<Asked>() as u64) << 32, event, 0, 0, 0, 0, 0, 0]
}

/// `WAY`.
pub(super) fn open(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    match &*way {
        "itself" => _ = switches()?,
        "everything" => _ = opened(SWITCHES, -1, 0)?,
        "unknown" => assert!(opened(4711, 0, -1).is_err(), "the kernel has it"),
        "compat-itself" => {
            // Where a program of 32 bits can name it.
            // SAFETY: new memory, as long as what is written there.
            let low = unsafe {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
                let low = libc::mmap(null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
                if low == libc::MAP_FAILED {
                    return Err(Error::last_os_error().into());
                }
                low.cast::<Asked>().write(asked(SWITCHES));
                low
            };
            compat(336, [low as i64, 0, -1, -1])?;
        }
        "child" | "refused" => {
            let mut child = hold(&words[1..])?;
            let pid = libc::pid_t::try_from(child.id())?;
            println!("{pid}");
            if way == "child" {
                opened(SWITCHES, pid, -1)?;
            } else {
                // SAFETY: takes numbers.
                let become_other = unsafe { libc::syscall(libc::SYS_setresuid, OTHER, OTHER, OTHER) };
                assert_eq!(become_other, 0, "{}", Error::last_os_error());
                assert!(opened(SWITCHES, pid, -1).is_err(), "it is root's");
            }
            drop(child.stdin.take());
            child.wait()?;
        }
        _ => return Err("unknown; see src/bin/act/perf.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// One of this process, that stays open.
pub(super) fn switches() -> Outcome<OwnedFd> {
    opened(SWITCHES, 0, -1)
}

fn opened(event: u64, pid: libc::pid_t, cpu: i32) -> Outcome<OwnedFd> {
    let asked = asked(event);
    // SAFETY: as long as its size says; the kernel reads it.
    let returned = unsafe { libc::syscall(libc::SYS_perf_event_open, asked.as_ptr(), pid, cpu, -1, 0) };
    if returned < 0 {
        return Err(Error::last_os_error().into());
    }
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(libc::c_int::try_from(returned)?) })
}
