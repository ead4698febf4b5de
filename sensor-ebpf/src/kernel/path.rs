//! Paths, walked from the leaf to the global root.
//!
//! `bpf_d_path` is not open to tracepoint programs, so the walk is done by hand, as the kernel's `prepend_path`
//! does it: up the dentries of one mount, across to the mount point when the mount's root is reached, until a
//! mount is its own parent. The walk ignores `chroot`: the path is the one in the mount namespace, not the one
//! that the task sees.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use sensor_ebpf::record::exec::PATH_MAX;

use super::load::{Address, at_most, offset, probe};
use super::scratch::Area;

/// Most steps of one walk, names and mount crossings together.
const STEPS: u32 = 64;
/// `NAME_MAX` of Linux: no component is longer.
const COMPONENT_MAX: u64 = 255;

/// How a walk ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// At the global root.
    Root,
    /// At an object without a path, such as a memfd: the one name is all there is.
    Nameless,
    /// Too deep or too long; the upper end is missing.
    Cut,
    /// Some kernel memory could not be read.
    Failed,
}

/// Appends the path to the record, leaf first, and returns its length and how it ended.
///
/// # Safety
///
/// `dentry` and `mnt` must be the two halves of a `struct path`, or zero.
#[inline(always)]
pub(super) unsafe fn append(area: Area, dentry: u64, mnt: u64) -> (u16, End) {
    let start = area.at();
    // SAFETY: the verifier checks the area; `probe` the rest.
    let end = unsafe { walk(area, start, dentry, mnt) };
    let mut len = area.at() - start;
    // Each name was followed by a separator.
    if len > 0 {
        len -= 1;
        area.set_at(start + len);
    }
    (len as u16, end)
}

#[inline(always)]
unsafe fn walk(area: Area, start: u64, dentry: u64, mnt: u64) -> End {
    // SAFETY: the verifier checks the area; `probe` the rest. Every place of the walk is kept in the area, see
    // `scratch`.
    unsafe {
        let place = &raw mut (*area.0).dentry;
        let mount = &raw mut (*area.0).mount;
        let mount_root = &raw mut (*area.0).mount_root;
        place.write_volatile(dentry);
        mount.write_volatile(mnt.wrapping_sub(u64::from(offset!(mount_mnt))));
        if !probe(mount_root, mnt + u64::from(offset!(vfsmount_root))) {
            return End::Failed;
        }
        let mut step = 0;
        while step < STEPS {
            step += 1;
            let dentry = place.read_volatile();
            if dentry == mount_root.read_volatile() {
                let here = mount.read_volatile();
                let word = &raw mut (*area.0).word;
                if !probe(word, here + u64::from(offset!(mount_parent))) {
                    return End::Failed;
                }
                let up = word.read_volatile();
                if up == here {
                    return End::Root;
                }
                if !probe(place, here + u64::from(offset!(mount_mountpoint)))
                    || !probe(mount_root, up + u64::from(offset!(mount_mnt)) + u64::from(offset!(vfsmount_root)))
                {
                    return End::Failed;
                }
                mount.write_volatile(up);
                continue;
            }
            if !link(area, dentry) {
                return End::Failed;
            }
            // A pseudo file's dentry, or one of a detached mount, is its own parent without being its mount's root.
            let parent = parent(area);
            if parent == dentry && area.at() != start {
                return End::Root;
            }
            match name(area, start) {
                Ok(()) if parent == dentry => return End::Nameless,
                Ok(()) => place.write_volatile(parent),
                Err(end) => return end,
            }
        }
        End::Cut
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

/// Appends the name that `link` read, and a separator.
#[inline(always)]
unsafe fn name(area: Area, start: u64) -> Result<(), End> {
    // SAFETY: within the area: `qstr` has 16 bytes, and `Area::end` leaves room for a component and more.
    unsafe {
        let qstr = (&raw const (*area.0).link).cast::<u64>().add(1).cast::<u8>();
        let len: u32 = qstr.add(offset!(qstr_len) as usize).cast::<u32>().read_volatile();
        let from: u64 = qstr.add(offset!(qstr_name) as usize).cast::<u64>().read_volatile();
        let len = at_most::<COMPONENT_MAX>(u64::from(len));
        let at = area.at();
        if at + len - start > PATH_MAX as u64 {
            return Err(End::Cut);
        }
        let to = area.end();
        if bpf_probe_read_kernel(to.cast(), len as u32, from as Address) != 0 {
            return Err(End::Failed);
        }
        to.add(at_most::<COMPONENT_MAX>(len) as usize).write_volatile(b'/');
        area.set_at(at + len + 1);
        Ok(())
    }
}
