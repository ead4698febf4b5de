//! Attaches a BPF program that does nothing, and gets at programs, maps and attachments by the kernel's ids of them.

use std::ffi::OsString;
use std::io::Error;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::ExitCode;

use super::trace::OTHER;
use super::{Outcome, number, perf};

/// `r0 = 0; exit`.
static NOTHING: [u64; 2] = [0xb7, 0x95];

/// Commands and types of programs of Linux.
const MAP_UPDATE: u32 = 2;
const LOAD: u32 = 5;
const PROG_ATTACH: u32 = 8;
const PROG_BY_ID: u32 = 13;
const MAP_BY_ID: u32 = 14;
const RAW_TRACEPOINT_OPEN: u32 = 17;
const LINK_BY_ID: u32 = 30;
const LINK_DETACH: u32 = 34;
const PERF_EVENT: u64 = 7;
const RAW_TRACEPOINT: u64 = 17;
/// `PERF_EVENT_IOC_SET_BPF`.
const SET_BPF: libc::c_ulong = 0x4004_2408;

/// `WAY [ID]`.
pub(super) fn act(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    let id = || number::<u64>(words, 1);
    match &*way {
        "tracepoint" => {
            let program = load(RAW_TRACEPOINT)?;
            // One that hardly anything comes by.
            open(c"oom_score_adj_update", &program)?;
        }
        "no-tracepoint" => {
            let program = load(RAW_TRACEPOINT)?;
            assert!(open(c"there_is_no_such", &program).is_err(), "the kernel has it");
        }
        "probe" => {
            let (event, program) = (perf::switches()?, load(PERF_EVENT)?);
            // SAFETY: takes a descriptor.
            if unsafe { libc::ioctl(event.as_raw_fd(), SET_BPF, program.as_raw_fd()) } != 0 {
                return Err(Error::last_os_error().into());
            }
        }
        "nowhere" => {
            let program = load(RAW_TRACEPOINT)?;
            let attributes = [low_high(u32::MAX, descriptor(&program)), 2];
            assert!(bpf(PROG_ATTACH, &attributes).is_err(), "it can be attached there");
        }
        "program" => _ = bpf(PROG_BY_ID, &[id()?])?,
        "map" => _ = bpf(MAP_BY_ID, &[id()?])?,
        "link" => _ = bpf(LINK_BY_ID, &[id()?])?,
        "refused" => {
            // SAFETY: takes numbers.
            unsafe { libc::syscall(libc::SYS_setresuid, OTHER, OTHER, OTHER) };
            assert!(bpf(MAP_BY_ID, &[id()?]).is_err(), "everybody gets it");
        }
        "update" => {
            let map = bpf(MAP_BY_ID, &[id()?])?;
            // No key can be read there, nor any value.
            assert!(bpf(MAP_UPDATE, &[u64::from(descriptor(&map)), 1, 1, 0]).is_err(), "it has a key at one");
        }
        "detach" => {
            let link = bpf(LINK_BY_ID, &[id()?])?;
            assert!(bpf(LINK_DETACH, &[u64::from(descriptor(&link))]).is_err(), "these stay as long as they are held");
        }
        "own" => {
            let program = load(RAW_TRACEPOINT)?;
            let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", program.as_raw_fd()))?;
            let id = text.lines().find_map(|line| line.strip_prefix("prog_id:")).ok_or("it has no id")?;
            bpf(PROG_BY_ID, &[id.trim().parse()?])?;
        }
        _ => return Err("unknown; see src/bin/act/bpf.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn descriptor(of: &OwnedFd) -> u32 {
    of.as_raw_fd().cast_unsigned()
}

const fn low_high(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

fn load(program_type: u64) -> Outcome<OwnedFd> {
    // Before Linux 5.11 programs count as locked memory of the user, of whom the sensor may have taken more than others may have.
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_MEMLOCK, u64::MAX, u64::MAX);
    let mut name = [0; 16];
    name[..6].copy_from_slice(b"marked");
    let [first, second] = [0, 8].map(|at| u64::from_ne_bytes(std::array::from_fn(|byte| name[at + byte])));
    // The type and how many instructions, which ones, and the licence; then what the log would take, the version, and the name.
    let attributes = [program_type | 2 << 32, NOTHING.as_ptr() as u64, c"GPL".as_ptr() as u64, 0, 0, 0, first, second];
    bpf(LOAD, &attributes)
}

fn open(tracepoint: &'static std::ffi::CStr, program: &OwnedFd) -> Outcome<OwnedFd> {
    bpf(RAW_TRACEPOINT_OPEN, &[tracepoint.as_ptr() as u64, u64::from(descriptor(program))])
}

fn bpf(command: u32, attributes: &[u64]) -> Outcome<OwnedFd> {
    // SAFETY: as long as it says, and what it points to lives on.
    let returned = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(attributes)) };
    let returned = libc::c_int::try_from(returned)?;
    if returned < 0 {
        return Err(Error::last_os_error().into());
    }
    // SAFETY: it is new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(returned) })
}
