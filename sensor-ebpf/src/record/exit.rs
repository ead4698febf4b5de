//! The end of a process.

use super::{COMM_LEN, Header, ProcessKey};

/// The last thread of a process is gone. No sections follow. Before Linux 6.16 it may come twice, when the last two
/// threads exit at the same time.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExitRecord {
    pub header: Header,
    pub process: ProcessKey,
    /// As `wait(2)` reports it: exit code in bits 8 to 15, signal in the low 7, core dump in bit 7.
    pub status: u32,
    pub reserved: u32,
    pub comm: [u8; COMM_LEN],
}
