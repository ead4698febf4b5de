//! Folders that are the sensor's alone: made for nobody else, whatever the umask, and refused where others could change
//! what is in them.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use rustix::process::geteuid;

/// Why a folder cannot be the sensor's. For whoever words it.
#[derive(Debug)]
pub enum FolderError {
    Make(io::Error),
    /// It belongs to somebody who is neither root nor the sensor's user.
    Owner(u32),
    /// Its mode lets others write.
    Writable(u32),
}

/// Makes the folder, and those above it that are missing, with mode 0700; one that is there is looked at.
///
/// # Errors
/// It cannot be made, or others could put files of their own there.
pub fn make_private(path: &Path) -> Result<(), FolderError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(FolderError::Make)?;
    let found = fs::metadata(path).map_err(FolderError::Make)?;
    if !found.is_dir() {
        return Err(FolderError::Make(io::ErrorKind::NotADirectory.into()));
    }
    if found.uid() != 0 && found.uid() != geteuid().as_raw() {
        return Err(FolderError::Owner(found.uid()));
    }
    if found.mode() & 0o022 != 0 {
        return Err(FolderError::Writable(found.mode() & 0o7777));
    }
    Ok(())
}
