//! How programs read any of the kernel's memory with plain loads, where the kernel has a call for that.
//!
//! `bpf_rdonly_cast(address, 0)` (to `void`: Linux 6.17) makes an address one that may be loaded from: what cannot be read is zero, as
//! with `bpf_probe_read_kernel`, which costs ten times as much. The verifier turns the call into a move.
//!
//! Such a call names the function by its number among the running kernel's types. So the object has an instruction in its place that
//! every kernel takes, [`MARK`], and the agent makes calls of these where it has found the function.

/// `r0 = 0x72647061`: nothing else in the object sets that.
pub const MARK: u64 = 0xb7 | (CONSTANT as u64) << 32;
/// What it sets.
pub(crate) const CONSTANT: i32 = 0x7264_7061;

/// The call of a function of the kernel's, by its number.
#[must_use]
pub const fn call(function: u32) -> u64 {
    /// `BPF_JMP | BPF_CALL`, and `BPF_PSEUDO_KFUNC_CALL` for its source.
    const CALL: u64 = 0x85 | 2 << 12;
    CALL | (function as u64) << 32
}
