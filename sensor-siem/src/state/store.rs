//! The file of the state.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::{Change, Output, Position, State, Unfit, script::Script};
use crate::{item::Stream, source::Stopped};

/// A larger file is none of ours, nor the script's.
const MAX_BYTES: u64 = 1 << 30;
/// The journal is written anew once it is four times as long as that made it, and no shorter than this.
const LONG: u64 = 4 << 20;
/// So many bytes are appended to files at most before the disk has what was noted of them.
const LONG_AGO: u64 = 16 << 20;

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{}: cannot be {what}: {source}; the folder must be there and writable for this user", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{}: another sensor-siem is running with this state; wait for it, or give one of them another state", path.display())]
    Locked { path: PathBuf },
    #[error("{}: {reason}; run the newer program, or remove the file to begin anew", path.display())]
    Newer { path: PathBuf, reason: Unfit },
}

/// The lock of a state at this path.
#[must_use]
pub fn lock_path(state: &Path) -> PathBuf {
    state.with_extension("lock")
}

/// The state and its file, locked.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// None if nothing is kept.
    file: Option<File>,
    /// Bytes of whole lines.
    length: u64,
    /// Bytes of the journal when it was written anew.
    compact: u64,
    /// Whether something was noted that the disk may not have, and bytes that were appended to files since it had all.
    is_noted: bool,
    appended: u64,
    state: State,
    script: Script,
    /// Whether what was there could not be read.
    is_lost: bool,
    /// The lock ends with it.
    _lock: Option<File>,
}

