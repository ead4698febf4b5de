//! Files: created, opened to be changed, deleted, renamed, linked, and changed in what is known of them.
//!
//! The best rung are functions that the kernel itself calls for the one thing alone, in the call of whoever does it, whichever way
//! it came: any system call, of any sort of program, `io_uring` too.
//!
//! | function | what it tells |
//! | --- | --- |
//! | `security_file_open` | a file was found or made and is being opened: the last word on whether it may be |
//! | `vfs_mkdir`, `vfs_mknod`, `vfs_symlink`, `vfs_link` | their return: how it ended |
//! | `d_delete` | the name that was deleted, just before it is forgotten; not called where that failed |
//! | `d_move`, `d_exchange` | both names of what was renamed, just before they are changed; likewise |
//! | `notify_change`, `vfs_setxattr`, `vfs_removexattr` | their return |
//!
//! Of these the opened file alone comes with its mount, without which there is no path. So it is noted by which mount a thread
//! writes: whoever changes a file system by its names asks for leave before (`mnt_want_write`, `mnt_want_write_file`). What comes
//! without such a note is what a file system does to another one below it (overlayfs to its layers), and is told as what was done
//! to the upper one.
//!
//! Where the kernel allows no programs at functions, the second rung rests on what all these have in common: the time of the last
//! change of the file's inode is set, in the call of whoever does it, while the file still has its old name. The kernel has
//! tracepoints there, see [`inodes`]; what was done then, the number of the system call says at its end, `sys_exit`, see [`calls`].
//!
//! Without these the third rung tells of opened files alone: `sys_exit`, where the file is what the descriptor that was returned
//! stands for. While `sys_exit` is attached each system call of the host takes a longer way.
//!
//! What no rule can match ends here, see [`crate::watched`].
//!
//! Anybody can repeat all of it at will, so it has a ring with others of its kind, and a budget.
//!
//! Minimum: Linux 5.10 that allows programs at functions, or Linux 6.13.

#[cfg(target_arch = "bpf")]
mod calls;
#[cfg(target_arch = "bpf")]
mod functions;
#[cfg(target_arch = "bpf")]
mod inodes;
#[cfg(target_arch = "bpf")]
mod mount;
#[cfg(target_arch = "bpf")]
mod names;
#[cfg(target_arch = "bpf")]
mod numbers;
#[cfg(target_arch = "bpf")]
mod open;
#[cfg(target_arch = "bpf")]
mod parked;
#[cfg(target_arch = "bpf")]
mod tell;

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::act;
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "file",
    ring: Ring::Busy,
    sources: &[SourceSpec::new("file").budget(BUDGET)],
    hooks: &[
        Hook::new(Source::File, "security_file_open", point!(fexit "security_file_open"))
            .beside(&[
                Beside::new("mnt_want_write", point!(fentry "mnt_want_write")),
                Beside::new("mnt_want_write_file", point!(fentry "mnt_want_write_file")),
                Beside::new("vfs_mkdir", point!(fexit "vfs_mkdir")),
                Beside::new("vfs_mknod", point!(fexit "vfs_mknod")),
                Beside::new("vfs_symlink", point!(fexit "vfs_symlink")),
                Beside::new("vfs_link", point!(fexit "vfs_link")),
                Beside::new("d_delete", point!(fentry "d_delete")),
                Beside::new("d_move", point!(fentry "d_move")),
                Beside::new("d_exchange", point!(fentry "d_exchange")),
                Beside::new("notify_change_before", point!(fentry "notify_change")),
                Beside::new("notify_change", point!(fexit "notify_change")),
                Beside::new("vfs_setxattr", point!(fexit "vfs_setxattr")),
                Beside::new("vfs_removexattr", point!(fexit "vfs_removexattr")),
            ])
            .needs(&[
                "mnt_want_write_parameters",
                "mnt_want_write_file_parameters",
                "security_file_open_parameters",
                "vfs_mkdir_parameters",
                "vfs_mknod_parameters",
                "vfs_symlink_parameters",
                "vfs_link_parameters",
                "d_delete_parameters",
                "d_move_parameters",
                "d_exchange_parameters",
                "notify_change_parameters",
                "iattr_valid",
                "iattr_file",
                "vfs_setxattr_parameters",
                "vfs_removexattr_parameters",
            ])
            .missed(
                "what io_uring does to files, what fails, files that another thread closes before the call that opens them has \
                 ended, and what a file's mode and owner were before they were changed are not seen; names of extended attributes \
                 are as the caller's memory has them",
            ),
        Hook {
            // Each thread tells of its own calls, which end before another begins.
            recursion_loses: false,
            ..Hook::new(Source::File, "inode_set_ctime_to_ts", point!(tp_btf "inode_set_ctime_to_ts"))
                .rung(2)
                .beside(&[
                    Beside::new("ctime_ns_xchg", point!(tp_btf "ctime_ns_xchg")),
                    Beside::new("ctime_xchg_skip", point!(tp_btf "ctime_xchg_skip")),
                    Beside::new("file_call_ended", point!(tp_btf "sys_exit")),
                ])
                .needs(&[
                    "regs_number",
                    "regs_di",
                    "thread_info_status",
                    "change_time_parameters",
                    "task_real_cred",
                    "inode_dentries",
                    "inode_lock_owner",
                    "dentry_alias",
                    "dentry_count",
                    "dentry_children",
                    "dentry_sibling",
                    "sb_mounts",
                    "mount_of_sb",
                ])
                .missed(
                    "files that are created other than by opening them, deleted, renamed, linked, and changed in what is known of \
                     them are not seen",
                )
        },
        Hook {
            // What is opened is told once, by whoever opened it.
            recursion_loses: false,
            ..Hook::new(Source::File, "file_opened", point!(tp_btf "sys_exit"))
                .rung(3)
                .needs(&["regs_call"])
                .missed("files that are created, and opened to be changed, are not seen")
        },
    ],
    facts: FACTS,
    records: &kind::ALL,
};

