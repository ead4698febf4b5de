//! Programs that end by a fault of theirs.

use crate::field::{Integer, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "crash";

const PARTS: &[&crate::Field] =
    &[&CRASH_SIGNAL, &CRASH_CODE, &IS_CRASH_SENT, &FAULT_ADDRESS_KIND, &FAULT_ACCESS, &IS_CORE_DUMPED, &CRASH_COUNT];

const fn kind(is: EventType, word: &'static str) -> Kind {
    Kind {
        is,
        word,
        activity: Some(Activity::ProcessEnd),
        outcome: Some(Outcome::Failure),
        reach: Reach::Process,
        parts: PARTS,
    }
}

pub(super) static KINDS: &[Kind] = &[
    kind(EventType::Crash, "CRASH_EVENT_TYPE_CRASH"),
    // One of more than five of a program.
    kind(EventType::CrashRepeated, "CRASH_EVENT_TYPE_REPEATED"),
];

pub(super) const POLICY_TYPES: &[PolicyType] = &[
    PolicyType { word: "crash", sees: &[EventType::Crash, EventType::CrashRepeated] },
    PolicyType { word: "repeatedCrash", sees: &[EventType::CrashRepeated] },
];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// The signals that tell of a fault.
    CrashSignal {
        Ill = "SIGILL",
        Trap = "SIGTRAP",
        Abrt = "SIGABRT",
        Bus = "SIGBUS",
        Fpe = "SIGFPE",
        Segv = "SIGSEGV",
        Sys = "SIGSYS",
    }
}

words! {
    /// Where an address is that could not be had.
    FaultAddressKind {
        Null = "null",
        Stack = "stack",
        Heap = "heap",
        Kernel = "kernel",
        /// Or not of the rights that the instruction takes: the processor does not say which.
        Protection = "protection",
        Other = "other",
    }
}

words! {
    /// What was to be done there.
    FaultAccess {
        Read = "read",
        Write = "write",
        Execute = "execute",
    }
}

fields! {
    CRASH_SIGNAL = event(
        Class::Crash,
        "crashSignal",
        "crash_signal",
        Type::Word(CrashSignal::WORDS),
        "The signal that ended the program.",
    );
    CRASH_CODE = event(
        Class::Crash,
        "crashCode",
        "crash_code",
        Type::Number,
        "Why the signal came (`si_code` of sigaction(2)): from 1 on, what the kernel found, by signal; 128, the kernel for another reason; 0 and less, somebody sent it. Absent if it is not known: until Linux 5.15, where a filter of system calls (seccomp) ended the program.",
    )
    .integers(Integer::Int32);
    IS_CRASH_SENT = event(
        Class::Crash,
        "isCrashSent",
        "is_crash_sent",
        Type::Bool,
        "Whether somebody sent the signal, the program itself say, as abort(3) does. Absent where `crashCode` is.",
    );
    FAULT_ADDRESS_KIND = event(
        Class::Crash,
        "faultAddressKind",
        "fault_address_kind",
        Type::Word(FaultAddressKind::WORDS),
        "Where the address is that could not be had, of SIGSEGV and SIGBUS that nobody sent: `null` is of the first 64 KiB; `stack` is of the first thread's stack, or within 64 KiB of it or of where the thread's own stack was; `heap` is of the heap (`brk`) or within 64 KiB above it; `kernel` is of the kernel's half; `protection` is one that is not canonical, or an instruction that is not allowed: the processor does not say which.",
    );
    FAULT_ACCESS = event(
        Class::Crash,
        "faultAccess",
        "fault_access",
        Type::Word(FaultAccess::WORDS),
        "What was to be done at that address, where the processor says so.",
    );
    IS_CORE_DUMPED = event(
        Class::Crash,
        "isCoreDumped",
        "is_core_dumped",
        Type::Bool,
        "Whether the kernel dumped the program's memory, into a file or to another program.",
    );
    CRASH_COUNT = event(
        Class::Crash,
        "crashCount",
        "crash_count",
        Type::Number,
        "How many crashes of the same program, in the same container if in any, there were in the last ten minutes, this one among them; 100 stands for 100 and more.",
    )
    .values(Values::Within(&[1..=100]));
}