impl Store {
    /// Opens the state at this path, with that of the script if one is named, and says what people should know of it.
    ///
    /// # Errors
    /// Files cannot be read or written, another process has it, or a newer program wrote it.
    pub fn open(path: &Path, script: Option<&Path>) -> Result<(Self, Vec<String>), StateError> {
        let path = path.to_owned();
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("made", folder))?;
        }
        let lock_path = lock_path(&path);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.map_err(failed("opened", &lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(StateError::Locked { path }),
            Err(error) => return Err(failed("locked", &lock_path)(error.into())),
        }
        let mut told = Vec::new();
        let mut is_lost = false;
        let state = match content(&path).map_err(failed("read", &path))?.map(|bytes| State::parse(&bytes)) {
            None => State::default(),
            Some(Ok((state, _))) => state,
            Some(Err(reason @ Unfit::Newer(_))) => return Err(StateError::Newer { path, reason }),
            Some(Err(reason)) => {
                let aside = put_aside(&path).map_err(failed("put aside", &path))?;
                told.push(format!(
                    "{}: {reason}; it is kept as {}, and streams begin anew: items of the last 24 hours can come twice",
                    path.display(),
                    aside.display()
                ));
                is_lost = true;
                State::default()
            }
        };
        let script = of_script(script, &mut told)?;
        let (file, length) = write_anew(&path, &state).map_err(failed("written", &path))?;
        let (is_noted, appended) = (false, 0);
        let compact = length;
        let (file, _lock) = (Some(file), Some(lock));
        Ok((Self { path, file, length, compact, is_noted, appended, state, script, is_lost, _lock }, told))
    }

    /// One that goes on in memory alone: to try what would be done.
    ///
    /// # Errors
    /// Files cannot be read.
    pub fn rehearse(path: &Path, script: Option<&Path>) -> Result<(Self, Vec<String>), StateError> {
        let mut told = Vec::new();
        let mut is_lost = false;
        let state = Self::look(path).unwrap_or_else(|reason| {
            told.push(format!("{}: {reason}", path.display()));
            is_lost = true;
            State::default()
        });
        let script = of_script(script, &mut told)?;
        let (path, file) = (path.into(), None);
        let (length, compact, is_noted, appended) = (0, 0, false, 0);
        Ok((Self { path, file, length, compact, is_noted, appended, state, script, is_lost, _lock: None }, told))
    }

    /// What a state says, without being its owner: for people who look at it while another process has it.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn look(path: &Path) -> Result<State, String> {
        match content(path).map_err(|error| error.to_string())? {
            None => Ok(State::default()),
            Some(bytes) => State::parse(&bytes).map(|(state, _)| state).map_err(|reason| reason.to_string()),
        }
    }

    /// Whether there was a state that could not be read.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }

    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    #[must_use]
    pub fn output(&self, name: &str) -> Option<&Output> {
        self.state.outputs.get(name)
    }

    #[must_use]
    pub fn position(&self, output: &str, tenant: &str, stream: Stream) -> Option<&Position> {
        self.output(output)?.streams.get(&(tenant.to_owned(), stream))
    }

    /// Where the script stopped. `token` is what it knows an API token by.
    #[must_use]
    pub fn script(&self, tenant: &str, token: Option<&str>, stream: Stream) -> Option<Stopped> {
        let positions = match token {
            Some(token) => self.script.account(token),
            None => self.script.tenant(tenant),
        };
        positions?.of(stream).cloned()
    }

    /// Goes on by one line, and waits until the disk has it and all that was noted before.
    ///
    /// # Errors
    /// The file cannot be written; what it said before stands.
    pub fn record(&mut self, change: Change) -> Result<(), StateError> {
        self.write(change, true)
    }

    /// Goes on by one line. The disk has it once something is recorded, or [`Self::settle`] was called: what ends this
    /// process does not take it along, and what ends the host may.
    ///
    /// # Errors
    /// As for [`Self::record`].
    pub fn note(&mut self, change: Change) -> Result<(), StateError> {
        self.appended += change.file.as_ref().map_or(0, |mark| mark.appending);
        let is_long_ago = self.appended > LONG_AGO;
        self.write(change, is_long_ago)
    }

    /// Waits until the disk has all that was noted.
    ///
    /// # Errors
    /// It does not.
    pub fn settle(&mut self) -> Result<(), StateError> {
        match &self.file {
            Some(file) if self.is_noted => file.sync_data().map_err(failed("written", &self.path))?,
            _ => return Ok(()),
        }
        (self.is_noted, self.appended) = (false, 0);
        Ok(())
    }

    fn write(&mut self, change: Change, waits: bool) -> Result<(), StateError> {
        let Some(file) = &mut self.file else {
            self.state.apply(change);
            return Ok(());
        };
        let line = change.to_line();
        if let Err(error) = file.write_all(&line).and_then(|()| if waits { file.sync_data() } else { Ok(()) }) {
            // What was written of it would stand before the next line.
            let cut = file.set_len(self.length);
            return Err(failed("written", &self.path)(cut.err().unwrap_or(error)));
        }
        self.is_noted = !waits;
        if waits {
            self.appended = 0;
        }
        self.length += line.len() as u64;
        self.state.apply(change);
        if self.length > LONG.max(4 * self.compact) {
            let (file, length) = write_anew(&self.path, &self.state).map_err(failed("written", &self.path))?;
            (self.file, self.length, self.compact) = (Some(file), length, length);
            (self.is_noted, self.appended) = (false, 0);
        }
        Ok(())
    }
}

fn of_script(script: Option<&Path>, told: &mut Vec<String>) -> Result<Script, StateError> {
    let Some(path) = script else { return Ok(Script::default()) };
    match content(path).map_err(failed("read", path))?.map(|bytes| Script::parse(&bytes)) {
        None => Ok(Script::default()),
        Some(Ok(script)) => Ok(script),
        // It is not ours to put aside.
        Some(Err(reason)) => {
            told.push(format!("{}: is no state of the script and is left alone: {reason}", path.display()));
            Ok(Script::default())
        }
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError + use<> {
    let path = path.to_owned();
    move |source| StateError::Io { what, path, source }
}

/// Puts a file in the place of the one that is there, and opens it to be gone on with.
fn write_anew(path: &Path, state: &State) -> io::Result<(File, u64)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Its mode is 0600.
    let mut file = BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
    let mut length = 0;
    for line in state.lines() {
        file.write_all(&line)?;
        length += line.len() as u64;
    }
    let file = file.into_inner()?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()?;
    // What is cut off after a fault is gone on with at the end, not behind a hole.
    let file = OpenOptions::new().append(true).open(path)?;
    Ok((file, length))
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
