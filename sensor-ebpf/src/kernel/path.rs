//! Paths, walked from the leaf to the global root.
//!
//! `bpf_d_path` is not open to tracepoint programs, so the walk is done by hand, as the kernel's `prepend_path`
//! does it: up the dentries of one mount, across to the mount point when the mount's root is reached, until a
//! mount is its own parent. The walk ignores `chroot`: the path is the one in the mount namespace, not the one
//! that the task sees. Where a mount has no place in a tree that anybody knows, see `mounts`, the walk goes on up to its file
//! system's root, so that a file which is a mount of its own has its names all the same.
//!
//! A walk may be as long as a path may be. The verifier follows each round of a loop, so a loop for that would be beyond
//! what it is ready to look at. A function of global linkage it looks at once, whoever calls it (Linux 5.6): so
//! [`path_steps`] takes a few steps, [`path_walk`] calls it a few times, and is called as often as it takes.

use crate::record::exec::{PATH_MAX, ROOT_MAX};
use aya_ebpf::helpers::generated::bpf_probe_read_kernel;

use super::load::{Address, Memory, Probed, address, at_most, offset, store, zero};
use super::mounts::{self, Above};
use super::name::{Name, SHORT};
use super::scratch::Area;
use super::watched;

/// Steps that one call takes, names and mount crossings together.
const STEPS: u32 = 2;
/// Most calls of [`path_walk`] for one walk, and of [`path_steps`] for one of these: together more steps than a path of
/// [`PATH_MAX`] has names.
const CALLS: u32 = 34;
/// `NAME_MAX` of Linux: no component is longer.
const COMPONENT_MAX: u64 = 255;

const _: () = assert!((STEPS * CALLS * CALLS) as usize > PATH_MAX / 2 + 128);

/// How a walk ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// At the global root.
    Root,
    /// At an object without a path, such as a memfd: the one name is all there is.
    Nameless,
    /// Not at a root: too deep or too long, or some kernel memory could not be read, or on a mount that has no place in a
    /// tree. What there is of the path is not its beginning.
    Cut,
}

impl End {
    #[inline(always)]
    fn of(step: u64) -> Self {
        match step {
            step::ROOT => Self::Root,
            step::NAMELESS => Self::Nameless,
            _ => Self::Cut,
        }
    }
}

/// What a call of [`path_steps`] or [`path_walk`] returns: to be called again, or how the walk ended.
mod step {
    pub(super) const MORE: u64 = 0;
    pub(super) const ROOT: u64 = 1;
    pub(super) const NAMELESS: u64 = 2;
    pub(super) const CUT: u64 = 3;
}

/// A path that was appended.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) len: u16,
    pub(crate) end: End,
    /// Whose the mount is: bits of [`crate::record::exec_flags`].
    pub(crate) mounts: u32,
}

/// Appends the path to the record, leaf first.
///
/// # Safety
///
/// `dentry` and `mnt` must be the two halves of a `struct path`, or zero; `mounts::note` must have been called for the area.
#[inline(always)]
pub(crate) unsafe fn append(area: Area, dentry: u64, mnt: u64) -> Path {
    // SAFETY: as above.
    unsafe { append_from(area, area.at(), dentry, mnt) }
}

/// Appends the path of a name in a folder.
///
/// # Safety
///
/// `name` must have so many bytes, `folder` and `mnt` must be as in [`append`].
#[inline(always)]
pub(crate) unsafe fn append_below(area: Area, name: Address, len: u32, folder: u64, mnt: u64) -> Path {
    let start = area.at();
    // SAFETY: as above; `Area::end` leaves room for a component and more.
    unsafe {
        let len = at_most::<COMPONENT_MAX>(u64::from(len));
        let to = area.end();
        bpf_probe_read_kernel(to.cast(), len as u32, name);
        to.add(at_most::<COMPONENT_MAX>(len) as usize).write_volatile(b'/');
        area.set_at(start + len + 1);
        append_from(area, start, folder, mnt)
    }
}

/// Appends what is above, to what begins there.
#[inline(always)]
unsafe fn append_from(area: Area, start: u64, dentry: u64, mnt: u64) -> Path {
    // SAFETY: within the area, where typed pointers become numbers, as functions are given.
    let packed = unsafe {
        (&raw mut (*area.0).start).write_volatile(start);
        (&raw mut (*area.0).dentry).write_volatile(dentry);
        (&raw mut (*area.0).mount).write_volatile(mnt);
        path_append(area.number())
    };
    Path { len: packed as u16, end: End::of(packed >> 16 & 0xff), mounts: (packed >> 32) as u32 }
}

/// See [`append_from`], of `start`, `dentry` and `mount` in the area of this number: the length, from bit 16 on the end, and from bit 32 on whose
/// the mount is.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn path_append(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return step::CUT << 16 };
    // SAFETY: the verifier checks the area; `probe` the rest.
    unsafe {
        let dentry = (&raw const (*area.0).dentry).read_volatile();
        let mnt = (&raw const (*area.0).mount).read_volatile();
        let mount = mnt.wrapping_sub(u64::from(offset!(mount_mnt)));
        let place = mounts::of(area, mount);
        (&raw mut (*area.0).mount).write_volatile(mount);
        (&raw mut (*area.0).longest).write_volatile(PATH_MAX as u64);
        let mut end = step::CUT;
        if address(&raw mut (*area.0).mount_root, mnt + u64::from(offset!(vfsmount_root))) {
            end = walk(area, dentry);
        }
        if end == step::ROOT && !place.is_in_tree {
            end = step::CUT;
        }
        u64::from(finish(area)) | end << 16 | u64::from(place.flags) << 32
    }
}

