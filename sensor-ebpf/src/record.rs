//! What a record looks like: a header, a fixed part by kind, variable sections.
//!
//! Every type is `repr(C)`, has no implicit padding, and is valid for any bit pattern, so that the kernel side can
//! zero it and the agent can read it out of untrusted bytes. All integers are in the host's byte order.

pub mod audit;
pub mod exec;
mod exit;
mod fork;
#[cfg(test)]
mod tests;

pub use audit::{AuditRecord, Refusal};
pub use exec::{ExecRecord, exec_flags};
pub use exit::ExitRecord;
pub use fork::ForkRecord;

/// Version of all layouts in this library. Any change to a type or a section raises it; a new kind of records does not.
pub const LAYOUT_VERSION: u16 = 5;

/// What a record tells; the `kind` of its [`Header`]. Those of other classes stand with their records, see [`act!`].
pub mod kind {
    /// `sched_process_exec`: a program image was replaced. An [`ExecRecord`](super::ExecRecord).
    pub const EXEC: u16 = 1;
    /// `sched_process_fork` of a process, not a thread. A [`ForkRecord`](super::ForkRecord).
    pub const FORK: u16 = 2;
    /// `sched_process_exit` of the last thread of a process. An [`ExitRecord`](super::ExitRecord).
    pub const EXIT: u16 = 3;
    /// A task that was running when the sensor started, from `iter/task`. An [`ExecRecord`](super::ExecRecord)
    /// without arguments: those of another task cannot be read from here.
    pub const BASELINE: u16 = 4;
    /// An exec that failed. An [`ExecRecord`](super::ExecRecord) with `error` set and no image; the file that was asked for
    /// is its script.
    pub const EXEC_FAILED: u16 = 5;
    /// A message that was sent to the kernel's audit. An [`AuditRecord`](super::AuditRecord).
    pub const AUDIT: u16 = 6;
}

/// Types that are valid for any bytes.
///
/// # Safety
///
/// Every bit pattern of the type's size must be a valid value.
pub unsafe trait AnyBits: Copy {}

/// Says of types that they are valid for any bytes: `repr(C)` structs of integers and arrays of integers only.
macro_rules! any_bits {
    ($($record:ty)*) => {
        $(
            // SAFETY: integers and arrays of integers, as above.
            unsafe impl $crate::record::AnyBits for $record {}
        )*
    };
}

any_bits! { Header Actor ExecRecord ForkRecord ExitRecord AuditRecord u8 u16 u32 u64 i32 i64 }

// SAFETY: as many values that are valid for any bytes.
unsafe impl<T: AnyBits, const N: usize> AnyBits for [T; N] {}

/// A record of what a process did.
pub trait Act: AnyBits {
    /// The `kind` of its [`Header`].
    const KIND: u16;
}

/// Declares the record of an act: what is told of its process in [`Actor`], and what it tells besides. Its size is the sum of its
/// fields': there is no padding for old bytes to hide in.
macro_rules! act {
    ($kind:literal => $(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $ty:ty,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            pub header: $crate::record::Header,
            /// Who does it.
            pub actor: $crate::record::Actor,
            $($(#[$doc])* pub $field: $ty,)*
        }

        // SAFETY: `repr(C)`, of types that are valid for any bytes, which is checked below as that there is no padding.
        unsafe impl $crate::record::AnyBits for $name {}

        impl $crate::record::Act for $name {
            const KIND: u16 = $kind;
        }

        const _: () = {
            const fn is_any_bits<T: $crate::record::AnyBits>() {}
            $(is_any_bits::<$ty>();)*
            assert!(
                size_of::<$name>()
                    == size_of::<$crate::record::Header>() + size_of::<$crate::record::Actor>() $(+ size_of::<$ty>())*
            );
        };
    };
}
pub(crate) use {act, any_bits};

/// The head of every record.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// [`LAYOUT_VERSION`] of the side that wrote it.
    pub layout: u16,
    /// One of [`kind`].
    pub kind: u16,
    /// Bytes of the whole record, this header included.
    pub len: u32,
    /// When it happened: nanoseconds of the boot clock (`bpf_ktime_get_boot_ns`, Linux 5.8).
    pub time: u64,
}

/// Which process. Pids are reused; a pid with its start time is not.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessKey {
    /// Start of the thread group's leader: nanoseconds of the boot clock (`task_struct.start_boottime`).
    pub start: u64,
    /// Thread group id, in the initial pid namespace.
    pub tgid: u32,
    /// Always zero: makes the padding explicit.
    pub reserved: u32,
}

