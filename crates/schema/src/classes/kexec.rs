//! Kernels that are loaded to be started in the place of the running one.

use crate::field::{Integer, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "kexec";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::KexecLoad,
    word: "KEXEC_EVENT_TYPE_LOAD",
    activity: Some(Activity::KernelExtension),
    outcome: None,
    reach: Reach::Host,
    parts: &[&KEXEC_CALL, &KEXEC_FILE, &KEXEC_FLAGS, &IS_KEXEC_UNLOAD, &KEXEC_ERRNO],
}];

pub(super) const POLICY_TYPES: &[PolicyType] = &[PolicyType { word: "kexec", sees: &[EventType::KexecLoad] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// By which call.
    KexecCall {
        Load = "kexec_load",
        FileLoad = "kexec_file_load",
    }
}

fields! {
    KEXEC_CALL = event(
        Class::Kexec,
        "kexecCall",
        "kexec_call",
        Type::Word(KexecCall::WORDS),
        "By which call a kernel is loaded that is to be started in the place of the running one: `kexec_load` takes it from memory, `kexec_file_load` from a file, whose signature the kernel can look at.",
    )
    .role(Role::Operation);
    KEXEC_FILE = event(
        Class::Kexec,
        "kexecFile",
        "kexec_file",
        Type::Text,
        "The last part of the name of the file that has it, of `kexec_file_load`.",
    )
    .role(Role::Object);
    KEXEC_FLAGS = event(
        Class::Kexec,
        "kexecFlags",
        "kexec_flags",
        Type::Number,
        "Flags of the call, one bit each, see kexec_load(2): of `kexec_load` 1, of `kexec_file_load` 2 is for the kernel that is started after a crash.",
    );
    IS_KEXEC_UNLOAD = event(
        Class::Kexec,
        "isKexecUnload",
        "is_kexec_unload",
        Type::Bool,
        "Whether the kernel that was loaded is taken back.",
    );
    KEXEC_ERRNO = event(
        Class::Kexec,
        "kexecErrno",
        "kexec_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not. One that has no such call says 38 (ENOSYS).",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32);
}
