//! The state directory: what outlives the sensor.
//!
//! That other sensors keep out, that the id stays and that the end of a run is noted are conveniences, and none of them
//! keeps the sensor from watching. File systems become read-only or full when something else is wrong already. What
//! cannot be kept is said, by an alert too, and tried again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clock::boot_id;
use private_folder::{FolderError, make_private};
use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::StartError;
use super::last_run::{LastRun, own_policy};
use crate::event::Host;
use crate::host;
use crate::lock::{LockError, lock};
use crate::policy::{Policy, Priority};

/// The file that is locked.
const LOCK: &str = "state.lock";

/// A state directory that is this sensor's.
#[derive(Debug)]
pub(super) struct StateFolder {
    path: PathBuf,
    sensor_id: String,
    /// Keeps other sensors out.
    _lock: Option<File>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Why the folder could be neither made nor locked.
    folder: Option<String>,
    /// Why the id is a makeshift one.
    id: Option<String>,
    run: Option<LastRun>,
    /// What was said last.
    told: Option<String>,
}

impl StateFolder {
    /// Takes the folder, and says what host this is.
    ///
    /// # Errors
    /// Another sensor has it, others can write there, or something else is in its place.
    pub(super) fn claim(path: &Path) -> Result<(Self, Host), StartError> {
        let shown = path.display();
        let mut folder = match make_private(path) {
            Ok(()) => None,
            Err(FolderError::Owner(uid)) => return Err(StartError::StateOwner { folder: path.to_owned(), uid }),
            Err(FolderError::Writable(mode)) => {
                return Err(StartError::StateWritable { folder: path.to_owned(), mode });
            }
            Err(FolderError::Make(error)) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(StartError::State(format!(
                    "{shown}: the state directory cannot be made there: {error}; name another folder with -state-dir"
                )));
            }
            Err(FolderError::Make(error)) => Some(format!("{shown} cannot be made: {error}")),
        };
        let lock = match lock(path, LOCK) {
            Ok(lock) => Some(lock),
            Err(LockError::Taken(pid)) => return Err(StartError::StateTaken { folder: path.to_owned(), pid }),
            Err(LockError::Io(error)) => {
                folder.get_or_insert_with(|| format!("{} cannot be locked: {error}", path.join(LOCK).display()));
                None
            }
        };
        let (host, id) = host::describe(path);
        let kept = Mutex::new(Kept { folder, id, ..Kept::default() });
        Ok((Self { path: path.to_owned(), sensor_id: host.sensor_id.clone(), _lock: lock, kept }, host))
    }

    /// Notes that the sensor runs. Returns what is to be told of the run before.
    pub(super) fn begin(&self) -> Option<Policy> {
        let (run, told) = LastRun::begin(&self.path, boot_id());
        self.kept().run = Some(run);
        told
    }

    /// Notes an orderly end, and who asked for it.
    pub(super) fn end(&self, by: &str) {
        if let Some(mut run) = self.kept().run.take() {
            run.end(by);
        }
    }

    /// Why something is not kept, if so.
    pub(super) fn trouble(&self) -> Option<String> {
        self.kept().trouble(&self.path)
    }

    /// Tries again what could not be kept. Returns what is to be told when that does not work any more.
    pub(super) fn look(&self) -> Option<Policy> {
        let mut kept = self.kept();
        if kept.id.is_some() && host::keep_id(&self.path, &self.sensor_id).is_ok() {
            kept.id = None;
        }
        let now = kept.trouble(&self.path);
        if let Some(run) = kept.run.as_mut().filter(|_| now.is_none()) {
            run.note();
        }
        let before = std::mem::replace(&mut kept.told, now.clone());
        if now.is_none() && before.is_some() {
            tracing::info!("the state directory {} can be used again", self.path.display());
        }
        now.filter(|_| before.is_none()).map(|trouble| {
            own_policy("Sensor State Not Kept", Priority::High, format!("Nothing the sensor learns is kept: {trouble}"))
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn trouble(&self, path: &Path) -> Option<String> {
        let read_only = access(path, Access::WRITE_OK) == Err(Errno::ROFS);
        let why = match (&self.folder, &self.id) {
            _ if read_only => format!("the file system of {} is mounted read-only", path.display()),
            (Some(why), _) | (None, Some(why)) => why.clone(),
            (None, None) => return None,
        };
        Some(format!(
            "{why}. Alerts that cannot be delivered at once wait in memory and end with the sensor; how a run ends is not \
             noted. Make the directory writable, or name another with -state-dir"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn it_is_the_sensors_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/state");
        let (first, host) = StateFolder::claim(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
        assert_eq!((first.trouble(), first.look().is_some()), (None, false));
        assert!(matches!(StateFolder::claim(&path), Err(StartError::StateTaken { .. })));
        drop(first);
        let (again, same) = StateFolder::claim(&path).unwrap();
        assert_eq!(host.sensor_id, same.sensor_id);
        drop(again);
        fs::set_permissions(&path, Permissions::from_mode(0o770)).unwrap();
        let error = StateFolder::claim(&path).unwrap_err();
        assert!(matches!(error, StartError::StateWritable { mode: 0o770, .. }), "{error}");
        assert!(error.to_string().contains("chmod"), "{error}");
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(matches!(StateFolder::claim(&dir.path().join("file")), Err(StartError::State(_))));
    }

    #[test]
    fn an_id_that_could_not_be_kept_is_kept_later() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sensor_id")).unwrap();
        let (state, host) = StateFolder::claim(dir.path()).unwrap();
        assert!(state.trouble().unwrap().contains("sensor_id"));
        assert_eq!(state.look().unwrap().name, "Sensor State Not Kept");
        assert!(state.look().is_none(), "once");
        fs::remove_dir(dir.path().join("sensor_id")).unwrap();
        assert!(state.look().is_none());
        assert_eq!(state.trouble(), None);
        drop(state);
        assert_eq!(StateFolder::claim(dir.path()).unwrap().1.sensor_id, host.sensor_id);
    }
}
