//! A folder that is one sensor's alone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Why a folder cannot be had.
#[derive(Debug)]
pub enum LockError {
    /// Another process has it: its pid, if that can be told.
    Taken(Option<u32>),
    Io(io::Error),
}

/// Takes a folder by a file in it, which holds the pid, until that is closed; the kernel releases it however the process
/// ends. The file stays: whoever opened it a moment ago would otherwise lock one that nobody else finds any more.
///
/// # Errors
/// Another process has it, or the file cannot be made or locked.
pub fn lock(file: &Path) -> Result<File, LockError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(file)
        .map_err(LockError::Io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // One that has only just taken the lock may not have written its pid yet.
            let _ = file.take(32).read_to_string(&mut text);
            return Err(LockError::Taken(text.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(LockError::Io)?;
    Ok(file)
}
