//! What an alert is yet to tell, kept on disk for the next run of the sensor: what throttles have held back, and what
//! outputs gave up before it came to a spool, which keeps an account of its own.
//!
//! A thread of its own writes it, each second at most and only what has changed, so that the engine does not wait for
//! the disk. A kill costs the last second of it; an orderly end nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use delivery::cause::Cause;
use serde::{Deserialize, Serialize};

const NAME: &str = "untold.json";

/// See the module. Counts by output and cause, and by policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Unreported {
    pub(super) given_up: BTreeMap<String, BTreeMap<String, u64>>,
    pub(super) held_back: BTreeMap<String, u64>,
}

impl Unreported {
    /// What an output gave up, by cause.
    pub(super) fn of_output(&self, name: &str) -> impl Iterator<Item = (&'static str, u64)> {
        let causes = self.given_up.get(name).into_iter().flatten();
        causes.filter_map(|(word, count)| {
            let cause = Cause::ALL.into_iter().find(|cause| cause.word() == word)?;
            Some((cause.word(), *count))
        })
    }
}

/// Keeps the account in a folder.
#[derive(Debug)]
pub struct Accounts {
    before: Unreported,
    written: Unreported,
    writer: Option<Sender<Unreported>>,
    thread: Option<JoinHandle<()>>,
}

impl Accounts {
    /// Reads what the run before has left; without a file, or with one that makes no sense, it is nothing.
    ///
    /// # Errors
    /// There can be no more threads.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(NAME);
        let before: Unreported =
            fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let (writer, snapshots) = bounded(1);
        let thread = std::thread::Builder::new().name("accounts".into()).spawn(move || keep(&path, &snapshots))?;
        Ok(Self { written: before.clone(), before, writer: Some(writer), thread: Some(thread) })
    }

    /// What the run before has left to be told.
    pub(super) const fn before(&self) -> &Unreported {
        &self.before
    }

    /// Has this written, if it is news, without waiting.
    pub(super) fn keep(&mut self, unreported: Unreported) {
        if unreported != self.written
            && let Some(writer) = &self.writer
            && writer.try_send(unreported.clone()).is_ok()
        {
            self.written = unreported;
        }
    }

    /// The same at the end, waiting for it.
    pub(super) fn close(mut self, unreported: Unreported) {
        if let Some(writer) = self.writer.take().filter(|_| unreported != self.written) {
            let _ = writer.send(unreported);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(path: &Path, snapshots: &Receiver<Unreported>) {
    let mut failed = false;
    for unreported in snapshots {
        let written = write(path, &unreported);
        if let Err(error) = &written
            && !failed
        {
            tracing::warn!("{}: what is yet to be told ends with this run: {error}", path.display());
        }
        failed = written.is_err();
    }
}

fn write(path: &Path, unreported: &Unreported) -> io::Result<()> {
    if *unreported == Unreported::default() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec(unreported)?)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_untold_is_there_at_the_next_start_and_what_was_told_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Accounts::open(folder.path()).unwrap();
        assert_eq!(*open().before(), Unreported::default());
        let unreported = Unreported {
            given_up: [("stdout".to_owned(), [("stopped".to_owned(), 7), ("unknown".to_owned(), 1)].into())].into(),
            held_back: [("Policy".to_owned(), 3)].into(),
        };
        open().close(unreported.clone());
        assert_eq!(*open().before(), unreported);
        assert_eq!(unreported.of_output("stdout").collect::<Vec<_>>(), [("stopped", 7)]);
        open().close(unreported);
        open().close(Unreported::default());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join(NAME), "torn").unwrap();
        assert_eq!(*open().before(), Unreported::default());
    }
}
