//! What every kernel program counts about itself, per CPU.
//!
//! The identity `seen = submitted + ring_full + over_budget + filtered + failed` holds for each program whenever no run of it
//! is under way: each run adds one to `seen` and one to exactly one of the others. The programs for audit messages count
//! each message so, as one datagram can hold several.

/// The counters of one program on one CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramCounters {
    /// Times the program ran. Of the programs for audit messages: messages sent to the kernel's audit, as these programs
    /// also run for much that is none, and counting that would cost more than looking at it.
    pub seen: u64,
    /// Records handed to the ring buffer.
    pub submitted: u64,
    /// Records lost because the ring buffer was full.
    pub ring_full: u64,
    /// Events that are none of ours, such as the fork of a thread.
    pub filtered: u64,
    /// Events lost because something indispensable could not be read.
    pub failed: u64,
    /// Of the submitted, those with some part unreadable. Not a term of the identity.
    pub partial: u64,
    /// Of all seen, what the kernel refused: forged audit messages. Not a term of the identity.
    pub refused: u64,
    /// Events left out because there were more of them than their budget has room for, see [`crate::budget`].
    pub over_budget: u64,
    /// Times that a later program at the place (see `kernel/replicas.rs`) did what the kernel had left the earlier ones out for.
    /// Not a term of the identity.
    pub made_good: u64,
}
