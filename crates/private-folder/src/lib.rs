//! The one rule for folders that the sensor writes to: made for nobody else, whatever the umask, and refused where others
//! could change what is in them.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use rustix::process::geteuid;

/// Others can make files there, and only their owner can remove or replace them (inode(7)), as in `/tmp`.
const STICKY: u32 = 0o1000;

/// Why a folder cannot be the sensor's. For whoever words it.
#[derive(Debug)]
pub enum FolderError {
    Make(io::Error),
    /// It belongs to somebody who is neither root nor the sensor's user.
    Owner(u32),
    /// Its mode lets others write.
    Writable(u32),
}

impl From<FolderError> for io::Error {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Make(error) => error,
            FolderError::Owner(uid) => Self::other(format!(
                "the folder belongs to uid {uid}, who could replace what is in it: change its owner to root"
            )),
            FolderError::Writable(mode) => Self::other(format!(
                "others can write to the folder, whose mode is {mode:o}, and replace what is in it: chmod go-w"
            )),
        }
    }
}

/// Makes a folder of the sensor's own, and those above it that are missing, with mode 0700; one that is there is looked
/// at.
///
/// # Errors
/// It cannot be made, or others could put files of their own there.
pub fn make_private(path: &Path) -> Result<(), FolderError> {
    make(path)?;
    look(path)
}

/// The same for a folder that a file of the sensor's is in, which may hold files of others as `/tmp` does.
///
/// # Errors
/// It cannot be made, or others could put another file in the place of the sensor's.
pub fn make_for_file(path: &Path) -> Result<(), FolderError> {
    make(path)?;
    look_for_file(path)
}

fn make(path: &Path) -> Result<(), FolderError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => FolderError::Make(io::ErrorKind::NotADirectory.into()),
        _ => FolderError::Make(error),
    })
}

/// Whether a folder that is there can be the sensor's own.
///
/// # Errors
/// Others could put files of their own there.
pub fn look(path: &Path) -> Result<(), FolderError> {
    look_at(path, 0)
}

/// Whether a file of the sensor's can be in a folder that is there.
///
/// # Errors
/// Others could put another file in its place.
pub fn look_for_file(path: &Path) -> Result<(), FolderError> {
    look_at(path, STICKY)
}

fn look_at(path: &Path, excuse: u32) -> Result<(), FolderError> {
    let found = fs::metadata(path).map_err(FolderError::Make)?;
    if !found.is_dir() {
        return Err(FolderError::Make(io::ErrorKind::NotADirectory.into()));
    }
    if found.uid() != 0 && found.uid() != geteuid().as_raw() {
        return Err(FolderError::Owner(found.uid()));
    }
    if found.mode() & 0o022 != 0 && found.mode() & excuse == 0 {
        return Err(FolderError::Writable(found.mode() & 0o7777));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nobody_else_may_write_but_where_files_are_their_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        make_private(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
        for (mode, own, file) in [
            (0o755, true, true),
            (0o750, true, true),
            (0o770, false, false),
            (0o702, false, false),
            (0o1777, false, true),
            (0o1770, false, true),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!((make_private(&path).is_ok(), make_for_file(&path).is_ok()), (own, file), "{mode:o}");
        }
        std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
        let error = io::Error::from(make_for_file(&path).unwrap_err()).to_string();
        assert!(error.contains("uid 65534"), "{error}");
        fs::write(folder.path().join("file"), "").unwrap();
        let error = io::Error::from(make_private(&folder.path().join("file")).unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    }
}
