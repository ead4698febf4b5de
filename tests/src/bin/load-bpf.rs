//! Loads a BPF program that does nothing, under a name: `load-bpf NAME`. It is a filter of sockets, and gone at the end. Ends with
//! 1 if the kernel refuses it.

use std::io::Error;
use std::process::ExitCode;

/// `BPF_PROG_LOAD` and `BPF_PROG_TYPE_SOCKET_FILTER` of Linux.
const LOAD: libc::c_int = 5;
const SOCKET_FILTER: u32 = 1;

/// `r0 = 0; exit`.
static NOTHING: [u64; 2] = [0xb7, 0x95];

/// As much of `union bpf_attr` as loading takes.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
}

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut attributes = Attributes {
        program_type: SOCKET_FILTER,
        instruction_count: 2,
        instructions: NOTHING.as_ptr() as u64,
        licence: c"GPL".as_ptr() as u64,
        ..Attributes::default()
    };
    let Some(place) = attributes.name.get_mut(..name.len()).filter(|_| name.len() < 16) else {
        eprintln!("load-bpf: the name of a program has 15 bytes at most");
        return ExitCode::from(2);
    };
    place.copy_from_slice(name.as_bytes());
    // Before Linux 5.11 programs count as locked memory of the user, of whom the sensor may have taken more than others may have.
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_MEMLOCK, u64::MAX, u64::MAX);
    // SAFETY: the structure is that of the call, and what it points to lives as long as it.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, LOAD, &raw const attributes, size_of::<Attributes>()) };
    if fd < 0 {
        eprintln!("load-bpf: {}", Error::last_os_error());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
