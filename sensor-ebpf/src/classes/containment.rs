//! Containment: who is let see what. Processes move to other namespaces, and file systems are mounted, moved and taken away.
//!
//! Each call is told when the kernel has decided, refused ones with their error. The first rung that can be had serves:
//!
//! 1. the returns of the functions that do it, which run for nothing else and have the paths as the kernel resolved them:
//!    `ksys_unshare`, the system call `setns` by both of its entries, `path_mount` (fs/namespace.c), and the questions to security
//!    modules before a file system is unmounted, moved or made the root, and before a root is changed. What these are asked about
//!    can still fail, but for the last.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions. Places of mounts are what the
//!    caller's memory says of them after the call. While this is attached each system call of the host takes a longer way.
//!
//! Processes that are made in namespaces of their own are told with both by `task_newtask`, which runs when a task is made.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

#[cfg(target_arch = "bpf")]
mod ends;
#[cfg(target_arch = "bpf")]
mod mounts;
#[cfg(target_arch = "bpf")]
mod namespaces;

#[cfg(target_arch = "bpf")]
const SOURCE: Source = Source::Containment;

pub(crate) const CLASS: Described = Described {
    name: "containment",
    ring: Ring::Rare,
    // In a user namespace of one's own all of it is allowed.
    sources: &[SourceSpec::new("containment").budget(Budget::per_second(1_000))],
    hooks: &[
        Hook::new(Source::Containment, "path_mount", point!(fexit "path_mount"))
            .beside(&[
                Beside::new("sb_umount", point!(fexit "security_sb_umount")),
                Beside::new("move_mount", point!(fexit "security_move_mount")),
                Beside::new("sb_pivotroot", point!(fexit "security_sb_pivotroot")),
                Beside::new("path_chroot", point!(fexit "security_path_chroot")),
                Beside::new("ksys_unshare", point!(fexit "ksys_unshare")),
                Beside::new("setns", point!(fexit "__x64_sys_setns")),
                Beside::new("setns_compat", point!(fexit "__ia32_sys_setns")).only_with("compat_calls"),
                Beside::new("task_newtask", point!(tp_btf "task_newtask")),
            ])
            .needs(&[
                "path_mount_parameters",
                "sb_umount_parameters",
                "move_mount_parameters",
                "sb_pivotroot_parameters",
                "path_chroot_parameters",
                "ksys_unshare_parameters",
                "setns_parameters",
                "regs_number",
                "namespace_type",
            ])
            .missed("places of mounts are as whoever mounts called them, and not as the kernel resolved them"),
        Hook::new(Source::Containment, "sys_exit_of_containment", point!(tp_btf "sys_exit"))
            .beside(&[Beside::new("task_newtask_beside", point!(tp_btf "task_newtask"))])
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status", "namespace_type"])
            .missed("changes of namespaces, mounts and roots are not seen"),
    ],
    facts: FACTS,
    records: &[NamespaceRecord::KIND, MountRecord::KIND],
};

facts! {
    optional path_mount_parameters = Parameters("path_mount");
    // CONFIG_SECURITY.
    optional sb_umount_parameters = Parameters("security_sb_umount");
    optional move_mount_parameters = Parameters("security_move_mount");
    optional sb_pivotroot_parameters = Parameters("security_sb_pivotroot");
    // CONFIG_SECURITY_PATH.
    optional path_chroot_parameters = Parameters("security_path_chroot");
    optional ksys_unshare_parameters = Parameters("ksys_unshare");
    optional setns_parameters = Parameters("__x64_sys_setns");
    // With its operations until Linux 6.17.
    optional namespace_type = Member("ns_common", "ns_type"), Member("proc_ns_operations", "type");
    optional namespace_has_type = Member("ns_common", "ns_type");
    required namespace_operations = Member("ns_common", "ops");
    required path_mnt = Member("path", "mnt");
    required path_dentry = Member("path", "dentry");
    required fs_root_mnt = Member("fs_struct", "root.mnt");
    required vfsmount_sb = Member("vfsmount", "mnt_sb");
    required mount_devname = Member("mount", "mnt_devname");
    required sb_type = Member("super_block", "s_type");
    required type_name = Member("file_system_type", "name");
}

/// Which call it was.
pub mod call {
    pub const UNSHARE: u32 = 1;
    pub const SETNS: u32 = 2;
    pub const CLONE: u32 = 3;
    pub const MOUNT: u32 = 4;
    pub const UMOUNT: u32 = 5;
    pub const MOVE_MOUNT: u32 = 6;
    pub const PIVOT_ROOT: u32 = 7;
    pub const CHROOT: u32 = 8;
}

/// `CLONE_NEW…` of Linux: time, mnt, cgroup, uts, ipc, user, pid, net.
pub const NAMESPACES: u32 = 0x80 | 0x2_0000 | 0x7e00_0000;

/// What is known of a mount's places.
pub mod places {
    /// It is a path as the kernel has it, leaf first; otherwise it is as it was given.
    pub const SOURCE_WALKED: u32 = 1;
    pub const TARGET_WALKED: u32 = 2;
    /// It lacks its beginning.
    pub const SOURCE_CUT: u32 = 4;
    pub const TARGET_CUT: u32 = 8;
    /// Whether it came about is not known.
    pub const ASKED: u32 = 16;
}

/// Bytes kept of a place, and of the name of a type.
pub const PLACE_LEN: usize = 256;
pub const TYPE_LEN: usize = 32;

act! {
    26 =>
    /// A process goes on in other namespaces, or makes one that does.
    pub struct NamespaceRecord {
        /// Bits of [`NAMESPACES`]; zero if they could not be told.
        pub kinds: u32,
        /// One of [`call`].
        pub call: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Of a clone, the process that it made.
        pub child: u32,
    }
}

act! {
    27 =>
    /// A file system is mounted, moved, taken away, or made the root.
    pub struct MountRecord {
        /// `MS_…` of Linux of a mount, `MNT_…` and `UMOUNT_…` of a umount.
        pub flags: u64,
        /// One of [`call`].
        pub call: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Bits of [`places`].
        pub places: u32,
        pub reserved: u32,
        /// The name of the type; ends at the first zero, as do the places that are as they were given.
        pub kind: [u8; TYPE_LEN],
        pub source: [u8; PLACE_LEN],
        pub target: [u8; PLACE_LEN],
    }
}
