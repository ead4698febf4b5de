//! Who meddles with the running sensor: a debugger on it, its files changed or its hooks detached behind its back.
//!
//! Root can do anything to a sensor; what is here makes it seen, by a receiver that the alert reaches first.

mod files;

use std::fs;
use std::path::Path;

use delivery::trust;

use self::files::{Folder, InForce, Watched};
use super::last_run::own_policy;
use crate::capture::Reattached;
use crate::config::Config;
use crate::policy::{Policy, Priority};
use crate::systemd::{UNIT, UNIT_FOLDERS, is_drop_in};

/// What is told of a hook that somebody detached.
pub(super) fn detached(found: &Reattached) -> Policy {
    let Reattached { source, hook, outcome } = found;
    let name = source.name();
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
    folders: Vec<Folder>,
    tracer: u32,
}

impl Tamper {
    /// What this configuration was read from and whom it trusts, the program, and how it is started.
    pub(super) fn new(config: &Config) -> Self {
        let locations = &config.locations;
        let mut paths = vec![locations.main.clone(), locations.content.clone(), locations.rules.clone()];
        paths.extend(config.named_files.iter().cloned());
        // Of a program that was replaced while it runs, the link says so behind its path.
        paths.extend(fs::read_link("/proc/self/exe"));
        let mut files: Vec<Watched> = paths.into_iter().map(|path| Watched::new(path, InForce::AfterReload)).collect();
        let mut folders = Vec::new();
        if config.mcs.enabled {
            folders.push(Folder::new(
                trust::folder(config.mcs.certs_dir.as_deref()),
                trust::is_trust_file,
                InForce::AtOnce,
            ));
        }
        for folder in UNIT_FOLDERS.map(Path::new) {
            files.push(Watched::new(folder.join(UNIT), InForce::AfterRestart));
            folders.push(Folder::new(folder.join(format!("{UNIT}.d")), is_drop_in, InForce::AfterRestart));
        }
        Self { files, folders, tracer: 0 }
    }

    /// What is new since the last look.
    pub(super) fn look(&mut self) -> Vec<Policy> {
        let mut found: Vec<Policy> = self.files.iter_mut().filter_map(Watched::look).collect();
        found.extend(self.folders.iter_mut().flat_map(Folder::look));
        let tracer = tracer();
        if tracer != 0 && tracer != self.tracer {
            let text = format!("A process, pid {tracer}, traces the sensor: it can read and change all that it does.");
            found.push(own_policy("Sensor Traced", Priority::High, text));
        }
        self.tracer = tracer;
        found
    }
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
    fn nobody_traces_the_tests() {
        assert_eq!(tracer(), 0);
    }
}
