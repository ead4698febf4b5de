//! Asks for another kernel to be started in the place of the running one, of a file that is none, or takes it back. Whether the
//! kernel knows the call is no matter.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::process::ExitCode;
use std::ptr::null;

use super::Outcome;
use super::trace::{OTHER, compat};

/// `KEXEC_ON_CRASH` and `KEXEC_FILE_NO_INITRAMFS` of Linux.
const ON_CRASH: libc::c_ulong = 1;
const NO_INITRAMFS: libc::c_ulong = 4;

/// `WAY`.
pub(super) fn load(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    match &*way {
        // No segments: what is there is taken back.
        "unload" => none(0),
        "compat-unload" => _ = compat(283, [0; 4]),
        "refused" => {
            // SAFETY: takes numbers.
            unsafe { libc::syscall(libc::SYS_setresuid, OTHER, OTHER, OTHER) };
            none(ON_CRASH);
        }
        "file" => {
            let program = File::open("/proc/self/exe")?;
            // SAFETY: takes numbers, and no text.
            let returned = unsafe {
                libc::syscall(libc::SYS_kexec_file_load, program.as_raw_fd(), -1, 0, null::<u8>(), NO_INITRAMFS)
            };
            assert!(returned < 0, "this program is no kernel");
        }
        _ => return Err("unknown; see src/bin/act/kexec.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn none(flags: libc::c_ulong) {
    // SAFETY: takes numbers.
    unsafe { libc::syscall(libc::SYS_kexec_load, 0, 0, null::<u8>(), flags) };
}
