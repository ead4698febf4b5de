//! Whether a file is one that somebody asks for, by the names that a walk meets. See [`crate::watched`].

use crate::watched::{EVERYTHING, NAMES, NOTHING, place, sort};

use super::emit;
use super::load::at_most;
use super::scratch::Area;

/// States of a walk: names are not looked for, or in one of the sets, or one was found.
mod state {
    pub(super) const OFF: u64 = 0;
    pub(super) const FOUND: u64 = 1;
    /// From here on, the set by its sort.
    pub(super) const LOOKING: u64 = 2;
}

/// Whether any of this sort of events is told.
#[inline(always)]
pub(crate) fn is_any(sort: usize) -> bool {
    // SAFETY: within the map's value.
    emit::watched(sort).is_some_and(|watched| unsafe { (&raw const (*watched).what).read_volatile() } != NOTHING)
}

/// Begins to look for the names of this sort of events. False if none of them is told.
#[inline(always)]
pub(crate) fn begin(area: Area, sort: usize) -> bool {
    let Some(watched) = emit::watched(sort) else { return false };
    // SAFETY: within the map's value, and the area.
    unsafe {
        let what = (&raw const (*watched).what).read_volatile();
        let state = if what == NAMES { state::LOOKING + sort as u64 } else { state::FOUND };
        (&raw mut (*area.0).watched).write_volatile(state);
        what == NAMES || what == EVERYTHING
    }
}

/// The walks of the area are over, or those that follow are for others. Whether a name was found, or none was looked for.
#[inline(always)]
pub(crate) fn end(area: Area) -> bool {
    // SAFETY: within the area.
    unsafe {
        let state = (&raw const (*area.0).watched).read_volatile();
        (&raw mut (*area.0).watched).write_volatile(state::OFF);
        state < state::LOOKING
    }
}

/// How far it has come, to [`go_on`] later.
#[inline(always)]
pub(crate) fn state(area: Area) -> u64 {
    // SAFETY: within the area.
    unsafe { (&raw const (*area.0).watched).read_volatile() }
}

/// Goes on from there.
#[inline(always)]
pub(crate) fn go_on(area: Area, state: u64) {
    // SAFETY: within the area.
    unsafe { (&raw mut (*area.0).watched).write_volatile(state) }
}

/// Takes a name for found.
#[inline(always)]
pub(crate) fn found(area: Area) {
    // SAFETY: within the area.
    unsafe { (&raw mut (*area.0).watched).write_volatile(state::FOUND) }
}

/// Whether nothing is looked for any more.
#[inline(always)]
pub(super) fn is_found(area: Area) -> bool {
    state(area) < state::LOOKING
}

/// Looks for a name of a walk: at least eight bytes may be read from there.
///
/// # Safety
///
/// `name` must be within the area.
#[inline(always)]
pub(super) unsafe fn look(area: Area, name: *const u8, len: u64) {
    let Some(looking) = Looking::of(area) else { return };
    // SAFETY: within the area.
    let first = unsafe { name.cast::<u64>().read_unaligned() };
    if looking.has(first, len) {
        found(area);
    }
}

/// The set of names that is looked for.
#[derive(Clone, Copy)]
pub(super) struct Looking(*const u64);

impl Looking {
    /// In an area; none if nothing is looked for in it.
    #[inline(always)]
    pub(super) fn of(area: Area) -> Option<Self> {
        let state = state(area);
        if state < state::LOOKING {
            return None;
        }
        let sort = if state == state::LOOKING { sort::CHANGES } else { sort::READS };
        // SAFETY: within the map's value.
        Some(Self(unsafe { (&raw const (*emit::watched(sort)?).bits).cast() }))
    }

    /// Whether a name is in it, or one that has the same place. What follows the name in its first bytes does not matter.
    #[inline(always)]
    pub(super) fn has(self, first: u64, len: u64) -> bool {
        let first = if len < 8 { first & ((1 << (len * 8)) - 1) } else { first };
        let (group, word, bit) = place(first, len);
        // Bounded by `place`, and again for the verifier.
        let index = at_most::<255>((group * 32 + word) as u64);
        // SAFETY: within the map's value.
        unsafe { self.0.add(index as usize).read_volatile() & bit != 0 }
    }
}
