//! Which privileges the threads of this process have, as the kernel tells it.

use std::{fmt, fs, io};

use rustix::thread::CapabilitySet;

use super::Kept;

/// A thread that has more than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    pub tid: u32,
    /// The thread's name.
    pub name: String,
    /// Capabilities it has, in any set, beyond those kept.
    pub capabilities: Vec<String>,
    /// Whether it could gain more by running a set-user-id program.
    pub new_privileges: bool,
}

impl fmt::Display for Excess {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} (thread {})", self.name, self.tid)?;
        if !self.capabilities.is_empty() {
            write!(to, " has {}", self.capabilities.join(", "))?;
        }
        if self.new_privileges {
            write!(to, " lacks no_new_privs")?;
        }
        Ok(())
    }
}

/// The threads of this process that have more than was kept.
///
/// # Errors
/// `/proc/self/task` could not be read.
pub fn threads_beyond(kept: &Kept) -> io::Result<Vec<Excess>> {
    let mut beyond = Vec::new();
    for entry in fs::read_dir("/proc/self/task")? {
        let entry = entry?;
        let status = match fs::read_to_string(entry.path().join("status")) {
            Ok(status) => status,
            // It has ended since.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => continue,
            Err(error) => return Err(error),
        };
        let tid = entry.file_name().to_string_lossy().parse().unwrap_or_default();
        beyond.extend(excess(tid, &status, kept)?);
    }
    Ok(beyond)
}

/// What the status of a thread says of it.
fn excess(tid: u32, status: &str, kept: &Kept) -> io::Result<Option<Excess>> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim).ok_or_else(|| io::Error::other(format!("no {name} in the status of thread {tid}")))
    };
    let mut held = CapabilitySet::empty();
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        // A bounding set that could not be reduced gives nothing by itself.
        if name != "CapBnd" || kept.bounding {
            held |= CapabilitySet::from_bits_retain(u64::from_str_radix(field(name)?, 16).map_err(io::Error::other)?);
        }
    }
    let new_privileges = field("NoNewPrivs")? != "1";
    let beyond = held - kept.set;
    Ok((!beyond.is_empty() || new_privileges).then(|| Excess {
        tid,
        name: field("Name").unwrap_or_default().to_owned(),
        capabilities: names(beyond),
        new_privileges,
    }))
}

/// The names in a set; of those that have none here, the numbers.
pub(super) fn names(set: CapabilitySet) -> Vec<String> {
    let mut names: Vec<String> = set.iter_names().map(|(name, _)| format!("CAP_{name}")).collect();
    let unnamed = set.iter_names().fold(set.bits(), |rest, (_, flag)| rest & !flag.bits());
    names.extend((0..u64::BITS).filter(|number| unnamed >> number & 1 == 1).map(|number| format!("CAP_{number}")));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(sets: [&str; 5], no_new_privs: u8) -> String {
        let [inh, prm, eff, bnd, amb] = sets;
        format!(
            "Name:\tworker\nCapInh:\t{inh}\nCapPrm:\t{prm}\nCapEff:\t{eff}\nCapBnd:\t{bnd}\nCapAmb:\t{amb}\n\
             NoNewPrivs:\t{no_new_privs}\n"
        )
    }

    const NONE: &str = "0000000000000000";

    #[test]
    fn each_set_counts() {
        let kept = Kept { set: CapabilitySet::KILL, bounding: true };
        let clean = [NONE, "0000000000000020", "0000000000000020", "0000000000000020", NONE];
        assert_eq!(excess(7, &status(clean, 1), &kept).unwrap(), None);
        for place in 0..clean.len() {
            let mut sets = clean;
            sets[place] = "000001000000a020";
            let found = excess(7, &status(sets, 1), &kept).unwrap().unwrap();
            assert_eq!(found.capabilities, ["CAP_NET_RAW", "CAP_IPC_OWNER", "CAP_CHECKPOINT_RESTORE"], "{place}");
            let loose = Kept { bounding: false, ..kept.clone() };
            assert_eq!(excess(7, &status(sets, 1), &loose).unwrap().is_none(), place == 3);
        }
        let found = excess(7, &status(clean, 0), &kept).unwrap().unwrap();
        assert_eq!(found.to_string(), "worker (thread 7) lacks no_new_privs");
    }

    #[test]
    fn a_status_that_does_not_tell_is_an_error() {
        let kept = Kept { set: CapabilitySet::empty(), bounding: true };
        assert!(excess(7, "Name:\tworker\n", &kept).is_err());
        assert!(excess(7, &status(["x", NONE, NONE, NONE, NONE], 1), &kept).is_err());
    }

    #[test]
    fn capabilities_of_later_kernels_have_numbers() {
        assert_eq!(names(CapabilitySet::from_bits_retain(1 << 63 | 1 << 5)), ["CAP_KILL", "CAP_63"]);
    }
}
