//! Settings of the kernel (`/proc/sys`).

use crate::field::{Integer, Role, Type, Values, event, fields};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "sysctl";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::SysctlWrite,
    word: "SYSCTL_EVENT_TYPE_WRITE",
    activity: Some(Activity::ConfigurationChange),
    outcome: None,
    reach: Reach::Host,
    parts: &[&SYSCTL_NAME, &SYSCTL_VALUE, &SYSCTL_ERRNO],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "sysctl", sees: &[EventType::SysctlWrite] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

fields! {
    SYSCTL_NAME = event(
        Class::Sysctl,
        "sysctlName",
        "sysctl_name",
        Type::Text,
        "The setting, as sysctl(8) writes it: `kernel.core_pattern`. A dot within a name, of a network interface say, is a slash.",
    )
    .role(Role::Object);
    SYSCTL_VALUE = event(
        Class::Sysctl,
        "sysctlValue",
        "sysctl_value",
        Type::Text,
        "What the kernel has for it after the write, whoever wrote it last: a number, or the first 127 bytes of a text. Times may be in the kernel's own unit. Absent of what is neither, such as several numbers, of `kernel.hostname` and `kernel.domainname`, and where the write was refused.",
    );
    SYSCTL_ERRNO = event(
        Class::Sysctl,
        "sysctlErrno",
        "sysctl_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32);
}
