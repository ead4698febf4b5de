//! A fork: the one moment when a process's true parent is known for certain.

use super::{COMM_LEN, Header, ProcessKey};

/// A new process. No sections follow. Everything else is as the parent's.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForkRecord {
    pub header: Header,
    pub process: ProcessKey,
    /// The new process's `real_parent`: the caller, or the caller's own parent with `CLONE_PARENT`.
    pub parent: ProcessKey,
    /// The process whose image the child shares: always the caller.
    pub forker: ProcessKey,
    /// The child's id in its own, innermost pid namespace.
    pub ns_pid: u32,
    /// Inode number of the child's pid namespace.
    pub pid_ns: u32,
    pub comm: [u8; COMM_LEN],
}
