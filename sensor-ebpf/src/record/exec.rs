//! An exec: who, the image that the kernel committed to, and its arguments.

use super::{COMM_LEN, Header, Ids, Namespaces, Place, ProcessKey, TTY_LEN};

/// Bytes of arguments kept from the start. An argv no longer than `ARGS_HEAD + ARGS_TAIL` is kept whole.
pub const ARGS_HEAD: usize = 8192;
/// Bytes of arguments kept from the end: padding an argv must not push its end out of sight.
pub const ARGS_TAIL: usize = 4096;
/// Longest path section, cut at the root's side: the file's own name always survives.
pub const PATH_MAX: usize = 4096;
/// Longest part of a path kept that leads from a file system's root to a mount of a part of it.
pub const ROOT_MAX: usize = 512;
/// Longest typed file name kept: Linux takes none that is longer (`PATH_MAX`).
pub const FILENAME_MAX: usize = 4096;
/// Longest `#!` interpreter kept: longer than what Linux reads of a script's first line (`BINPRM_BUF_SIZE`).
pub const INTERPRETER_MAX: usize = 256;
/// Longest cgroup path kept, cut at the leaf's side: a container's own group is near the root, and what is below it is
/// for whoever runs in there to make.
pub const CGROUP_MAX: usize = 2048;
/// Deepest cgroup whose name is kept; likewise.
pub const CGROUP_DEPTH: usize = 32;

/// The fixed part of an exec, a failed exec, and a baseline task.
///
/// Then follow, in this order and with these lengths: `path_len`, `root_len`, `cwd_len`, `script_len`, `filename_len`,
/// `interpreter_len`, `cgroup_len`, `args_head_len`, `args_tail_len` bytes. Paths are *leaf first*: the names of
/// `/usr/bin/env` stand as `env/bin/usr`, because the kernel side walks from the leaf up; the agent turns them round. An
/// empty path is the root, if nothing in [`exec_flags`] says that it is not whole. The cgroup's stands from the root down,
/// without the first slash.
///
/// Paths are those of the mount namespace, up to its own root: a `chroot` does not shorten them. A path on a mount that is
/// in nobody's tree, or in that of a namespace which is neither the task's nor the host's, is not whole: it goes up to the
/// file system's root.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecRecord {
    pub header: Header,
    pub process: ProcessKey,
    /// The parent by `real_parent` at this moment; the one noted at fork wins where it is known.
    pub parent: ProcessKey,
    pub ids: Ids,
    pub namespaces: Namespaces,
    pub place: Place,
    /// Inode number of the executed file.
    pub inode: u64,
    /// Inode change time of the executed file, nanoseconds since 1970.
    pub ctime_ns: u64,
    /// `arg_end - arg_start`: the argv's size, kept or not.
    pub args_bytes: u64,
    /// Device of the executed file in the kernel's own encoding: `major << 20 | minor`.
    pub device: u32,
    /// `st_mode` of the executed file.
    pub mode: u32,
    /// Owner of the executed file, in the initial user namespace.
    pub file_uid: u32,
    /// Bits of [`exec_flags`].
    pub flags: u32,
    /// `bprm->argc` and `bprm->envc`.
    pub argc: u32,
    pub envc: u32,
    /// The calling thread's id before the exec; differs from the tgid when another thread than the leader called.
    pub old_tid: u32,
    /// The process's id in its own, innermost pid namespace.
    pub ns_pid: u32,
    /// Bit n: the n-th 4096-byte chunk of the kept arguments (head chunks first, then tail chunks) could not be
    /// read and is zero-filled.
    pub args_unreadable: u32,
    /// Of a failed exec: the negative errno; else zero.
    pub error: i32,
    /// Section lengths, bytes.
    pub path_len: u16,
    pub cwd_len: u16,
    pub filename_len: u16,
    pub interpreter_len: u16,
    pub cgroup_len: u16,
    pub args_head_len: u16,
    pub args_tail_len: u16,
    /// Of a script, the file that was run, as the kernel found it; of a failed exec, the file that was asked for, if it could
    /// be opened.
    pub script_len: u16,
    /// The path of the executed file's mount on its own file system, empty for the whole of it. Of files outside the host's
    /// mounts alone.
    pub root_len: u16,
    /// How much of the path lies within that mount; [`MOUNT_UNKNOWN`] if not all of it was read.
    pub mount_len: u16,
    pub reserved: u16,
    /// The low bits of how often the process and its forebears have executed (`self_exec_id`): two records of one process
    /// with the same number are of the same exec.
    pub exec_id: u16,
    /// Controlling terminal as the kernel names it: `pts3` is `/dev/pts/3`, `tty1` is `/dev/tty1`. Ends at the first
    /// zero; empty without one.
    pub tty: [u8; TTY_LEN],
    pub comm: [u8; COMM_LEN],
}

