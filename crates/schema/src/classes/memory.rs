//! What was data becomes code, files that are in memory alone, and faults that a program handles itself.

use crate::field::{Integer, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "memory";

pub(super) static KINDS: &[Kind] = &[
    Kind {
        is: EventType::MemoryExec,
        word: "MEMORY_EVENT_TYPE_EXECUTABLE",
        activity: Some(Activity::MemoryProtection),
        outcome: None,
        reach: Reach::Process,
        parts: &[&MEMORY_CALL, &MEMORY_KIND, &MEMORY_PROTECTION, &MEMORY_SIZE, &MEMORY_FILE, &MEMORY_ERRNO],
    },
    Kind {
        is: EventType::MemfdCreate,
        word: "MEMORY_EVENT_TYPE_MEMFD",
        activity: Some(Activity::MemoryAllocation),
        outcome: None,
        reach: Reach::Process,
        parts: &[&MEMFD_NAME, &MEMFD_FLAGS, &MEMFD_ERRNO],
    },
    Kind {
        is: EventType::Userfaultfd,
        word: "MEMORY_EVENT_TYPE_USERFAULTFD",
        activity: Some(Activity::MemoryOther),
        outcome: None,
        reach: Reach::Process,
        parts: &[&USERFAULTFD_FLAGS, &IS_USER_MODE_ONLY, &USERFAULTFD_ERRNO],
    },
];

pub(super) const POLICY_TYPES: &[PolicyType] = &[
    PolicyType { word: "memoryExec", sees: &[EventType::MemoryExec] },
    PolicyType { word: "memfdCreate", sees: &[EventType::MemfdCreate] },
    PolicyType { word: "userfaultfd", sees: &[EventType::Userfaultfd] },
];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// How memory becomes executable.
    MemoryCall {
        Mmap = "mmap",
        /// `pkey_mprotect` as well.
        Mprotect = "mprotect",
    }
}

words! {
    /// What memory it is.
    MemoryKind {
        Anonymous = "anonymous",
        Stack = "stack",
        Heap = "heap",
        Written = "written",
        Memfd = "memfd",
        Shared = "shared",
    }
}

const OF_EXEC: &[EventType] = &[EventType::MemoryExec];
const OF_MEMFD: &[EventType] = &[EventType::MemfdCreate];
const OF_FAULTS: &[EventType] = &[EventType::Userfaultfd];

fields! {
    MEMORY_CALL = event(
        Class::Memory,
        "memoryCall",
        "memory_call",
        Type::Word(MemoryCall::WORDS),
        "How memory becomes executable: `mmap` maps it so, `mprotect` makes it so.",
    )
    .only_in(OF_EXEC)
    .role(Role::Operation);
    MEMORY_KIND = event(
        Class::Memory,
        "memoryKind",
        "memory_kind",
        Type::Word(MemoryKind::WORDS),
        "What memory becomes executable: `anonymous`, `stack` (that of the first thread) and `heap` (`brk`) are of no file; `written` is of a file and was written to since it was mapped, or can be written to; `memfd` is of a file that is in memory alone, `shared` is of several processes and of no file. Memory of a file that is as it was is not told.",
    )
    .only_in(OF_EXEC);
    MEMORY_PROTECTION = event(
        Class::Memory,
        "memoryProtection",
        "memory_protection",
        Type::Text,
        "The protection that memory gets, as /proc/PID/maps writes it: `r-x`, `rwx`.",
    )
    .only_in(OF_EXEC);
    MEMORY_SIZE = event(
        Class::Memory,
        "memorySize",
        "memory_size",
        Type::Size,
        "How much memory becomes executable, in bytes.",
    )
    .only_in(OF_EXEC);
    MEMORY_FILE = event(
        Class::Memory,
        "memoryFile",
        "memory_file",
        Type::Text,
        "The last part of the name of the file that it is of; a memfd's begins with `memfd:`. Absent if it is of none.",
    )
    .only_in(OF_EXEC)
    .role(Role::Object);
    MEMORY_ERRNO = event(
        Class::Memory,
        "memoryErrno",
        "memory_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32)
    .only_in(OF_EXEC);
    MEMFD_NAME = event(
        Class::Memory,
        "memfdName",
        "memfd_name",
        Type::Text,
        "What a file that is made in memory is called, without the `memfd:` that is shown before it.",
    )
    .only_in(OF_MEMFD)
    .role(Role::Object);
    MEMFD_FLAGS = event(
        Class::Memory,
        "memfdFlags",
        "memfd_flags",
        Type::Number,
        "Flags of memfd_create(2), one bit each: close on exec (1), sealing allowed (2), huge pages (4), not to be executed (8), to be executed (16).",
    )
    .only_in(OF_MEMFD);
    MEMFD_ERRNO = event(
        Class::Memory,
        "memfdErrno",
        "memfd_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32)
    .only_in(OF_MEMFD);
    USERFAULTFD_FLAGS = event(
        Class::Memory,
        "userfaultfdFlags",
        "userfaultfd_flags",
        Type::Number,
        "Flags of userfaultfd(2), one bit each.",
    )
    .only_in(OF_FAULTS);
    IS_USER_MODE_ONLY = event(
        Class::Memory,
        "isUserModeOnly",
        "is_user_mode_only",
        Type::Bool,
        "Whether a process handles its own faults alone; if not, those of the kernel on its behalf too, with which the kernel can be held up.",
    )
    .only_in(OF_FAULTS);
    USERFAULTFD_ERRNO = event(
        Class::Memory,
        "userfaultfdErrno",
        "userfaultfd_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32)
    .only_in(OF_FAULTS);
}