/// Appends the path of a mount's root on its own file system, leaf first. Cut if it is longer than kept.
///
/// # Safety
///
/// `mnt` must be a `struct vfsmount`.
#[inline(always)]
pub(super) unsafe fn append_mount_root(area: Area, mnt: u64) -> (u16, End) {
    // SAFETY: as in `append`.
    let packed = unsafe {
        (&raw mut (*area.0).mount).write_volatile(mnt);
        path_append_mount_root(area.number())
    };
    (packed as u16, End::of(packed >> 16))
}

/// See [`append_mount_root`], of `mount` in the area of this number: the length, and from bit 16 on the end.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn path_append_mount_root(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return step::CUT << 16 };
    // SAFETY: as above.
    unsafe {
        let mnt = (&raw const (*area.0).mount).read_volatile();
        (&raw mut (*area.0).mount).write_volatile(0);
        (&raw mut (*area.0).mount_root).write_volatile(0);
        (&raw mut (*area.0).start).write_volatile(area.at());
        (&raw mut (*area.0).longest).write_volatile(ROOT_MAX as u64);
        let root: u64 = Probed::member(mnt as Address, offset!(vfsmount_root));
        let end = if root == 0 { step::CUT } else { walk(area, root) };
        u64::from(finish(area)) | end << 16
    }
}

/// The length of what was appended.
#[inline(always)]
unsafe fn finish(area: Area) -> u16 {
    // SAFETY: within the area.
    unsafe {
        let start = (&raw const (*area.0).start).read_volatile();
        let mut len = area.at().wrapping_sub(start);
        // Each name was followed by a separator.
        if len > 0 {
            len -= 1;
            area.set_at(start + len);
        }
        len as u16
    }
}

/// Walks up from a dentry; how it ended. `start`, `mount`, `mount_root` and `longest` of the area must be set.
#[inline(always)]
unsafe fn walk(area: Area, dentry: u64) -> u64 {
    // SAFETY: within the area.
    unsafe {
        (&raw mut (*area.0).left).write_volatile(0);
        (&raw mut (*area.0).dentry).write_volatile(dentry);
    }
    let mut call = zero();
    while call < CALLS {
        call += 1;
        let taken = path_walk(area.number());
        if taken != step::MORE {
            return taken;
        }
    }
    step::CUT
}

/// Goes on with the walk in the area of this number.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn path_walk(area: u32) -> u64 {
    let mut call = zero();
    while call < CALLS {
        call += 1;
        let taken = path_steps(area);
        if taken != step::MORE {
            return taken;
        }
    }
    step::MORE
}

/// Takes the next steps of the walk in the area of this number.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn path_steps(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return step::CUT };
    let mut count = zero();
    while count < STEPS {
        count += 1;
        // SAFETY: the verifier checks the area; `probe` the rest. Every place of the walk is kept in the area, see
        // `scratch`.
        let taken = unsafe { one(area) };
        if taken != step::MORE {
            return taken;
        }
    }
    step::MORE
}

#[inline(always)]
unsafe fn one(area: Area) -> u64 {
    // SAFETY: as above.
    unsafe {
        let place = &raw mut (*area.0).dentry;
        let mount = &raw mut (*area.0).mount;
        let mount_root = &raw mut (*area.0).mount_root;
        let start = (&raw const (*area.0).start).read_volatile();
        let dentry = place.read_volatile();
        if dentry == mount_root.read_volatile() {
            let left = &raw mut (*area.0).left;
            if left.read_volatile() == 0 {
                left.write_volatile(area.at());
            }
            match mounts::leave(area) {
                Above::Mount => {}
                Above::Unknown => return step::CUT,
                Above::Nothing if !mounts::is_adrift(area, mount.read_volatile()) => return step::ROOT,
                Above::Nothing => {
                    mount_root.write_volatile(0);
                    mount.write_volatile(0);
                }
            }
            return step::MORE;
        }
        let Some(name) = Name::of::<SHORT>(area, dentry) else { return step::CUT };
        let parent = name.parent();
        // The root of a file system, or a pseudo file's dentry, is its own parent without being its mount's root.
        if parent == dentry && (area.at() != start || mount.read_volatile() == 0) {
            return step::ROOT;
        }
        if !append_name(area, start, name) {
            return step::CUT;
        }
        if parent == dentry {
            return step::NAMELESS;
        }
        place.write_volatile(parent);
        step::MORE
    }
}

/// Appends a name, and a separator. False if there is no room for it, or it cannot be read.
#[inline(always)]
unsafe fn append_name(area: Area, start: u64, name: Name) -> bool {
    // SAFETY: within the area: `Area::end` leaves room for a component and more.
    unsafe {
        let len = at_most::<COMPONENT_MAX>(name.len());
        let at = area.at();
        if (at + len).wrapping_sub(start) > (&raw const (*area.0).longest).read_volatile() {
            return false;
        }
        let to = area.end();
        if name.is_short() && len <= (SHORT * 8) as u64 {
            // What follows it is written over.
            store::<0>(to, name.word::<0>());
            store::<8>(to, name.word::<1>());
            store::<16>(to, name.word::<2>());
            store::<24>(to, name.word::<3>());
        } else if bpf_probe_read_kernel(to.cast(), len as u32, name.text() as Address) != 0 {
            return false;
        }
        watched::look(area, to, len);
        to.add(at_most::<COMPONENT_MAX>(len) as usize).write_volatile(b'/');
        area.set_at(at + len + 1);
        true
    }
}