/// An untar or a build makes thousands of files in a second, and does several things to each.
const BUDGET: Budget = Budget::per_second(60_000);

facts! {
    required file_mode = Member("file", "f_mode");
    required file_flags = Member("file", "f_flags");
    required dentry_sb = Member("dentry", "d_sb");
    required inode_gid = Member("inode", "i_gid");
    optional iattr_valid = Member("iattr", "ia_valid");
    optional iattr_file = Member("iattr", "ia_file");
    optional mnt_want_write_parameters = Parameters("mnt_want_write");
    optional mnt_want_write_file_parameters = Parameters("mnt_want_write_file");
    // CONFIG_SECURITY; else nothing can be attached to it.
    optional security_file_open_parameters = Parameters("security_file_open");
    // Since Linux 5.12 with the mount's mapping of ids before the folder, since 6.19 with a delegation behind.
    optional vfs_mkdir_parameters = Parameters("vfs_mkdir");
    optional vfs_mknod_parameters = Parameters("vfs_mknod");
    optional vfs_symlink_parameters = Parameters("vfs_symlink");
    // Since Linux 5.12 with the mapping behind the old name.
    optional vfs_link_parameters = Parameters("vfs_link");
    optional d_delete_parameters = Parameters("d_delete");
    optional d_move_parameters = Parameters("d_move");
    optional d_exchange_parameters = Parameters("d_exchange");
    // Since Linux 5.12 with the mapping in front.
    optional notify_change_parameters = Parameters("notify_change");
    optional vfs_setxattr_parameters = Parameters("vfs_setxattr");
    optional vfs_removexattr_parameters = Parameters("vfs_removexattr");
    // A tracepoint since Linux 6.13, with two others.
    optional change_time_parameters = Parameters("__traceiter_inode_set_ctime_to_ts");
    optional task_real_cred = Member("task_struct", "real_cred");
    optional inode_dentries = Member("inode", "i_dentry");
    // Another lock if the kernel is one for real time.
    optional inode_lock_owner = Member("inode", "i_rwsem.owner");
    optional inode_link = Member("inode", "i_link");
    optional dentry_alias = Member("dentry", "d_u.d_alias"), Member("dentry", "d_alias");
    optional dentry_count = Member("dentry", "d_lockref.count");
    // Lists with other heads until Linux 6.7.
    optional dentry_children = Member("dentry", "d_children");
    optional dentry_sibling = Member("dentry", "d_sib");
    optional sb_root = Member("super_block", "s_root");
    optional sb_mounts = Member("super_block", "s_mounts");
    // A `struct list_head` until Linux 6.17.
    optional mount_of_sb = Member("mount", "mnt_next_for_sb"), Member("mount", "mnt_instance");
    optional mount_next_of_sb = Member("mount", "mnt_next_for_sb");
    optional mount_sb = Member("vfsmount", "mnt_sb");
}

