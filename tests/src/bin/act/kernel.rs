//! Sets the kernel up in other ways: settings of `/proc/sys`, by each call that writes, and rings of `io_uring`.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Error, IoSlice, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::process::ExitCode;
use std::ptr::null_mut;

use io_uring::{IoUring, cqueue, squeue};

use super::Outcome;
use super::trace::compat;

/// `WAY FILE TEXT`.
pub(super) fn set(words: &[OsString]) -> Outcome {
    let [way, path, text, ..] = words else { return Err("which way, which file, which text?".into()) };
    let mut file = OpenOptions::new().write(true).open(path)?;
    let text = text.as_bytes();
    let whole = i64::try_from(text.len())?;
    match &*way.to_string_lossy() {
        "write" => file.write_all(text)?,
        "pwrite" => file.write_all_at(text, 0)?,
        "writev" => _ = file.write_vectored(&[IoSlice::new(text)])?,
        "compat-write" => {
            // Where a program of 32 bits can name it.
            // SAFETY: new memory.
            let low = unsafe {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
                libc::mmap(null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
            };
            if low == libc::MAP_FAILED || text.len() > 4096 {
                return Err(Error::last_os_error().into());
            }
            // SAFETY: as long as that.
            unsafe { low.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len()) };
            compat(4, [file.as_raw_fd().into(), low as i64, whole, 0])?;
        }
        "sendfile" => {
            let from = filled(text)?;
            // SAFETY: descriptors and numbers.
            call(unsafe { libc::sendfile(file.as_raw_fd(), from.as_raw_fd(), null_mut(), text.len()) })?;
        }
        "splice" => {
            let (reader, mut writer) = std::io::pipe()?;
            writer.write_all(text)?;
            let (from, to) = (reader.as_raw_fd(), file.as_raw_fd());
            // SAFETY: likewise.
            call(unsafe { libc::splice(from, null_mut(), to, null_mut(), text.len(), 0) })?;
        }
        "refused" => assert!(file.write(text).is_err(), "the kernel took it"),
        _ => return Err("unknown; see src/bin/act/kernel.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// A file that holds this text, read from its start.
fn filled(text: &[u8]) -> Outcome<File> {
    use std::io::Seek as _;
    let mut file = tempfile()?;
    file.write_all(text)?;
    file.rewind()?;
    Ok(file)
}

fn tempfile() -> Outcome<File> {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    Ok(File::from(memfd_create(c"text", MFdFlags::empty())?))
}

fn call(returned: isize) -> Outcome<()> {
    if returned < 0 { Err(Error::last_os_error().into()) } else { Ok(()) }
}

/// `WAY`.
pub(super) fn ring(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    let mut builder = IoUring::<squeue::Entry, cqueue::Entry>::builder();
    match &*way {
        "plain" => {}
        "polled" => _ = builder.setup_sqpoll(1000),
        _ => return Err("unknown; see src/bin/act/kernel.rs".into()),
    }
    builder.build(8)?;
    Ok(ExitCode::SUCCESS)
}
