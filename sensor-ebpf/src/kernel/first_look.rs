//! A first look at the names of a file, before a record of it is begun: next to no file of a host is watched.
//!
//! It reads of each name on the way up no more than [`crate::watched`] wants, in one piece with the name's place in the tree. Only
//! its *no* counts: whatever is in doubt, or longer than it goes, is walked in full by [`super::path`], which knows better.

use super::load::{fetch, offset};
use super::mounts::{self, Above};
use super::name::Name;
use super::scratch::Area;
use super::watched::{self, Looking};
use crate::record::exec_flags;

/// Names and mounts that one call goes up, and most calls for one look: see [`super::path`].
const STEPS: u32 = 4;
const CALLS: u32 = 12;

const MORE: u64 = 0;
const NO: u64 = 1;
const MAYBE: u64 = 2;

/// Whether a file of this name may be one that the area looks for.
///
/// # Safety
///
/// `dentry` and `mnt` must be the two halves of a `struct path`; `watched::begin` and `mounts::note` must have been called for the
/// area.
#[inline(always)]
pub(crate) unsafe fn may_be_watched(area: Area, dentry: u64, mnt: u64) -> bool {
    if watched::is_found(area) {
        return true;
    }
    // SAFETY: within the area, where typed pointers become numbers, as functions are given.
    unsafe {
        (&raw mut (*area.0).dentry).write_volatile(dentry);
        (&raw mut (*area.0).mount).write_volatile(mnt);
        first_look(area.number()) != NO
    }
}

/// See [`may_be_watched`], of `dentry` and `mount` in the area of this number.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn first_look(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return MAYBE };
    // SAFETY: within the area; all else is probed.
    unsafe {
        let (mount, root) = (&raw mut (*area.0).mount, &raw mut (*area.0).mount_root);
        let mnt = mount.read_volatile();
        let first = mnt.wrapping_sub(u64::from(offset!(mount_mnt)));
        let whose = mounts::of(area, first);
        if !whose.is_in_tree || whose.flags & exec_flags::USER_MOUNTS != 0 {
            return MAYBE;
        }
        mount.write_volatile(first);
        fetch(root, mnt + u64::from(offset!(vfsmount_root)));
    }
    let mut call = 0;
    while call < CALLS {
        call += 1;
        let found = first_look_steps(area.number());
        if found != MORE {
            return found;
        }
    }
    MAYBE
}

/// Takes the next steps of the look in the area of this number.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn first_look_steps(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return MAYBE };
    let Some(looking) = Looking::of(area) else { return MAYBE };
    let mut step = 0;
    while step < STEPS {
        step += 1;
        // SAFETY: within the area; all else is probed.
        let found = unsafe { one(area, looking) };
        if found != MORE {
            return found;
        }
    }
    MORE
}

/// Every place on the way is kept in the area, see `scratch`.
#[inline(always)]
unsafe fn one(area: Area, looking: Looking) -> u64 {
    // SAFETY: as above.
    unsafe {
        let place = &raw mut (*area.0).dentry;
        let dentry = place.read_volatile();
        if dentry == (&raw const (*area.0).mount_root).read_volatile() {
            return match mounts::leave(area) {
                Above::Mount => MORE,
                // Of the tree that the first mount was found to be in.
                Above::Nothing => NO,
                Above::Unknown => MAYBE,
            };
        }
        let Some(name) = Name::of::<1>(area, dentry) else { return MAYBE };
        if !name.is_short() {
            name.fetch_first();
        }
        // The root of a file system that is not its mount's; or a file that has no path.
        if name.parent() == dentry || looking.has(name.word::<0>(), name.len()) {
            return MAYBE;
        }
        place.write_volatile(name.parent());
        MORE
    }
}