impl ProcessKey {
    #[must_use]
    pub const fn new(tgid: u32, start: u64) -> Self {
        Self { start, tgid, reserved: 0 }
    }
}

/// Who a task acts as: `task_struct.cred`, and the audit identity that survives `setuid`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    pub uid: u32,
    pub gid: u32,
    pub euid: u32,
    pub egid: u32,
    /// Audit login uid; `u32::MAX` when never set.
    pub loginuid: u32,
    /// Audit session; `u32::MAX` when never set.
    pub session: u32,
    /// Effective capabilities, one bit each.
    pub cap_effective: u64,
}

/// Which namespaces: inode numbers as in `/proc/PID/ns`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    pub pid: u32,
    pub mnt: u32,
    pub net: u32,
    pub user: u32,
    pub cgroup: u32,
    /// How deep in the unified hierarchy the root of the cgroup namespace is: the number of names in its path.
    pub cgroup_root: u32,
}

/// Where a task has its place in the file systems and control groups of the host.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Id of the cgroup, as the section of its path names it: in the unified hierarchy, or, for a task at the root of
    /// that, in the first version 1 hierarchy of `pids`, `memory`, `cpu` where it is elsewhere. The top byte tells them
    /// apart: zero for unified, else the controller's number and one.
    pub cgroup_id: u64,
    /// Inode number of the task's root directory.
    pub root_inode: u64,
    /// Device of the task's root directory in the kernel's own encoding: `major << 20 | minor`.
    pub root_device: u32,
    /// Bit n: the n-th control group of the path, from the root down, belongs to another user than root. Only told
    /// together with the path.
    pub cgroup_owned: u32,
}

/// Who does something, and as whom at this moment: its process may have taken on other ids and namespaces since its program was
/// started. All else that there is to say of it the process table knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    pub process: ProcessKey,
    pub ids: Ids,
    pub namespaces: Namespaces,
    /// The thread.
    pub tid: u32,
    /// The process's id in its own, innermost pid namespace.
    pub ns_pid: u32,
    pub comm: [u8; COMM_LEN],
}

/// Longest controlling terminal name kept, with the zero at its end.
pub const TTY_LEN: usize = 24;
/// Length of `task_struct.comm`. The name ends at the first zero; kernels before 5.17 leave bytes of an older name of the
/// same task behind it.
pub const COMM_LEN: usize = 16;

/// The sizes and places that both sides must agree on, proved by the compilers of both. Each size is the sum of the
/// fields': there is no padding for old bytes to hide in.
const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<Header>() == 2 + 2 + 4 + 8);
    assert!(size_of::<ProcessKey>() == 8 + 4 + 4);
    assert!(size_of::<Ids>() == 6 * 4 + 8);
    assert!(size_of::<Namespaces>() == 6 * 4);
    assert!(size_of::<Place>() == 2 * 8 + 2 * 4);
    assert!(size_of::<ForkRecord>() == 16 + 3 * 16 + 2 * 4 + COMM_LEN);
    assert!(size_of::<ExitRecord>() == 16 + 16 + 2 * 4 + COMM_LEN);
    assert!(size_of::<ExecRecord>() == 16 + 2 * 16 + 32 + 24 + 24 + 3 * 8 + 10 * 4 + 12 * 2 + TTY_LEN + COMM_LEN);
    assert!(size_of::<AuditRecord>() == 16 + 2 * 16 + 32 + 24 + 24 + 3 * 4 + 6 * 2 + TTY_LEN + COMM_LEN);
    assert!(size_of::<Actor>() == 16 + 32 + 24 + 2 * 4 + COMM_LEN);
    assert!(offset_of!(AuditRecord, path_len) == 144);
    assert!(audit::TEXT_MAX <= u16::MAX as usize);
    assert!(offset_of!(ExecRecord, place) == 104);
    assert!(offset_of!(ExecRecord, device) == 152);
    assert!(offset_of!(ExecRecord, path_len) == 192);
    assert!(offset_of!(ExecRecord, tty) == 216);
    // What a length field cannot say must not happen.
    assert!(exec::ARGS_HEAD + exec::ARGS_TAIL <= u16::MAX as usize);
    assert!(exec::PATH_MAX <= u16::MAX as usize);
    assert!(exec::CGROUP_DEPTH == u32::BITS as usize);
};
