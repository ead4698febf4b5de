//! The capabilities that the sensor knows what to do with.

use std::fmt;

use rustix::thread::CapabilitySet;

/// A capability, as in capabilities(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    Bpf,
    Perfmon,
    SysPtrace,
    DacReadSearch,
    SysAdmin,
    SysResource,
    Setpcap,
    Kill,
}

impl Capability {
    pub const ALL: [Self; 8] = [
        Self::Bpf,
        Self::Perfmon,
        Self::SysPtrace,
        Self::DacReadSearch,
        Self::SysAdmin,
        Self::SysResource,
        Self::Setpcap,
        Self::Kill,
    ];

    /// The kernel's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bpf => "CAP_BPF",
            Self::Perfmon => "CAP_PERFMON",
            Self::SysPtrace => "CAP_SYS_PTRACE",
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::SysResource => "CAP_SYS_RESOURCE",
            Self::Setpcap => "CAP_SETPCAP",
            Self::Kill => "CAP_KILL",
        }
    }

    /// What the sensor cannot do without it.
    const fn lack(self) -> &'static str {
        match self {
            Self::Bpf => "the kernel does not let the sensor load its programs",
            Self::Perfmon => "the kernel does not let the sensor's programs trace others",
            Self::SysPtrace => "what other users run already when the sensor starts is seen without its path",
            Self::DacReadSearch => "files in folders that only other users may enter cannot be read",
            Self::SysAdmin => "hooks on classic tracepoints cannot be attached, nor run times be counted",
            Self::SysResource => "kernels before 5.11 may refuse the sensor's maps for their size",
            Self::Setpcap => "the sensor cannot give up its bounding set",
            Self::Kill => "policies that act cannot end or stop processes of other users",
        }
    }

    pub(super) const fn flag(self) -> CapabilitySet {
        match self {
            Self::Bpf => CapabilitySet::BPF,
            Self::Perfmon => CapabilitySet::PERFMON,
            Self::SysPtrace => CapabilitySet::SYS_PTRACE,
            Self::DacReadSearch => CapabilitySet::DAC_READ_SEARCH,
            Self::SysAdmin => CapabilitySet::SYS_ADMIN,
            Self::SysResource => CapabilitySet::SYS_RESOURCE,
            Self::Setpcap => CapabilitySet::SETPCAP,
            Self::Kill => CapabilitySet::KILL,
        }
    }
}

/// A capability that is not there. Its text says what follows and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(pub Capability);

impl fmt::Display for Missing {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.name();
        let short = name.trim_start_matches("CAP_");
        write!(
            to,
            "{name} is missing: {}. Run the sensor as root; in a unit, name {name} in CapabilityBoundingSet; in a \
             container, start it with --cap-add {short}",
            self.0.lack()
        )
    }
}

/// Which of these the calling thread does not have in effect.
///
/// In a user namespace of its own a process has capabilities that the kernel's programs do not count: see
/// [`in_user_namespace`].
#[must_use]
pub fn missing(needed: &[Capability]) -> Vec<Missing> {
    // What cannot be read is not there.
    let effective = rustix::thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    missing_of(effective, needed)
}

fn missing_of(effective: CapabilitySet, needed: &[Capability]) -> Vec<Missing> {
    let is_there = |capability: Capability| {
        effective.contains(capability.flag())
            // To the kernel, CAP_SYS_ADMIN is these two as well: they were once part of it.
            || (matches!(capability, Capability::Bpf | Capability::Perfmon) && effective.contains(CapabilitySet::SYS_ADMIN))
    };
    needed.iter().copied().filter(|capability| !is_there(*capability)).map(Missing).collect()
}

/// Whether this process is in a user namespace of its own, where `CAP_BPF` and the like count for nothing: rootless
/// containers, units with `PrivateUsers=yes`.
#[must_use]
pub fn in_user_namespace() -> bool {
    std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !maps_everyone(&map))
}

/// Whether each user is itself, which only the initial namespace's map says.
fn maps_everyone(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_effect_is_missing() {
        let missing = |effective| missing_of(effective, &[Capability::Bpf, Capability::Perfmon, Capability::Setpcap]);
        assert_eq!(missing(CapabilitySet::all()), []);
        assert_eq!(missing(CapabilitySet::BPF | CapabilitySet::SETPCAP), [Missing(Capability::Perfmon)]);
        assert_eq!(missing(CapabilitySet::SYS_ADMIN), [Missing(Capability::Setpcap)]);
        assert_eq!(missing(CapabilitySet::empty()).len(), 3);
    }

    #[test]
    fn each_is_explained() {
        assert_eq!(
            Missing(Capability::Perfmon).to_string(),
            "CAP_PERFMON is missing: the kernel does not let the sensor's programs trace others. Run the sensor as root; in \
             a unit, name CAP_PERFMON in CapabilityBoundingSet; in a container, start it with --cap-add PERFMON"
        );
        let page = include_str!("../../../docs/privileges.md");
        for capability in Capability::ALL {
            assert!(page.contains(&format!("`{}`", capability.name())), "docs/privileges.md: {}", capability.name());
        }
    }

    #[test]
    fn user_namespaces_are_told_by_their_map() {
        assert!(maps_everyone("         0          0 4294967295\n"));
        assert!(!maps_everyone("         0       1000          1\n"));
        assert!(!maps_everyone("0 100000 65536\n65536 0 1\n"));
        assert!(!maps_everyone(""));
    }
}
