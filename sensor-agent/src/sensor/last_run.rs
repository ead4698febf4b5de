//! How the sensor's last run ended: whoever stops or kills a sensor is told on by the next one.
//!
//! A file in the state directory says that a sensor runs; an orderly end writes who asked for it. What the next start
//! finds there is told once.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::unix_now;
use crate::policy::{Confidence, Policy, Priority};

const NAME: &str = "last_run.json";

/// The file.
#[derive(Debug)]
pub(super) struct LastRun {
    path: PathBuf,
    run: Run,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    pid: u32,
    boot_id: u128,
    /// Seconds since the Unix epoch.
    started: u64,
    /// None while it runs.
    ended: Option<Ended>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    /// Seconds since the Unix epoch.
    time: u64,
    /// Who asked for it.
    by: String,
}

impl LastRun {
    /// Notes that a sensor runs now. Also returns what is to be told of the run before, if anything.
    pub(super) fn begin(state_dir: &Path, boot_id: u128) -> (Self, Option<Policy>) {
        let path = state_dir.join(NAME);
        let before = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Run>(&text).ok());
        let run = Run { pid: std::process::id(), boot_id, started: now(), ended: None };
        let told = before.and_then(|before| policy(&before, &run));
        let this = Self { path, run };
        this.write();
        (this, told)
    }

    /// Notes an orderly end, and who asked for it.
    pub(super) fn end(mut self, by: &str) {
        self.run.ended = Some(Ended { time: now(), by: by.to_owned() });
        self.write();
    }

    fn write(&self) {
        let write = || {
            let folder = self.path.parent().unwrap_or(Path::new("/"));
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec(&self.run)?)?;
            file.persist(&self.path).map_err(|error| error.error).map(drop)
        };
        if let Err(error) = write() {
            tracing::warn!("{}: how this run ends cannot be noted: {error}", self.path.display());
        }
    }
}

/// What the next run tells of one.
fn policy(before: &Run, now: &Run) -> Option<Policy> {
    let gap = |since: u64| now.started.saturating_sub(since);
    let (name, priority, description) = match &before.ended {
        Some(Ended { time, by }) => {
            tracing::info!(seconds = gap(*time), "the sensor before this one was stopped by {by}");
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
                gap(before.started),
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

/// The boot that is running.
pub(super) fn boot_id() -> u128 {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().parse().map_or(0, |id: Uuid| id.as_u128())
}

fn now() -> u64 {
    unix_now() / 1_000_000_000
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
        let (second, told) = LastRun::begin(dir.path(), 1);
        assert_eq!(told.unwrap().name, "Sensor Ended Unexpectedly");
        second.end("SIGTERM of pid 1");
        let (third, told) = LastRun::begin(dir.path(), 1);
        assert!(told.is_none());
        drop(third);
        assert!(LastRun::begin(dir.path(), 2).1.is_none(), "the host was started anew");
        fs::write(dir.path().join(NAME), "torn").unwrap();
        assert!(LastRun::begin(dir.path(), 2).1.is_none());
    }
}
