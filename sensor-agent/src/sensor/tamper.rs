//! Who meddles with the running sensor: a debugger on it, its files changed or its hooks detached behind its back.
//!
//! Root can do anything to a sensor; what is here makes it seen, by a receiver that the alert reaches first.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::last_run::own_policy;
use crate::capture::Reattached;
use crate::config::Config;
use crate::policy::{Policy, Priority};

/// What is told of a hook that somebody detached.
pub(super) fn detached(found: &Reattached) -> Policy {
    let Reattached { name, hook, outcome } = found;
    let text = match outcome {
        Ok(()) => format!(
            "The hook {name} ({hook}) was detached from outside. It is attached again; what it would have told meanwhile is missing."
        ),
        Err(why) => format!(
            "The hook {name} ({hook}) was detached from outside, and cannot be attached again: {why}. Restart the sensor."
        ),
    };
    own_policy("Sensor Hook Detached", Priority::High, text)
}

/// What is looked at again and again.
#[derive(Debug, Default)]
pub(super) struct Tamper {
    files: Vec<Watched>,
    tracer: u32,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// As it was taken into use.
    used: Option<Stamp>,
    /// As it was at the last look, if different: an edit that a reload follows soon is no news.
    changed: Option<Option<Stamp>>,
    told: bool,
}

/// What changes with a file's content, owner or rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

impl Tamper {
    /// What this configuration was read from, and the program.
    pub(super) fn new(config: &Config) -> Self {
        let locations = &config.locations;
        let mut paths = vec![locations.main.clone(), locations.content.clone(), locations.rules.clone()];
        // Of a program that was replaced while it runs, the link says so behind its path.
        paths.extend(fs::read_link("/proc/self/exe"));
        Self::watching(paths)
    }

    fn watching(paths: Vec<PathBuf>) -> Self {
        let watch = |path: PathBuf| Watched { used: stamp(&path), path, changed: None, told: false };
        Self { files: paths.into_iter().map(watch).collect(), tracer: 0 }
    }

    /// What is new since the last look.
    pub(super) fn look(&mut self) -> Vec<Policy> {
        let mut found: Vec<Policy> = self.files.iter_mut().filter_map(Watched::look).collect();
        let tracer = tracer();
        if tracer != 0 && tracer != self.tracer {
            let text = format!("A process, pid {tracer}, traces the sensor: it can read and change all that it does.");
            found.push(own_policy("Sensor Traced", Priority::High, text));
        }
        self.tracer = tracer;
        found
    }
}

impl Watched {
    fn look(&mut self) -> Option<Policy> {
        let now = stamp(&self.path);
        if now == self.used {
            self.changed = None;
            self.told = false;
            return None;
        }
        // Two looks that find the same: whoever wrote it is done, and has not had it read.
        let settled = self.changed.replace(now) == Some(now);
        if !settled || self.told {
            return None;
        }
        self.told = true;
        let what = if now.is_some() { "changed" } else { "removed" };
        let text = format!(
            "{} was {what} while the sensor runs with what was there before. A reload or restart takes it into use.",
            self.path.display()
        );
        Some(own_policy("Sensor File Changed", Priority::Medium, text))
    }
}

fn stamp(path: &std::path::Path) -> Option<Stamp> {
    fs::metadata(path).ok().as_ref().map(Stamp::of)
}

/// Who traces this process; 0 for nobody.
fn tracer() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    line.and_then(|pid| pid.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_for_good_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rules.yaml");
        fs::write(&path, "one").unwrap();
        let mut tamper = Tamper::watching(vec![path.clone(), dir.path().join("missing")]);
        assert!(tamper.look().is_empty());
        fs::write(&path, "other").unwrap();
        assert!(tamper.look().is_empty(), "it may still be written");
        assert_eq!(tamper.look().len(), 1);
        assert!(tamper.look().is_empty());
        fs::remove_file(&path).unwrap();
        fs::write(dir.path().join("missing"), "").unwrap();
        tamper.look();
        assert_eq!(tamper.look().len(), 1, "what appears is told, what was told is not");
    }

    #[test]
    fn nobody_traces_the_tests() {
        assert_eq!(tracer(), 0);
    }
}
