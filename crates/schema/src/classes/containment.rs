//! Namespaces, mounts and roots: who is let see what.

use crate::field::{Integer, PIDS, Role, Type, Values, event, fields};
use crate::words::{Word as _, words};
use crate::{Activity, Class, EventType, Kind, PolicyType, Reach, Table};

pub(super) const NAME: &str = "containment";

pub(super) static KINDS: &[Kind] = &[
    Kind {
        is: EventType::NamespaceChange,
        word: "CONTAINMENT_EVENT_TYPE_NAMESPACE",
        activity: Some(Activity::NamespaceChange),
        outcome: None,
        reach: Reach::Process,
        parts: &[&NAMESPACE_CALL, &NAMESPACE_KINDS, &CHILD_PID, &NAMESPACE_ERRNO],
    },
    Kind {
        is: EventType::MountChange,
        word: "CONTAINMENT_EVENT_TYPE_MOUNT",
        activity: Some(Activity::MountChange),
        outcome: None,
        reach: Reach::Process,
        parts: &[&MOUNT_CALL, &MOUNT_SOURCE, &MOUNT_TARGET, &MOUNT_TYPE, &MOUNT_FLAGS, &MOUNT_ERRNO],
    },
];

pub(super) const POLICY_TYPES: &[PolicyType] = &[
    PolicyType { word: "namespace", sees: &[EventType::NamespaceChange] },
    PolicyType { word: "mount", sees: &[EventType::MountChange] },
];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

words! {
    /// How a process comes to be in other namespaces.
    NamespaceCall {
        /// It makes new ones.
        Unshare = "unshare",
        /// It enters one that there is.
        Setns = "setns",
        /// It makes a process that is in new ones.
        Clone = "clone",
    }
}

words! {
    /// What is done to the tree of mounts, or to the root.
    MountCall {
        Mount = "mount",
        Umount = "umount",
        MoveMount = "move_mount",
        PivotRoot = "pivot_root",
        Chroot = "chroot",
    }
}

const OF_NAMESPACES: &[EventType] = &[EventType::NamespaceChange];
const OF_MOUNTS: &[EventType] = &[EventType::MountChange];

fields! {
    NAMESPACE_CALL = event(
        Class::Containment,
        "namespaceCall",
        "namespace_call",
        Type::Word(NamespaceCall::WORDS),
        "How a process comes to be in other namespaces: `unshare` makes them, `setns` enters one that there is, `clone` makes a process in new ones.",
    )
    .only_in(OF_NAMESPACES)
    .role(Role::Operation);
    NAMESPACE_KINDS = event(
        Class::Containment,
        "namespaceKinds",
        "namespace_kinds",
        Type::Text,
        "Of which kinds they are, of `cgroup`, `ipc`, `mnt`, `net`, `pid`, `time`, `user` and `uts`, in this order with commas between; absent where that could not be told.",
    )
    .only_in(OF_NAMESPACES)
    .role(Role::Object);
    CHILD_PID = event(
        Class::Containment,
        "childPid",
        "child_pid",
        Type::Number,
        "Id of the process that was made in new namespaces; absent if none was made.",
    )
    .values(PIDS)
    .only_in(OF_NAMESPACES);
    NAMESPACE_ERRNO = event(
        Class::Containment,
        "namespaceErrno",
        "namespace_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32)
    .only_in(OF_NAMESPACES);
    MOUNT_CALL = event(
        Class::Containment,
        "mountCall",
        "mount_call",
        Type::Word(MountCall::WORDS),
        "What is done to the tree of mounts or to the root.",
    )
    .only_in(OF_MOUNTS)
    .role(Role::Operation);
    MOUNT_SOURCE = event(
        Class::Containment,
        "mountSource",
        "mount_source",
        Type::Path,
        "What is mounted, moved or unmounted, as who mounted it named it: a device, a folder, or a name such as proc. Of `pivot_root`, the new root.",
    )
    .only_in(OF_MOUNTS);
    MOUNT_TARGET = event(
        Class::Containment,
        "mountTarget",
        "mount_target",
        Type::Path,
        "Where it is, or comes to be: as the kernel resolved it, or, by the lower rung of the hook, as the caller named it. Of `pivot_root`, where the old root goes; of `chroot`, the new root.",
    )
    .only_in(OF_MOUNTS)
    .role(Role::Object);
    MOUNT_TYPE = event(
        Class::Containment,
        "mountType",
        "mount_type",
        Type::Text,
        "The type of the file system, such as ext4, overlay or proc; absent where none is named, as where a folder is mounted in a second place.",
    )
    .only_in(OF_MOUNTS);
    MOUNT_FLAGS = event(
        Class::Containment,
        "mountFlags",
        "mount_flags",
        Type::Number,
        "Flags of mount(2) or umount(2), one bit each.",
    )
    .integers(Integer::Uint64)
    .only_in(OF_MOUNTS);
    IS_BIND_MOUNT = event(
        Class::Containment,
        "isBindMount",
        "is_bind_mount",
        Type::Bool,
        "Whether what is mounted is a folder or file that has a place already.",
    )
    .only_in(OF_MOUNTS);
    MOUNT_ERRNO = event(
        Class::Containment,
        "mountErrno",
        "mount_errno",
        Type::Number,
        "Why the kernel refused it (errno(3)); absent if it did not.",
    )
    .values(Values::Within(&[1..=4095]))
    .integers(Integer::Int32)
    .only_in(OF_MOUNTS);
}
