//! The few words through which the agent and the kernel programs agree on wake-ups, and on what is told at all.
//!
//! A wake-up per record would cost the traced task more than the whole rest. So records are submitted without
//! one, and the drain thread says beforehand when it wants to be woken:
//!
//! ```text
//! draining ── none ──▶ [`WAKE_NEVER`]        it will look again by itself
//! short wait (10 ms) ▶ [`WAKE_AT_WATERMARK`] woken early only if the ring fills up
//! long wait ─────────▶ [`WAKE_AT_ONCE`]      woken by the first record
//! ```
//!
//! A program that wakes the thread sets the word back to [`WAKE_NEVER`], so one wait costs one wake-up. The thread
//! stores its wish, fences, and looks at the ring once more before it sleeps; a program commits its record (a full
//! barrier in the kernel), then reads the wish: one of the two sees the other.

use crate::rings::Ring;
use crate::watched::{Watched, sort};

/// What the agent shares with the programs; the one value of the map `CONTROL`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// The wish, one of the `WAKE_` constants: for a record in whichever ring.
    pub wake: u32,
    /// Which failed execs somebody asks for, one of the `FAILED_` constants: no others are told.
    pub failed_execs: u32,
    /// The sensor's process id, in the initial pid namespace; zero if that is not known.
    pub sensor: u32,
    /// Always zero: makes the padding explicit.
    pub reserved: u32,
    /// Unread bytes in each ring at which [`WAKE_AT_WATERMARK`] wakes, by [`Ring::index`].
    pub watermarks: [u64; Ring::COUNT],
    /// Which files are told of, by [`sort`].
    pub watched: [Watched; sort::COUNT],
}

impl Control {
    /// Where the watermark of a ring is.
    #[must_use]
    pub const fn watermark(ring: Ring) -> usize {
        core::mem::offset_of!(Control, watermarks) + ring.index() * size_of::<u64>()
    }
}

pub const FAILED_NONE: u32 = 0;
/// Those of files that Linux takes for no program (`ENOEXEC`): who gets that answer may read them as a script.
pub const FAILED_FORMAT: u32 = 1;
pub const FAILED_ALL: u32 = 2;

pub const WAKE_NEVER: u32 = 0;
pub const WAKE_AT_WATERMARK: u32 = 1;
pub const WAKE_AT_ONCE: u32 = 2;
