//! Processes that get at others.

use crate::field::{Field, IDS, Integer, PIDS, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "tracing";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::Trace,
    word: "TRACING_EVENT_TYPE_ACCESS",
    activity: None,
    outcome: None,
    reach: Reach::Process,
    parts: &[
        &TRACE_REQUEST,
        &TRACE_ERRNO,
        &TARGET_PID,
        &TARGET_PROGRAM_NAME,
        &TARGET_COMMAND_LINE,
        &TARGET_UID,
        &TARGET_CONTAINER_ID,
        &IS_TARGET_DESCENDANT,
    ],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "ptrace", sees: &[EventType::Trace] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// How a process gets at another one.
    Request {
        /// `PTRACE_ATTACH`.
        Attach = "attach",
        /// `PTRACE_SEIZE`.
        Seize = "seize",
        /// `PTRACE_TRACEME`.
        Traceme = "traceme",
        ProcessVmWritev = "process_vm_writev",
        /// A write to `/proc/PID/mem`.
        MemWrite = "mem_write",
        PidfdGetfd = "pidfd_getfd",
    }
}

impl Request {
    /// Whether it writes into another's memory.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::ProcessVmWritev | Self::MemWrite)
    }
}

const fn target(name: &'static str, column: &'static str, ty: Type, doc: &'static str) -> Field {
    event(Class::Tracing, name, column, ty, doc)
}

fields! {
    TRACE_REQUEST = event(
        Class::Tracing,
        "traceRequest",
        "trace_request",
        Type::Word(Request::WORDS),
        "How a process gets at another one, the target: `attach` and `seize` (ptrace) take it over, `traceme` asks the parent to, `process_vm_writev` and `mem_write` (/proc/PID/mem) write into its memory, `pidfd_getfd` takes one of its descriptors.",
    )
    .role(Role::Operation);
    TRACE_ERRNO = event(
        Class::Tracing,
        "traceErrno",
        "trace_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32);
    TARGET_PID = target(
        "targetPid",
        "target_pid",
        Type::Number,
        "Id of the target process in the initial pid namespace: that which is traced, written to or taken a descriptor from; of a `traceme`, the parent. Absent if there was no such process, as are all of the target's.",
    )
    .values(PIDS);
    TARGET_PROGRAM_NAME = target(
        "targetProgramName",
        "target_program",
        Type::Path,
        "What the target process runs, as programName.",
    )
    .role(Role::Object);
    TARGET_COMMAND_LINE = target(
        "targetCommandLine",
        "target_cmdline",
        Type::Text,
        "All arguments of the target process, joined by blanks.",
    );
    TARGET_UID = target("targetUid", "target_uid", Type::Number, "Real user id of the target process.").values(IDS);
    TARGET_EUID = target("targetEuid", "target_euid", Type::Number, "Effective user id of the target process.")
        .values(IDS);
    TARGET_CONTAINER_ID = target(
        "targetContainerId",
        "target_container_id",
        Type::Text,
        "Id of the container that the target process runs in.",
    )
    .values(Values::ContainerId);
    IS_TARGET_CONTAINER = target(
        "isTargetContainer",
        "is_target_container",
        Type::Bool,
        "Whether the target process runs in a container; absent where that could not be told.",
    );
    IS_TARGET_ITSELF = target(
        "isTargetItself",
        "is_target_itself",
        Type::Bool,
        "Whether the target is the process itself, as where a program writes to its own /proc/self/mem.",
    );
    IS_TARGET_DESCENDANT = target(
        "isTargetDescendant",
        "is_target_descendant",
        Type::Bool,
        "Whether the process started the target, or one of its ancestors: so debuggers do that run what they trace.",
    );
}
