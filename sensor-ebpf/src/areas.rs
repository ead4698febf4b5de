//! Where the kernel programs build their records: which area of the map `SCRATCH` is whose.
//!
//! Those of later programs for execs and failed execs (see `kernel/turns.rs`) come last, so that the agent makes the map
//! only as large as programs are loaded for.

use crate::classes::TURNS;

/// Whose area has which number.
pub mod area {
    pub const BASELINE: u32 = 0;
    pub const AUDIT: u32 = 1;

    /// Of the n-th program for execs, from zero.
    #[must_use]
    pub const fn exec(n: u32) -> u32 {
        if n == 0 { 2 } else { 4 + n }
    }

    /// Of the n-th programs for failed execs, of which the later ones share one.
    #[must_use]
    pub const fn failed(n: u32) -> u32 {
        if n == 0 { 3 } else { 4 }
    }
}

/// How many there are where so many programs take turns at a place.
#[must_use]
pub const fn count(turns: u32) -> u32 {
    if turns <= 1 { 4 } else { 4 + turns }
}

/// How many there are at most.
pub const COUNT: u32 = count(TURNS);

const _: () = assert!(area::exec(TURNS - 1) + 1 == COUNT && area::exec(0) < count(1) && area::failed(0) < count(1));
