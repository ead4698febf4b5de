//! Where the kernel programs build their records: which area of the map `SCRATCH` is whose.
//!
//! Those of later programs at a place (see `kernel/replicas.rs`) come last, so that the agent makes the map only as large as
//! programs are loaded for.

use crate::classes::REPLICAS;

/// Whose area has which number.
pub mod area {
    pub const BASELINE: u32 = 0;

    /// Shared by later programs, other than those for execs.
    pub(super) const LATER: u32 = 5;

    /// Of the n-th program for audit messages, from zero.
    #[must_use]
    pub const fn audit(n: u32) -> u32 {
        if n == 0 { 1 } else { LATER }
    }

    /// Of the n-th program for execs, from zero.
    #[must_use]
    pub const fn exec(n: u32) -> u32 {
        if n == 0 { 2 } else { LATER + n }
    }

    /// Of the n-th programs for failed execs, from zero.
    #[must_use]
    pub const fn failed(n: u32) -> u32 {
        if n == 0 { 3 } else { LATER }
    }

    /// Of the n-th programs for files, from zero.
    #[must_use]
    pub const fn file(n: u32) -> u32 {
        if n == 0 { 4 } else { LATER }
    }
}

/// How many there are with so many replicas at tracepoints, and at functions.
#[must_use]
pub const fn count(at_tracepoints: u32, at_functions: u32) -> u32 {
    match (at_tracepoints, at_functions) {
        (..=1, ..=1) => area::LATER,
        (..=1, _) => area::LATER + 1,
        _ => area::LATER + at_tracepoints,
    }
}

/// How many there are at most.
pub const COUNT: u32 = count(REPLICAS, REPLICAS);

const _: () = {
    assert!(area::exec(REPLICAS - 1) + 1 == COUNT && area::exec(0) < count(1, 1) && area::file(0) < count(1, 1));
    assert!(area::failed(0) < count(1, 1) && area::file(1) < count(1, REPLICAS));
    assert!(area::failed(1) < count(1, REPLICAS) && area::audit(1) < count(1, REPLICAS));
};
