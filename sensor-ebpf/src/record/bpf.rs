//! A BPF program that is loaded into the kernel.

use super::{Actor, Header};

/// Longest name of a program, with the zero at its end (`BPF_OBJ_NAME_LEN`).
pub const NAME_LEN: usize = 16;
/// Bytes kept of the name of the function or tracepoint that it is for.
pub const TARGET_LEN: usize = 64;

/// The verifier has taken the program. It may be attached right away, later, or never. No sections follow.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BpfRecord {
    pub header: Header,
    pub actor: Actor,
    /// The kernel's id of it.
    pub id: u32,
    /// `enum bpf_prog_type` and `enum bpf_attach_type` of Linux.
    pub program_type: u32,
    pub attach_type: u32,
    /// Instructions, as the verifier left them.
    pub instructions: u32,
    /// A digest of the instructions.
    pub tag: [u8; 8],
    /// As its maker called it; ends at the first zero.
    pub name: [u8; NAME_LEN],
    /// The function or tracepoint that it is for, of those types that tell it when they are loaded; likewise.
    pub target: [u8; TARGET_LEN],
}