/// Kinds of records: what was done. All are a [`FileRecord`].
pub mod kind {
    /// A file of any type was made.
    pub const CREATE: u16 = 30;
    /// A file that is there was opened for writing, or emptied by opening it.
    pub const OPEN_FOR_MODIFY: u16 = 31;
    /// A name was deleted.
    pub const DELETE: u16 = 32;
    /// The target is the new name.
    pub const RENAME: u16 = 33;
    /// The target is the name besides.
    pub const LINK: u16 = 34;
    /// Mode, owner, times, extended attributes.
    pub const ATTRIBUTES: u16 = 35;
    /// Cut or lengthened.
    pub const TRUNCATE: u16 = 36;
    /// Opened for reading alone.
    pub const OPEN: u16 = 37;

    pub const ALL: [u16; 8] = [CREATE, OPEN_FOR_MODIFY, DELETE, RENAME, LINK, ATTRIBUTES, TRUNCATE, OPEN];
}

/// Longest name of an extended attribute, with the zero at its end (`XATTR_NAME_MAX` of Linux is 255).
pub const NAME_MAX: usize = 256;

/// Bits of [`FileRecord::flags`] besides those that paths have in [`exec_flags`](crate::record::exec_flags).
pub mod flags {
    /// Both names were exchanged.
    pub const EXCHANGE: u32 = 1 << 24;
    /// What was before is told.
    pub const BEFORE: u32 = 1 << 25;
}

/// Bits of [`FileRecord::changed`]: what was to be changed.
pub mod changed {
    pub const MODE: u32 = 1 << 0;
    pub const UID: u32 = 1 << 1;
    pub const GID: u32 = 1 << 2;
    pub const TIMES: u32 = 1 << 3;
    pub const XATTR: u32 = 1 << 4;
    pub const XATTR_REMOVED: u32 = 1 << 5;
    /// As chattr(1) sets them.
    pub const FLAGS: u32 = 1 << 6;
}

act! {
    30 =>
    /// Something was done to a file, or failed. Its `kind` says what: one of [`kind`].
    ///
    /// Then follow, with these lengths: `path_len`, `target_len`, `name_len` bytes. Paths are leaf first, see
    /// [`ExecRecord`](crate::record::ExecRecord). The target of a symbolic link is not: it is what the link holds.
    pub struct FileRecord {
        /// Zero where nothing came about.
        pub inode: u64,
        /// In the kernel's own encoding: `major << 20 | minor`.
        pub device: u32,
        /// `st_mode`, and the owner in the initial user namespace: as they are now.
        pub mode: u32,
        pub uid: u32,
        pub gid: u32,
        /// As they were, if [`flags::BEFORE`] is set.
        pub old_mode: u32,
        pub old_uid: u32,
        pub old_gid: u32,
        /// Of the path.
        pub flags: u32,
        /// Of the target; of these those of paths alone.
        pub target_flags: u32,
        /// Bits of [`changed`].
        pub changed: u32,
        /// Why it failed, a negative errno; else zero.
        pub error: i32,
        pub path_len: u16,
        pub target_len: u16,
        /// Of an extended attribute.
        pub name_len: u16,
        pub reserved: u16,
        pub reserved2: u32,
    }
}
