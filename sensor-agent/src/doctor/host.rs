//! The kernel, the rights and the clock.

use std::fs;
use std::path::Path;

use super::Finding;
use crate::capture::preflight::{self, BTF, Severity};
use crate::privilege::{self, START_BETTER};

/// The inode of the first pid namespace, the same on every kernel.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

pub(super) fn examine() -> Vec<Finding> {
    let mut found = Vec::new();
    let fatal: Vec<_> = preflight::check(Path::new(BTF)).into_iter().collect();
    if fatal.iter().all(|finding| finding.severity != Severity::Fatal) {
        found.push(Finding::fine("kernel", format!("{} with type information", preflight::release())));
    }
    for finding in fatal {
        found.push(match finding.severity {
            Severity::Fatal => Finding::failure("kernel", finding.problem, finding.advice),
            Severity::Warning => Finding::warning("kernel", finding.problem, finding.advice),
        });
    }
    found.extend(capabilities());
    found.extend(namespaces());
    found.push(clock());
    found
}

fn capabilities() -> Vec<Finding> {
    let missing = privilege::missing(privilege::START);
    let mut found: Vec<Finding> = missing
        .iter()
        .map(|missing| Finding::failure("capabilities", split(&missing.to_string()).0, split(&missing.to_string()).1))
        .collect();
    if found.is_empty() {
        found.push(Finding::fine("capabilities", "enough to load kernel programs"));
    }
    for missing in privilege::missing(START_BETTER) {
        let text = missing.to_string();
        found.push(Finding::warning("capabilities", split(&text).0, split(&text).1));
    }
    if privilege::in_user_namespace() {
        found.push(Finding::failure(
            "capabilities",
            "this is a user namespace of its own, whose capabilities the kernel does not count",
            "run the sensor in the host's: no PrivateUsers=yes, no rootless container",
        ));
    }
    found
}

/// The texts of missing capabilities end with what to do.
fn split(text: &str) -> (&str, &str) {
    text.split_once(". ").unwrap_or((text, "run it as root"))
}

fn namespaces() -> Option<Finding> {
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    (namespace.as_os_str() != FIRST_PID_NAMESPACE).then(|| {
        Finding::warning(
            "namespaces",
            "this is a pid namespace of its own: what ran before the sensor is described by the wrong files of /proc",
            "run the sensor in the host's: podman and docker --pid=host, Kubernetes hostPID: true",
        )
    })
}

/// Alerts carry the time of day.
fn clock() -> Finding {
    // SAFETY: adjtimex(2) with no modes set only fills in the struct that it is given.
    let state = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex) != -1).then_some(timex.status)
    };
    match state {
        Some(status) if status & libc::STA_UNSYNC != 0 => Finding::warning(
            "clock",
            "the kernel says that the clock is not synchronised: alerts may carry a wrong time, and certificates may \
             seem out of date",
            "enable a time service: systemctl enable --now systemd-timesyncd (or chrony)",
        ),
        Some(_) => Finding::fine("clock", "synchronised"),
        None => Finding::warning(
            "clock",
            "whether the clock is synchronised cannot be told here",
            "look at it with timedatectl on the host",
        ),
    }
}
