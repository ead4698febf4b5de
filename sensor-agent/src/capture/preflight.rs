//! What the host must offer, checked before the kernel is asked, so that the answer is a sentence and not `EPERM`.

use std::fmt;
use std::fs;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities};

use super::Preempted;

/// The kernel's type information.
pub const BTF: &str = "/sys/kernel/btf/vmlinux";
/// Where the kernel tells its lockdown mode, if securityfs is mounted.
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
/// Oldest kernel that the programs were tried on.
const OLDEST: (u32, u32) = (5, 10);
/// Since this kernel, maps are charged to the memory cgroup instead of the memlock limit.
const NO_MEMLOCK: (u32, u32) = (5, 11);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The programs will not load.
    Fatal,
    /// They may not load, or something is lost.
    Warning,
}

/// Something that is not as it should be, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub advice: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}: {}", self.problem, self.advice)
    }
}

/// Findings, for the person reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl fmt::Display for Findings {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            if index > 0 {
                to.write_str("; ")?;
            }
            finding.fmt(to)?;
        }
        Ok(())
    }
}

/// Everything that is not as it should be.
///
/// tracefs, bpffs and debugfs are not needed by any hook in use, so they are not looked for.
#[must_use]
pub fn check(btf: &Path) -> Vec<Finding> {
    let release = release();
    [
        kernel(&release),
        type_information(btf),
        rights(capabilities(None).ok().map(|sets| sets.effective)),
        lockdown(fs::read_to_string(LOCKDOWN).ok().as_deref()),
        memlock(&release, getrlimit(Resource::Memlock).current),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The running kernel's release, such as `6.1.0-44-cloud-amd64`.
#[must_use]
pub fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// What the running kernel says of how it was built, such as `#1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1`.
#[must_use]
pub fn build() -> String {
    rustix::system::uname().version().to_string_lossy().into_owned()
}

/// Lifts the memlock limit as far as allowed. On kernels before 5.11 maps count against it; a failure matters only if
/// the maps do not fit, and then loading them tells.
pub fn raise_memlock() {
    let limit = getrlimit(Resource::Memlock);
    if setrlimit(Resource::Memlock, Rlimit { current: None, maximum: None }).is_err() {
        let _ = setrlimit(Resource::Memlock, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
}

fn kernel(release: &str) -> Option<Finding> {
    (version(release)? < OLDEST).then(|| Finding {
        severity: Severity::Fatal,
        problem: format!("kernel {release} is older than 5.10"),
        advice: "run a kernel of the series 5.10 or newer",
    })
}

/// Where a task can be preempted in the middle of a program, by the kernel's release and what it says of how it was built
/// (`uname -v`). At functions a program runs under RCU alone, so that a kernel that can be preempted at all
/// (`CONFIG_PREEMPTION`, which `uname -v` tells; how it is set at the moment it does not) can be there. At tracepoints there was a
/// guard against it, which Linux 7.0 replaced by one of sleepable RCU (`__DECLARE_TRACE` of the kernel's
/// include/linux/tracepoint.h).
#[must_use]
pub fn preempted(release: &str, build: &str) -> Preempted {
    if version(release).is_none_or(|version| version >= (7, 0)) {
        Preempted::Everywhere
    } else if build.contains("PREEMPT") {
        Preempted::AtFunctions
    } else {
        Preempted::Nowhere
    }
}

/// Major and minor number of a release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn type_information(btf: &Path) -> Option<Finding> {
    let error = fs::File::open(btf).err()?;
    Some(Finding {
        severity: Severity::Fatal,
        problem: format!("{} cannot be opened ({error})", btf.display()),
        advice: "run a kernel built with CONFIG_DEBUG_INFO_BTF=y, with sysfs mounted",
    })
}

/// Whether this thread has the right to load programs.
pub(super) fn may_load() -> bool {
    rights(capabilities(None).ok().map(|sets| sets.effective)).is_none()
}

fn rights(effective: Option<CapabilitySet>) -> Option<Finding> {
    let effective = effective?;
    if effective.contains(CapabilitySet::SYS_ADMIN) {
        return None;
    }
    let missing: Vec<&str> = [(CapabilitySet::BPF, "CAP_BPF"), (CapabilitySet::PERFMON, "CAP_PERFMON")]
        .into_iter()
        .filter(|(capability, _)| !effective.contains(*capability))
        .map(|(_, name)| name)
        .collect();
    (!missing.is_empty()).then(|| Finding {
        severity: Severity::Fatal,
        problem: format!("missing {}", missing.join(" and ")),
        advice: "start the sensor by its unit, or as root, or grant it these capabilities; in a container also allow the \
                 system call bpf in the seccomp profile",
    })
}

/// The active mode stands in brackets.
fn lockdown(modes: Option<&str>) -> Option<Finding> {
    modes?.contains("[confidentiality]").then(|| Finding {
        severity: Severity::Fatal,
        problem: "kernel lockdown is in confidentiality mode, which forbids reading kernel memory".to_owned(),
        advice: "boot with lockdown=integrity or without lockdown",
    })
}

fn memlock(release: &str, current: Option<u64>) -> Option<Finding> {
    const ENOUGH: u64 = 64 * 1024 * 1024;
    let current = current?;
    (version(release)? < NO_MEMLOCK && current < ENOUGH).then(|| Finding {
        severity: Severity::Warning,
        problem: format!("the memlock limit is {current} bytes, and this kernel counts maps against it"),
        advice: "set LimitMEMLOCK=infinity for the sensor's unit, or grant CAP_SYS_RESOURCE",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        assert!(kernel("5.4.0-generic").is_some());
        assert!(kernel("5.10.0-31-amd64").is_none());
        assert!(kernel("6.18.44").is_none());
        assert!(kernel("10.0-rc1").is_none());
        // What cannot be read is left to the kernel to refuse.
        assert!(kernel("unheard-of").is_none());
        let dynamic = "#1 SMP PREEMPT_DYNAMIC Debian 6.19.14-1 (2026-05-02)";
        for (release, build, expected) in [
            ("7.0.1-cloud-amd64", dynamic, Preempted::Everywhere),
            ("10.0", "#1 SMP", Preempted::Everywhere),
            ("6.19.14+deb13-cloud-amd64", dynamic, Preempted::AtFunctions),
            ("6.1.0-rt", "#1 SMP PREEMPT_RT", Preempted::AtFunctions),
            ("5.10.0-32-cloud-amd64", "#1 SMP Debian 5.10.223-1 (2024-08-10)", Preempted::Nowhere),
        ] {
            assert_eq!(preempted(release, build), expected, "{release} {build}");
        }
    }

    #[test]
    fn either_admin_or_both_capabilities() {
        assert!(rights(Some(CapabilitySet::SYS_ADMIN)).is_none());
        assert!(rights(Some(CapabilitySet::BPF | CapabilitySet::PERFMON)).is_none());
        let finding = rights(Some(CapabilitySet::BPF)).unwrap();
        assert!(finding.problem.ends_with("missing CAP_PERFMON"), "{finding}");
        assert!(rights(Some(CapabilitySet::empty())).unwrap().problem.contains("CAP_BPF and CAP_PERFMON"));
    }

    #[test]
    fn only_confidentiality_is_in_the_way() {
        assert!(lockdown(None).is_none());
        assert!(lockdown(Some("none [integrity] confidentiality\n")).is_none());
        assert!(lockdown(Some("none integrity [confidentiality]\n")).is_some());
    }

    #[test]
    fn memlock_matters_on_old_kernels_only() {
        assert_eq!(memlock("5.10.0", Some(65536)).map(|finding| finding.severity), Some(Severity::Warning));
        assert!(memlock("5.10.0", None).is_none());
        assert!(memlock("5.11.0", Some(65536)).is_none());
    }

    #[test]
    fn a_missing_btf_says_what_to_do() {
        let finding = type_information(Path::new("/nonexistent/vmlinux")).unwrap();
        assert!(finding.to_string().contains("CONFIG_DEBUG_INFO_BTF"), "{finding}");
    }
}
