//! What systemd-machined has registered: a file for each machine, in a folder that root alone writes to.
//!
//! A scope of machined's is called alike for a container and for a virtual machine (systemd-vmspawn, QEMU by hand). What it is,
//! the file says: `CLASS=vm`. It is found by the unit, by a link of machined's, or by the machine's name.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;

use schema::process::Runtime;

use super::containers::ContainerName;

/// A file of machined's has some hundred bytes.
const MOST: u64 = 64 * 1024;

/// Where they are.
#[derive(Debug)]
pub(super) struct Machines {
    folder: PathBuf,
}

impl Default for Machines {
    fn default() -> Self {
        Self { folder: "/run/systemd/machines".into() }
    }
}

/// What a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machine {
    Virtual,
    Other,
    /// There is no such file, or not yet.
    Unregistered,
}

impl Machines {
    #[cfg(test)]
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What a container is by its name, if it is a scope of machined's.
    pub(super) fn called(&self, unit: &str, name: &ContainerName<'_>) -> Machine {
        let is_machine = name.runtime == Runtime::SystemdNspawn && unit.starts_with("machine-");
        if is_machine { self.find(unit, &name.id) } else { Machine::Other }
    }

    /// The machine of this unit, a scope, and of this name.
    fn find(&self, unit: &str, name: &str) -> Machine {
        let is_one = |name: &&str| !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0']);
        let link = format!("unit:{unit}");
        for file in [link.as_str(), name].iter().filter(|name| is_one(name)) {
            let mut text = Vec::new();
            match File::open(self.folder.join(file)).and_then(|file| file.take(MOST).read_to_end(&mut text)) {
                Ok(_) => return class(&text),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::debug!("{}: cannot be read: {error}", self.folder.join(file).display());
                    return Machine::Other;
                }
            }
        }
        Machine::Unregistered
    }
}

fn class(text: &[u8]) -> Machine {
    let lines = text.split(|&byte| byte == b'\n');
    let class = lines.filter_map(|line| line.strip_prefix(b"CLASS=")).next_back();
    if matches!(class, Some(b"vm" | b"\"vm\"")) { Machine::Virtual } else { Machine::Other }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_machine_is_what_its_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let machines = Machines::of(folder.path().into());
        let text = |class: &str| {
            format!("# This is private data. Do not parse.\nNAME=one\nSCOPE=machine-one.scope\n{class}\nROOT=/\n")
        };
        for (class, machine) in [
            ("CLASS=vm", Machine::Virtual),
            ("CLASS=\"vm\"", Machine::Virtual),
            ("CLASS=container", Machine::Other),
            ("CLASS=host", Machine::Other),
            ("SERVICE=CLASS=vm", Machine::Other),
            ("", Machine::Other),
        ] {
            fs::write(folder.path().join("one"), text(class)).unwrap();
            assert_eq!(machines.find("machine-one.scope", "one"), machine, "{class}");
        }
        fs::write(folder.path().join("other"), text("CLASS=vm")).unwrap();
        symlink("other", folder.path().join("unit:machine-a\\x2db.scope")).unwrap();
        assert_eq!(machines.find("machine-a\\x2db.scope", "a-b"), Machine::Virtual, "by the unit");
        for name in ["none", "", "..", ".hidden", "a/../other", "/etc/passwd", "a\0b"] {
            assert_eq!(machines.find("machine-none.scope", name), Machine::Unregistered, "{name}");
        }
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert_eq!(machines.find("machine-folder.scope", "folder"), Machine::Other, "what cannot be read is no proof");
    }
}
