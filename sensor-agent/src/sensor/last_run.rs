//! How the sensor's last run ended: whoever stops or kills a sensor is told on by the next one.
//!
//! A file in the state directory says that a sensor runs; an orderly end writes who asked for it over that, byte for byte,
//! so that a disk which has become full since does not make a kill of it. What the next start finds there is told once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use clock::{boot_now, unix_now};
use serde::{Deserialize, Serialize};

use crate::policy::{Confidence, Policy, Priority};

const NAME: &str = "last_run.json";
/// The file has this size from the start: blanks fill it up.
const SIZE: usize = 1024;

/// The file.
#[derive(Debug)]
pub(super) struct LastRun {
    path: PathBuf,
    run: Run,
    /// Whether the file says that this run goes on.
    is_noted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    pid: u32,
    boot_id: u128,
    /// Seconds since the Unix epoch.
    started: u64,
    /// The same by the boot clock: within one boot, ages are measured by that.
    #[serde(default)]
    started_boot: u64,
    /// None while it runs.
    ended: Option<Ended>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    /// Seconds since the Unix epoch.
    time: u64,
    #[serde(default)]
    time_boot: u64,
    /// Who asked for it.
    by: String,
}

impl LastRun {
    /// Notes that a sensor runs now. Also returns what is to be told of the run before, if anything.
    pub(super) fn begin(state_dir: &Path, boot_id: u128) -> (Self, Option<Policy>) {
        let path = state_dir.join(NAME);
        let before = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Run>(&text).ok());
        let run = Run { pid: std::process::id(), boot_id, started: now(), started_boot: boot(), ended: None };
        let mut this = Self { path, run, is_noted: false };
        this.note();
        // Where nothing can be written, the end of the run before could not be either: it is not known.
        let told = before.filter(|_| this.is_noted).and_then(|before| policy(&before, &this.run));
        (this, told)
    }

    /// Notes that it runs, if that could not be noted so far. What cannot be noted now is no kill at the next start.
    pub(super) fn note(&mut self) {
        if self.is_noted {
            return;
        }
        match self.write_new().or_else(|_| self.write_over()) {
            Ok(()) => self.is_noted = true,
            Err(error) => {
                let _ = fs::remove_file(&self.path);
                tracing::warn!("{}: a kill of this run could not be told by the next: {error}", self.path.display());
            }
        }
    }

    /// Notes an orderly end, and who asked for it.
    pub(super) fn end(&mut self, by: &str) {
        self.run.ended = Some(Ended { time: now(), time_boot: boot(), by: by.to_owned() });
        if !self.is_noted {
            return;
        }
        // Taking it away says less, and takes no room.
        if let Err(error) = self.write_over().or_else(|_| self.write_new()).or_else(|_| fs::remove_file(&self.path)) {
            tracing::warn!("{}: how this run ends cannot be noted: {error}", self.path.display());
        }
    }

    fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = serde_json::to_vec(&self.run)?;
        text.resize(text.len().max(SIZE), b' ');
        Ok(text)
    }

    /// In a new file, whose bytes are on the disk when this returns.
    fn write_new(&self) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&self.text()?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error).map(drop)
    }

    /// Over the bytes that are there.
    fn write_over(&self) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        let text = self.text()?;
        if file.metadata()?.len() > text.len() as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        file.write_all_at(&text, 0)
    }
}

/// What the next run tells of one.
fn policy(before: &Run, now: &Run) -> Option<Policy> {
    let gap = |since: u64, since_boot: u64| match before.boot_id == now.boot_id && since_boot > 0 {
        true => now.started_boot.saturating_sub(since_boot),
        false => now.started.saturating_sub(since),
    };
    let (name, priority, description) = match &before.ended {
        Some(Ended { time, time_boot, by }) => {
            tracing::info!(seconds = gap(*time, *time_boot), "the sensor before this one was stopped by {by}");
            return None;
        }
        // The host went down with it, which its own log tells.
        None if before.boot_id != now.boot_id => {
            tracing::warn!(pid = before.pid, "the host went down while the sensor ran");
            return None;
        }
        None => (
            "Sensor Ended Unexpectedly",
            Priority::High,
            format!(
                "The sensor that was started {} s ago (pid {}) ended without being told to: it was killed, or failed. \
                 Nothing was seen between its end and the start of this one.",
                gap(before.started, before.started_boot),
                before.pid
            ),
        ),
    };
    tracing::error!("{description}");
    Some(own_policy(name, priority, description))
}

/// A policy for what the sensor tells of itself.
pub(super) fn own_policy(name: &str, priority: Priority, description: String) -> Policy {
    Policy {
        name: name.into(),
        policy_type: "sensor".into(),
        priority,
        confidence: Confidence::High,
        description,
        comments: "Ask who did this. journalctl -u sophoslinuxsensor tells what came before.".into(),
        categories: vec!["MITRE.Defense Evasion.Impair Defenses".into()],
        ..Policy::default()
    }
}

fn now() -> u64 {
    unix_now() / 1_000_000_000
}

fn boot() -> u64 {
    boot_now() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_run_is_told_once_and_an_orderly_end_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (first, told) = LastRun::begin(dir.path(), 1);
        assert!(told.is_none(), "there was none before");
        drop(first);
        let (mut second, told) = LastRun::begin(dir.path(), 1);
        assert_eq!(told.unwrap().name, "Sensor Ended Unexpectedly");
        second.end("SIGTERM of pid 1");
        let (third, told) = LastRun::begin(dir.path(), 1);
        assert!(told.is_none());
        drop(third);
        assert!(LastRun::begin(dir.path(), 2).1.is_none(), "the host was started anew");
        fs::write(dir.path().join(NAME), "torn").unwrap();
        assert!(LastRun::begin(dir.path(), 2).1.is_none());
    }

    #[test]
    fn an_end_takes_no_room() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        let (mut run, _) = LastRun::begin(dir.path(), 1);
        let size = fs::metadata(&path).unwrap().len();
        run.end("SIGTERM of pid 4194304 (uid 4294967295)");
        assert_eq!(fs::metadata(&path).unwrap().len(), size);
        // The file of a version that left no room in it is replaced, or taken away.
        let (mut run, told) = LastRun::begin(dir.path(), 1);
        assert!(told.is_none());
        fs::write(&path, vec![b' '; 2 * SIZE]).unwrap();
        run.end("SIGTERM of pid 1");
        assert!(LastRun::begin(dir.path(), 1).1.is_none());
    }
}
