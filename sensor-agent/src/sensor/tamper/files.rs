//! Files that decide what the sensor does, and whether they are as they were when they were taken into use.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::policy::{Policy, Priority};
use crate::sensor::last_run::own_policy;

/// When a change of a file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InForce {
    /// With the next reload or restart.
    AfterReload,
    /// From the next connection on.
    AtOnce,
    /// When systemd starts the sensor the next time.
    AfterRestart,
}

/// A file that is looked at again and again.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    in_force: InForce,
    /// As it was taken into use.
    used: Option<Stamp>,
    /// As it was at the last look, if different: an edit that a reload follows soon is no news.
    changed: Option<Option<Stamp>>,
    told: bool,
}

/// A folder in which files count by their names.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    counts: fn(&Path) -> bool,
    in_force: InForce,
    files: Vec<Watched>,
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

impl Watched {
    /// Takes a file, or that there is none, for known.
    pub(super) fn new(path: PathBuf, in_force: InForce) -> Self {
        Self { used: stamp(&path), path, in_force, changed: None, told: false }
    }

    /// What is new since the last look.
    pub(super) fn look(&mut self) -> Option<Policy> {
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
        let what = match (self.used, now) {
            (None, _) => "added",
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "removed",
        };
        if self.in_force == InForce::AtOnce {
            // It is in use now, so the next change is another one.
            self.used = now;
            self.changed = None;
        } else {
            self.told = true;
        }
        let path = self.path.display();
        let text = match self.in_force {
            InForce::AfterReload => format!(
                "{path} was {what} while the sensor runs with what was there before. A reload or restart takes it into use."
            ),
            InForce::AtOnce => format!(
                "{path} was {what} while the sensor runs. It says whom the sensor trusts, from the next connection on: \
                 alerts may go to somebody else."
            ),
            InForce::AfterRestart => format!(
                "{path} was {what} while the sensor runs. systemd starts the sensor as it says from the next start on."
            ),
        };
        Some(own_policy("Sensor File Changed", Priority::Medium, text))
    }
}

impl Folder {
    /// Takes what is there for known.
    pub(super) fn new(path: PathBuf, counts: fn(&Path) -> bool, in_force: InForce) -> Self {
        let mut folder = Self { path, counts, in_force, files: Vec::new() };
        folder.files = folder.there().into_iter().map(|path| Watched::new(path, in_force)).collect();
        folder
    }

    /// What is new since the last look.
    pub(super) fn look(&mut self) -> Vec<Policy> {
        for path in self.there() {
            if !self.files.iter().any(|known| known.path == path) {
                let added = Watched { path, in_force: self.in_force, used: None, changed: None, told: false };
                self.files.push(added);
            }
        }
        let found = self.files.iter_mut().filter_map(Watched::look).collect();
        // One that came and went is forgotten.
        self.files.retain(|file| file.used.is_some() || file.changed.is_some_and(|now| now.is_some()));
        found
    }

    /// The files that count now. None of a folder that cannot be read.
    fn there(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| (self.counts)(path)).collect()
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    fs::metadata(path).ok().as_ref().map(Stamp::of)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told after looks enough to be sure.
    fn policies(mut look: impl FnMut() -> Vec<Policy>) -> Vec<String> {
        (0..3).flat_map(|_| look()).map(|policy| policy.description).collect()
    }

    #[test]
    fn a_file_that_changed_for_good_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rules.yaml");
        fs::write(&path, "one").unwrap();
        let mut file = Watched::new(path.clone(), InForce::AfterReload);
        assert!(file.look().is_none());
        fs::write(&path, "other").unwrap();
        assert!(file.look().is_none(), "it may still be written");
        let told = file.look().unwrap().description;
        assert!(told.contains("rules.yaml was changed"), "{told}");
        fs::remove_file(&path).unwrap();
        assert!((0..3).all(|_| file.look().is_none()), "what was told is not told again");

        let mut missing = Watched::new(path.clone(), InForce::AfterReload);
        fs::write(&path, "").unwrap();
        missing.look();
        assert!(missing.look().unwrap().description.contains("rules.yaml was added"));
    }

    #[test]
    fn trust_files_are_told_whenever_they_come_change_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name| dir.path().join(name);
        fs::write(file("sophosca.crt"), "ours").unwrap();
        let is_trust_file = delivery::trust::is_trust_file;
        let mut folder = Folder::new(dir.path().to_owned(), is_trust_file, InForce::AtOnce);
        let mut look = |what: &str| {
            let told = policies(|| folder.look());
            assert!(matches!(&told[..], [one] if one.contains(what)), "{what}: {told:?}");
        };
        fs::write(file("notes.txt"), "not a trust file").unwrap();
        fs::write(file("sophosca-foreign.crt"), "theirs").unwrap();
        look("sophosca-foreign.crt was added");
        fs::write(file("sophosca-foreign.crt"), "theirs as well").unwrap();
        look("sophosca-foreign.crt was changed");
        fs::remove_file(file("sophosca-foreign.crt")).unwrap();
        look("sophosca-foreign.crt was removed");
        fs::write(file("sophosca.crl"), "a list").unwrap();
        look("sophosca.crl was added");
        fs::write(file("sophosca-foreign.crt"), "theirs").unwrap();
        look("sophosca-foreign.crt was added");
        fs::remove_file(file("sophosca.crt")).unwrap();
        look("sophosca.crt was removed");
        assert_eq!(folder.files.len(), 2);
        // Known from the start, it is not told.
        let mut anew = Folder::new(dir.path().to_owned(), is_trust_file, InForce::AtOnce);
        assert_eq!(super::tests::policies(|| anew.look()), Vec::<String>::new());
    }
}
