//! The file of the state.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{Position, State, Unfit, script::Script};
use crate::item::Stream;

/// A larger file is none of ours, nor the script's.
const MAX_BYTES: u64 = 64 << 20;

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{}: cannot be {what}: {source}; the folder must be there and writable for this user", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{}: another sensor-siem is running with this state; wait for it, or give one of them another `state_file_path`", path.display())]
    Locked { path: PathBuf },
    #[error("{}: {reason}; run the newer program, or remove the file to begin anew", path.display())]
    Newer { path: PathBuf, reason: Unfit },
}

/// The state and its file, locked.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    state: State,
    script: Script,
    /// The lock ends with it.
    _lock: File,
}

impl Store {
    /// Opens the state that belongs to the script's of this path, and what people should know of it.
    ///
    /// # Errors
    /// Files cannot be read or written, another process has it, or a newer program wrote it.
    pub fn open(script: &Path) -> Result<(Self, Vec<String>), StateError> {
        let path = script.with_extension("sensor-siem.json");
        let io = |what, path: &Path| {
            let path = path.to_owned();
            move |source| StateError::Io { what, path, source }
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io("made", folder))?;
        }
        let lock_path = path.with_extension("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.map_err(io("opened", &lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(StateError::Locked { path }),
            Err(error) => return Err(io("locked", &lock_path)(error.into())),
        }
        let mut told = Vec::new();
        let state = match content(&path).map_err(io("read", &path))?.map(|bytes| State::parse(&bytes)) {
            None => State::default(),
            Some(Ok(state)) => state,
            Some(Err(reason @ Unfit::Newer(_))) => return Err(StateError::Newer { path, reason }),
            Some(Err(reason)) => {
                let aside = put_aside(&path).map_err(io("put aside", &path))?;
                told.push(format!(
                    "{}: {reason}; it is kept as {}, and streams begin anew: items of the last 24 hours can come twice",
                    path.display(),
                    aside.display()
                ));
                State::default()
            }
        };
        // It is not ours to put aside.
        let script = match content(script).map_err(io("read", script))?.map(|bytes| Script::parse(&bytes)) {
            None => Script::default(),
            Some(Ok(script)) => script,
            Some(Err(reason)) => {
                told.push(format!("{}: is no state of the script and is left alone: {reason}", script.display()));
                Script::default()
            }
        };
        Ok((Self { path, state, script, _lock: lock }, told))
    }

    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Where a tenant's stream stopped: here, else in the script. `token` is what the script knows an API token by.
    #[must_use]
    pub fn position(&self, tenant: &str, token: Option<&str>, stream: Stream) -> Option<&Position> {
        let own = self.state.streams.get(tenant).and_then(|positions| positions.of(stream));
        own.or_else(|| {
            let script = match token {
                Some(token) => self.script.account(token),
                None => self.script.tenant(tenant),
            };
            script?.of(stream)
        })
    }

    /// Changes the state, and waits until the disk has it.
    ///
    /// # Errors
    /// The file cannot be written; the one before is still there.
    pub fn update(&mut self, change: impl FnOnce(&mut State)) -> Result<(), StateError> {
        let mut state = self.state.clone();
        change(&mut state);
        let write = || {
            let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // Its mode is 0600.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&state.to_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| StateError::Io { what: "written", path: self.path.clone(), source })?;
        self.state = state;
        Ok(())
    }
}

fn content(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Renames a file, replacing none.
fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut aside = path.with_extension(format!("damaged-{now}"));
    for more in 1.. {
        if !aside.exists() {
            break;
        }
        aside = path.with_extension(format!("damaged-{now}-{more}"));
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}
