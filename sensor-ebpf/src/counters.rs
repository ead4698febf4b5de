//! What every kernel program counts about itself, per CPU.
//!
//! The identity `seen = submitted + ring_full + filtered + failed` holds for each program whenever no run of it is
//! under way: each run adds one to `seen` and one to exactly one of the others. The programs for audit messages count
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
}

/// What a program tells. The counters of those that tell first stand under these numbers.
pub mod program {
    pub const EXEC: u32 = 0;
    pub const FORK: u32 = 1;
    pub const EXIT: u32 = 2;
    pub const EXEC_FAILED: u32 = 3;
    pub const BASELINE: u32 = 4;
    /// The failed execs whose file could not even be opened.
    pub const EXEC_NOT_OPENED: u32 = 5;
    /// Messages sent to the kernel's audit, whichever hook tells them.
    pub const AUDIT: u32 = 6;
    /// The kernel's own verdicts on audit messages.
    pub const AUDIT_VERDICT: u32 = 7;
    /// How many there are.
    pub const COUNT: u32 = 8;
}

/// Most programs of the same code at one place, which tell in turn: see `kernel/turns.rs`.
pub const TURNS: u32 = 4;

/// Slots in the counter map.
pub const SLOTS: u32 = program::COUNT * TURNS;

/// Where the n-th program of a place counts, from zero.
#[must_use]
pub const fn slot(program: u32, turn: u32) -> u32 {
    turn * program::COUNT + program
}