/// Stands for a length in [`ExecRecord::mount_len`].
pub const MOUNT_UNKNOWN: u16 = u16::MAX;

/// Bits of [`ExecRecord::flags`].
pub mod exec_flags {
    /// The image has no path: it lives in a `memfd_create` file, and the path section is `memfd:` with its name. Never
    /// together with `DELETED`.
    pub const MEMFD: u32 = 1 << 0;
    /// The image's file was unlinked before the exec: no link is left, or the name it was opened by is gone. The path
    /// is the one it had.
    pub const DELETED: u32 = 1 << 1;
    /// The image is in an overlay's upper layer: written since the container started.
    pub const OVERLAY_UPPER: u32 = 1 << 2;
    /// The file that was run is not the image but names it: `#!`, or a format registered with `binfmt_misc`. The path is
    /// the interpreter's.
    pub const SCRIPT: u32 = 1 << 3;
    /// More arguments than kept: `args_bytes` tells how many.
    pub const ARGS_CUT: u32 = 1 << 4;
    /// The path is not whole: it was deeper or longer than kept, could not be read, or begins at no root that the task or the
    /// host has.
    pub const PATH_CUT: u32 = 1 << 5;
    /// Same for the working directory.
    pub const CWD_CUT: u32 = 1 << 6;
    /// The cgroup was deeper or its path longer than kept; its lower end is missing, or all of it where not even its
    /// beginning was reached.
    pub const CGROUP_CUT: u32 = 1 << 7;
    /// Same for the typed file name or the interpreter.
    pub const NAME_CUT: u32 = 1 << 8;
    /// Some kernel memory could not be read; the fields that it feeds are zero or empty.
    pub const READ_FAILED: u32 = 1 << 9;
    /// The exec raised privileges (`bprm->secureexec`).
    pub const SECURE: u32 = 1 << 10;
    /// The task is a kernel thread (baseline only).
    pub const KERNEL_THREAD: u32 = 1 << 11;
    /// The record carries its cgroup's path: the first time that the programs met this cgroup id. An empty section is
    /// then the hierarchy's root; without this flag the path is the one sent before with the same id.
    pub const CGROUP_PATH: u32 = 1 << 12;
    /// The file's mount is one of the host's: in the mount namespace of pid 1.
    pub const HOST_MOUNTS: u32 = 1 << 13;
    /// The file's mount is in a namespace that belongs to a user namespace: whoever has made that may mount what they like
    /// where they like.
    pub const USER_MOUNTS: u32 = 1 << 14;
    /// There is a section with the script, or with the file that a failed exec asked for.
    pub const SCRIPT_PATH: u32 = 1 << 15;
    // Bit 16 is `audit::TEXT_CUT`.
    /// As `PATH_CUT`, for that section.
    pub const SCRIPT_CUT: u32 = 1 << 17;
    /// As `USER_MOUNTS`, for that section.
    pub const SCRIPT_USER_MOUNTS: u32 = 1 << 18;
    /// The path is not whole because root has made a mount that is in no tree which the task or the host has, such as a runtime's
    /// copy of itself.
    pub const PATH_ADRIFT: u32 = 1 << 20;
    /// The arguments were read when the program was running already, and are what it has left or put there. No kernel
    /// program sets this: it is the agent's, for tasks that it found.
    pub const ARGS_LATE: u32 = 1 << 19;
    /// Also the agent's: it knows all mounts of the host, and so whether the host has the file anywhere.
    pub const HOST_KNOWN: u32 = 1 << 21;
}
