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
//! [`path_steps`] takes a few steps, and is called as often as it takes.

use crate::record::exec::{PATH_MAX, ROOT_MAX};
use aya_ebpf::helpers::generated::bpf_probe_read_kernel;

use super::load::{Address, at_most, offset, probe};
use super::mounts;
use super::scratch::Area;

/// Steps that one call takes, names and mount crossings together.
const STEPS: u32 = 32;
/// Most calls for one walk: together more steps than a path of [`PATH_MAX`] has names.
const CALLS: u32 = 72;
/// `NAME_MAX` of Linux: no component is longer.
const COMPONENT_MAX: u64 = 255;

const _: () = assert!((STEPS * CALLS) as usize > PATH_MAX / 2 + 128);

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

/// What a call of [`path_steps`] returns: to be called again, or how the walk ended.
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
    // SAFETY: the verifier checks the area; `probe` the rest.
    unsafe {
        let mount = mnt.wrapping_sub(u64::from(offset!(mount_mnt)));
        let place = mounts::of(area, mount);
        (&raw mut (*area.0).mount).write_volatile(mount);
        (&raw mut (*area.0).longest).write_volatile(PATH_MAX as u64);
        let mut end = End::Cut;
        if probe(&raw mut (*area.0).mount_root, mnt + u64::from(offset!(vfsmount_root))) {
            end = walk(area, dentry);
        }
        if end == End::Root && !place.is_in_tree {
            end = End::Cut;
        }
        Path { len: finish(area), end, mounts: place.flags }
    }
}

/// Appends the path of a mount's root on its own file system, leaf first. Cut if it is longer than kept.
///
/// # Safety
///
/// `mnt` must be a `struct vfsmount`.
#[inline(always)]
pub(super) unsafe fn append_mount_root(area: Area, mnt: u64) -> (u16, End) {
    // SAFETY: as above.
    unsafe {
        (&raw mut (*area.0).mount).write_volatile(0);
        (&raw mut (*area.0).mount_root).write_volatile(0);
        (&raw mut (*area.0).longest).write_volatile(ROOT_MAX as u64);
        let word = &raw mut (*area.0).word;
        let mut end = End::Cut;
        if probe(word, mnt + u64::from(offset!(vfsmount_root))) {
            end = walk(area, word.read_volatile());
        }
        (finish(area), end)
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

/// Walks up from a dentry. `mount`, `mount_root` and `longest` of the area must be set.
#[inline(always)]
unsafe fn walk(area: Area, dentry: u64) -> End {
    // SAFETY: within the area.
    unsafe {
        (&raw mut (*area.0).start).write_volatile(area.at());
        (&raw mut (*area.0).left).write_volatile(0);
        (&raw mut (*area.0).dentry).write_volatile(dentry);
    }
    let mut call = 0;
    while call < CALLS {
        call += 1;
        match path_steps(area.number()) {
            step::MORE => {}
            step::ROOT => return End::Root,
            step::NAMELESS => return End::Nameless,
            _ => break,
        }
    }
    End::Cut
}

/// Takes the next steps of the walk in the area of this number.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn path_steps(area: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return step::CUT };
    let mut count = 0;
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
            let here = mount.read_volatile();
            let word = &raw mut (*area.0).word;
            if !probe(word, here + u64::from(offset!(mount_parent))) {
                return step::CUT;
            }
            let up = word.read_volatile();
            if up == here {
                if !mounts::is_adrift(area, here) {
                    return step::ROOT;
                }
                mount_root.write_volatile(0);
                mount.write_volatile(0);
                return step::MORE;
            }
            if !probe(place, here + u64::from(offset!(mount_mountpoint)))
                || !probe(mount_root, up + u64::from(offset!(mount_mnt)) + u64::from(offset!(vfsmount_root)))
            {
                return step::CUT;
            }
            mount.write_volatile(up);
            return step::MORE;
        }
        if !link(area, dentry) {
            return step::CUT;
        }
        // The root of a file system, or a pseudo file's dentry, is its own parent without being its mount's root.
        let parent = parent(area);
        if parent == dentry && (area.at() != start || mount.read_volatile() == 0) {
            return step::ROOT;
        }
        if !name(area, start) {
            return step::CUT;
        }
        if parent == dentry {
            return step::NAMELESS;
        }
        place.write_volatile(parent);
        step::MORE
    }
}

/// Reads a dentry's parent and name into the area.
#[inline(always)]
unsafe fn link(area: Area, dentry: u64) -> bool {
    // SAFETY: within the area.
    unsafe {
        let link = &raw mut (*area.0).link;
        let (parent, name) = (offset!(dentry_parent), offset!(dentry_name));
        // Side by side on every kernel seen; a constant to the verifier.
        if name == parent + 8 {
            return probe(link, dentry + u64::from(parent));
        }
        probe(link.cast::<u64>(), dentry + u64::from(parent))
            && probe(link.cast::<u64>().add(1).cast::<[u64; 2]>(), dentry + u64::from(name))
    }
}

#[inline(always)]
unsafe fn parent(area: Area) -> u64 {
    // SAFETY: within the area.
    unsafe { (&raw const (*area.0).link).cast::<u64>().read_volatile() }
}

/// Appends the name that `link` read, and a separator. False if there is no room for it, or it cannot be read.
#[inline(always)]
unsafe fn name(area: Area, start: u64) -> bool {
    // SAFETY: within the area: `qstr` has 16 bytes, and `Area::end` leaves room for a component and more.
    unsafe {
        let qstr = (&raw const (*area.0).link).cast::<u64>().add(1).cast::<u8>();
        let len: u32 = qstr.add(offset!(qstr_len) as usize).cast::<u32>().read_volatile();
        let from: u64 = qstr.add(offset!(qstr_name) as usize).cast::<u64>().read_volatile();
        let len = at_most::<COMPONENT_MAX>(u64::from(len));
        let at = area.at();
        if (at + len).wrapping_sub(start) > (&raw const (*area.0).longest).read_volatile() {
            return false;
        }
        let to = area.end();
        if bpf_probe_read_kernel(to.cast(), len as u32, from as Address) != 0 {
            return false;
        }
        to.add(at_most::<COMPONENT_MAX>(len) as usize).write_volatile(b'/');
        area.set_at(at + len + 1);
        true
    }
}
