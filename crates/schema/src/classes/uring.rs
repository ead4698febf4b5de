//! Rings of `io_uring`, by which a process has the kernel work for it without system calls.

use crate::field::{Type, event, fields};
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "io_uring";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::IoUringSetup,
    word: "IO_URING_EVENT_TYPE_SETUP",
    activity: Some(Activity::Other),
    outcome: Some(Outcome::Success),
    reach: Reach::Process,
    parts: &[&IO_URING_ENTRIES, &IO_URING_FLAGS, &IS_IO_URING_POLLED],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "ioUringSetup", sees: &[EventType::IoUringSetup] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

fields! {
    IO_URING_ENTRIES = event(
        Class::IoUring,
        "ioUringEntries",
        "io_uring_entries",
        Type::Number,
        "How much a ring takes that can be asked for at once.",
    );
    IO_URING_FLAGS = event(
        Class::IoUring,
        "ioUringFlags",
        "io_uring_flags",
        Type::Number,
        "Flags of io_uring_setup(2), one bit each.",
    );
    IS_IO_URING_POLLED = event(
        Class::IoUring,
        "isIoUringPolled",
        "is_io_uring_polled",
        Type::Bool,
        "Whether a thread of the kernel looks at the ring by itself (`IORING_SETUP_SQPOLL`): from then on no system call tells that something is asked for.",
    );
}
