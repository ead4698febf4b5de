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
/// Where nothing can be written, the file as it is will do, or the folder itself: the lock is on what is open, and the
/// pid is for people.
///
/// # Errors
/// Another process has it, or there is nothing that could be locked.
pub fn lock(folder: &Path, name: &str) -> Result<File, LockError> {
    let mut file = open(&folder.join(name)).or_else(|error| match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            open_as_it_is(&folder.join(name)).or_else(|_| File::open(folder)).map_err(|_| LockError::Io(error))
        }
        _ => Err(LockError::Io(error)),
    })?;
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
    // A full disk takes no pid, and the lock holds all the same.
    let _ = write(&mut file);
    Ok(file)
}

fn open(file: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(file)
}

fn open_as_it_is(file: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(file)
}
