//! The `file` output: lines appended to a file.
//!
//! The file is made with mode 0600, missing directories above it with 0700. Before each write the output looks whether
//! the file is still the one at its path; if it was moved or deleted (logrotate), a new one is made, with the mode and
//! the owner of the old one. A file that would grow beyond its bound is moved out of the way first ([`rotate`]).

mod rotate;

pub use rotate::rotate;

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    num::NonZeroU64,
    os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Instant,
};

use private_folder::{look_for_file, make_for_file};
use rustix::fs::{Access, OFlags, access};

use crate::{
    ledger::is_due,
    lines::{Lines, Written},
    open_error::hint,
    worker::queue::Failure,
};

/// 100 MB.
const DEFAULT_MAX_BYTES: NonZeroU64 = NonZeroU64::new(100_000_000).unwrap();

/// A `file` output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// `name` in the configuration.
    pub path: PathBuf,
    /// At this size the file is moved out of the way.
    pub max_bytes: NonZeroU64,
    /// How many old files are kept; none for all.
    pub max_backups: Option<u32>,
}

impl FileSettings {
    /// A file with everything else as it is when the configuration does not say.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_bytes: DEFAULT_MAX_BYTES, max_backups: None }
    }
}

/// A file that lines are appended to.
pub struct FileLines {
    settings: FileSettings,
    file: File,
    /// The last write ended within a line: the rest has to go to the same file.
    mid_line: bool,
    rotation_failed: Option<Instant>,
}

impl FileLines {
    /// Opens the file, making it and the directories above it if they are missing.
    ///
    /// # Errors
    ///
    /// If that fails, or something else than a regular file is there.
    pub fn open(settings: &FileSettings) -> io::Result<Self> {
        make_for_file(rotate::directory(&settings.path))?;
        let file = open(&settings.path)?;
        Ok(Self { settings: settings.clone(), file, mid_line: false, rotation_failed: None })
    }

    /// Makes sure that the next line goes to the right file.
    fn prepare(&mut self, len: usize) -> io::Result<()> {
        let held = self.file.metadata()?;
        let mut size = held.len();
        match fs::metadata(&self.settings.path) {
            Ok(there) if (there.dev(), there.ino()) == (held.dev(), held.ino()) => {}
            Ok(_) => {
                self.file = open(&self.settings.path)?;
                size = self.file.metadata()?.len();
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.start_anew(&held)?;
                size = 0;
            }
            Err(error) => return Err(error),
        }
        if size > 0 && size.saturating_add(len as u64) > self.settings.max_bytes.get() {
            match rotate::rotate(&self.settings.path, self.settings.max_backups) {
                Ok(()) => self.start_anew(&held)?,
                // Better a file that is too long than a line that is lost.
                Err(error) if is_due(&mut self.rotation_failed) => {
                    let file = self.settings.path.display();
                    tracing::warn!(%file, %error, "cannot move a full output file out of the way; it grows on");
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Makes a new file that those who could read the old one can read.
    fn start_anew(&mut self, old: &fs::Metadata) -> io::Result<()> {
        self.file = open(&self.settings.path)?;
        if self.file.metadata()?.len() == 0 {
            let _ = self.file.set_permissions(Permissions::from_mode(old.mode() & 0o777));
            let (uid, gid) = (rustix::fs::Uid::from_raw(old.uid()), rustix::fs::Gid::from_raw(old.gid()));
            let _ = rustix::fs::fchown(&self.file, Some(uid), Some(gid));
        }
        Ok(())
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let path = self.settings.path.display();
        Failure::Retry(format!("cannot write to {path}: {error}{}", hint(error.kind())))
    }
}

impl Lines for FileLines {
    fn write(&mut self, bytes: &[u8]) -> Written {
        if !self.mid_line
            && let Err(error) = self.prepare(bytes.len())
        {
            return Written { bytes: 0, failure: Some(self.failure(&error)) };
        }
        let (mut out, mut failure) = (0, None);
        while out < bytes.len() {
            match self.file.write(&bytes[out..]) {
                Ok(0) => {
                    failure = Some(self.failure(&io::ErrorKind::WriteZero.into()));
                    break;
                }
                Ok(count) => out += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failure = Some(self.failure(&error));
                    break;
                }
            }
        }
        if let Some(last) = bytes[..out].last() {
            self.mid_line = *last != b'\n';
        }
        Written { bytes: out, failure }
    }

    fn known(&self) -> &'static str {
        "written to the file"
    }
}

/// Opens a regular file to append to, its last line ended.
fn open(path: &Path) -> io::Result<File> {
    // Without NONBLOCK opening a named pipe waits for its reader.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(flags);
    // Reading is for the last byte alone: a file that may only be written to will do.
    let mut file = options.clone().read(true).open(path).or_else(|_| options.open(path))?;
    let found = file.metadata()?;
    regular(&found)?;
    let mut last = [b'\n'];
    if found.len() > 0 && file.read_at(&mut last, found.len() - 1).is_ok() && last != [b'\n'] {
        // Power was lost, or a disk was full, within a line.
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// Looks whether a file can be opened there, and changes nothing.
pub fn check(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) => {
            regular(&found)?;
            look_for_file(rotate::directory(path))?;
            Ok(access(path, Access::WRITE_OK)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = rotate::directory(path);
            let there = nearest(directory)?;
            if there == directory {
                look_for_file(there)?;
            }
            Ok(access(there, Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
    }
}

/// The folder, or the nearest above it that is there.
pub fn nearest(folder: &Path) -> io::Result<&Path> {
    for directory in folder.ancestors().map(|above| if above == Path::new("") { Path::new(".") } else { above }) {
        if fs::metadata(directory).is_ok_and(|found| !found.is_dir()) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if directory.try_exists()? {
            return Ok(directory);
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// What is there already in the place of the file, if that is no file.
#[must_use]
pub fn in_its_place(path: &Path) -> Option<io::Error> {
    regular(&fs::metadata(path).ok()?).err()
}

fn regular(found: &fs::Metadata) -> io::Result<()> {
    let kind = found.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a regular file")))
}

#[cfg(test)]
mod tests;
