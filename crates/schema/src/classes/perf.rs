//! Performance events: a process has the kernel count or sample what it, another process or the whole host does.

use crate::field::{Field, IDS, Integer, PIDS, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "perf";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::PerfEventOpen,
    word: "PERF_EVENT_TYPE_OPEN",
    activity: Some(Activity::Other),
    outcome: None,
    reach: Reach::Host,
    parts: &[
        &PERF_TYPE,
        &PERF_PMU,
        &PERF_CONFIG,
        &PERF_SCOPE,
        &PERF_CPU,
        &PERF_FLAGS,
        &PERF_ERRNO,
        &PERF_TARGET_PID,
        &PERF_TARGET_PROGRAM_NAME,
        &PERF_TARGET_UID,
    ],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "perfEvent", sees: &[EventType::PerfEventOpen] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// What is counted: `enum perf_type_id` of Linux, each at its number.
    PerfType {
        Hardware = "hardware",
        Software = "software",
        Tracepoint = "tracepoint",
        HwCache = "hw_cache",
        Raw = "raw",
        Breakpoint = "breakpoint",
        /// What the kernel gives a number as it starts.
        Other = "other",
    }
}

words! {
    /// Of whom it is counted.
    PerfScope {
        Itself = "itself",
        Process = "process",
        Cgroup = "cgroup",
        Everything = "everything",
    }
}

impl PerfType {
    /// The type of Linux's number.
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self::ALL.get(number as usize).copied().unwrap_or(Self::Other)
    }
}

const fn own(name: &'static str, column: &'static str, ty: Type, doc: &'static str) -> Field {
    event(Class::Perf, name, column, ty, doc)
}

fields! {
    PERF_TYPE = own(
        "perfType",
        "perf_type",
        Type::Word(PerfType::WORDS),
        "What a performance event counts or samples (`enum perf_type_id`); `other` has a name in perfPmu.",
    )
    .role(Role::Operation);
    PERF_PMU = own(
        "perfPmu",
        "perf_pmu",
        Type::Text,
        "The kernel's name of what counts, as in /sys/bus/event_source/devices: `cpu`, `kprobe` and `uprobe` (functions of the kernel, and of programs), `tracepoint`, `breakpoint`. Absent where it was refused.",
    )
    .role(Role::Object);
    PERF_CONFIG = own(
        "perfConfig",
        "perf_config",
        Type::Number,
        "Which event of its type it is: of a tracepoint its id.",
    )
    .integers(Integer::Uint64);
    PERF_SCOPE = own(
        "perfScope",
        "perf_scope",
        Type::Word(PerfScope::WORDS),
        "Of whom it is counted: of the process `itself`, of another `process`, of those of a control group, or of all on a processor (`everything`).",
    );
    PERF_CPU = own("perfCpu", "perf_cpu", Type::Number, "On which processor alone; absent if on any.");
    PERF_FLAGS = own(
        "perfFlags",
        "perf_flags",
        Type::Number,
        "Flags of perf_event_open(2), one bit each.",
    );
    PERF_ERRNO = own(
        "perfErrno",
        "perf_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32);
    PERF_TARGET_PID = own(
        "perfTargetPid",
        "perf_target_pid",
        Type::Number,
        "Id of the other process in the initial pid namespace, of the scope `process`. Absent if there was no such process, as are the next ones.",
    )
    .values(PIDS);
    PERF_TARGET_PROGRAM_NAME = own(
        "perfTargetProgramName",
        "perf_target_program",
        Type::Path,
        "What the other process runs, as programName.",
    );
    PERF_TARGET_UID = own("perfTargetUid", "perf_target_uid", Type::Number, "Real user id of the other process.").values(IDS);
    IS_PERF_TARGET_DESCENDANT = own(
        "isPerfTargetDescendant",
        "is_perf_target_descendant",
        Type::Bool,
        "Whether the process started the other one, or one of its ancestors: so `perf stat PROGRAM` does.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of `include/uapi/linux/perf_event.h`.
    #[test]
    fn words_stand_at_their_numbers() {
        for (number, word) in [(0, "hardware"), (2, "tracepoint"), (5, "breakpoint"), (6, "other"), (u32::MAX, "other")]
        {
            assert_eq!(PerfType::of(number).word(), word);
        }
    }
}
