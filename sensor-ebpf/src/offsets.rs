//! Where the running kernel keeps what the programs read.
//!
//! Filled by the agent from the kernel's BTF before the load and seen by the verifier as constants.

/// Marks a member that the running kernel does not have; the code that needs it is pruned as dead.
pub const ABSENT: u32 = u32::MAX;
