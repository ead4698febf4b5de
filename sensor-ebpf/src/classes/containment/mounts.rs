//! Mounts and roots, at the functions that change them.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel, bpf_probe_read_kernel_str};
use aya_ebpf::macros::fexit;
use aya_ebpf::programs::FExitContext;

use super::{MountRecord, PLACE_LEN, SOURCE, TYPE_LEN, call, places};
use crate::kernel::actor;
use crate::kernel::emit::{Run, header};
use crate::kernel::load::{Address, Memory, Probed, at_most, offset, word};
use crate::kernel::mounts;
use crate::kernel::path::{self, End};
use crate::kernel::replicas::{replicas, run_once};
use crate::kernel::scratch::Area;

replicas! {
    fexit, "path_mount", FExitContext, at_mount:
    path_mount = 0, path_mount_2 = 1, path_mount_3 = 2, path_mount_4 = 3
}

#[inline(always)]
fn at_mount<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the source, the `struct path` of the target, the type, the flags and data, all in the kernel's
    // memory; then comes what was returned.
    unsafe {
        let target = word::<1>(ctx) as Address;
        run_once::<N>(SOURCE, target, |run| {
            let Some(record) = begin(run, call::MOUNT, word::<5>(ctx) as i32) else { return };
            (*record).flags = word::<3>(ctx);
            bpf_probe_read_kernel_str((&raw mut (*record).source).cast(), PLACE_LEN as u32, word::<0>(ctx) as Address);
            bpf_probe_read_kernel_str((&raw mut (*record).kind).cast(), TYPE_LEN as u32, word::<2>(ctx) as Address);
            walk::<N>(run, record, target, Side::Target);
            run.commit(SOURCE.ring(), record);
        });
    }
}

replicas! {
    fexit, "security_sb_umount", FExitContext, at_umount:
    sb_umount = 0, sb_umount_2 = 1, sb_umount_3 = 2, sb_umount_4 = 3
}

#[inline(always)]
fn at_umount<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the `struct vfsmount` and the flags; then comes what was returned.
    unsafe {
        let mount = word::<0>(ctx);
        run_once::<N>(SOURCE, mount as Address, |run| {
            let Some(record) = begin(run, call::UMOUNT, word::<2>(ctx) as i32) else { return };
            (*record).flags = word::<1>(ctx) as u32 as u64;
            (*record).places = places::ASKED;
            describe(record, mount as Address);
            let root: u64 = Probed::member(mount as Address, offset!(vfsmount_root));
            walk_from::<N>(run, record, root, mount, Side::Target);
            run.commit(SOURCE.ring(), record);
        });
    }
}

replicas! {
    fexit, "security_move_mount", FExitContext, at_move:
    move_mount = 0, move_mount_2 = 1, move_mount_3 = 2, move_mount_4 = 3
}

#[inline(always)]
fn at_move<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the two `struct path`; then comes what was returned.
    unsafe {
        let (from, to) = (word::<0>(ctx) as Address, word::<1>(ctx) as Address);
        run_once::<N>(SOURCE, to, |run| {
            let Some(record) = begin(run, call::MOVE_MOUNT, word::<2>(ctx) as i32) else { return };
            (*record).places = places::ASKED;
            describe(record, Probed::member(from, offset!(containment.path_mnt)));
            walk::<N>(run, record, to, Side::Target);
            run.commit(SOURCE.ring(), record);
        });
    }
}

replicas! {
    fexit, "security_sb_pivotroot", FExitContext, at_pivot:
    sb_pivotroot = 0, sb_pivotroot_2 = 1, sb_pivotroot_3 = 2, sb_pivotroot_4 = 3
}

#[inline(always)]
fn at_pivot<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the `struct path` of where the old root goes, and that of the new one; then comes what was
    // returned.
    unsafe {
        let (old, new) = (word::<0>(ctx) as Address, word::<1>(ctx) as Address);
        run_once::<N>(SOURCE, new, |run| {
            let Some(record) = begin(run, call::PIVOT_ROOT, word::<2>(ctx) as i32) else { return };
            (*record).places = places::ASKED;
            walk::<N>(run, record, new, Side::Source);
            walk::<N>(run, record, old, Side::Target);
            run.commit(SOURCE.ring(), record);
        });
    }
}

replicas! {
    fexit, "security_path_chroot", FExitContext, at_chroot:
    path_chroot = 0, path_chroot_2 = 1, path_chroot_3 = 2, path_chroot_4 = 3
}

#[inline(always)]
fn at_chroot<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the one argument is the `struct path`; then comes what was returned. Nothing is asked after this.
    unsafe {
        let root = word::<0>(ctx) as Address;
        run_once::<N>(SOURCE, root, |run| {
            let Some(record) = begin(run, call::CHROOT, word::<1>(ctx) as i32) else { return };
            walk::<N>(run, record, root, Side::Target);
            run.commit(SOURCE.ring(), record);
        });
    }
}

/// A record with all that is not of one call alone.
#[inline(always)]
pub(super) unsafe fn begin(run: Run, call: u32, returned: i32) -> Option<*mut MountRecord> {
    if !run.has_room(SOURCE) {
        return None;
    }
    let record = run.reserve::<MountRecord>(SOURCE.ring())?;
    // SAFETY: the record is the ring's until it is committed.
    unsafe {
        (*record).header = header::<MountRecord>();
        actor::describe(&raw mut (*record).actor);
        (*record).call = call;
        (*record).error = returned;
    }
    Some(record)
}

/// What is mounted: the type, and the name of the source.
#[inline(always)]
pub(super) unsafe fn describe(record: *mut MountRecord, mnt: Address) {
    // SAFETY: within the record; probed.
    unsafe {
        let superblock: Address = Probed::member(mnt, offset!(containment.vfsmount_sb));
        let kind: Address = Probed::member(superblock, offset!(containment.sb_type));
        let name: Address = Probed::member(kind, offset!(containment.type_name));
        bpf_probe_read_kernel_str((&raw mut (*record).kind).cast(), TYPE_LEN as u32, name);
        let mount = mnt.wrapping_byte_sub(offset!(mount_mnt) as usize);
        let source: Address = Probed::member(mount, offset!(containment.mount_devname));
        bpf_probe_read_kernel_str((&raw mut (*record).source).cast(), PLACE_LEN as u32, source);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Target,
}

/// Puts a `struct path` into the record.
#[inline(always)]
unsafe fn walk<const N: u32>(run: Run, record: *mut MountRecord, path: Address, side: Side) {
    // SAFETY: probed.
    unsafe {
        let dentry: u64 = Probed::member(path, offset!(containment.path_dentry));
        walk_from::<N>(run, record, dentry, Probed::member(path, offset!(containment.path_mnt)), side);
    }
}

#[inline(always)]
pub(super) unsafe fn walk_from<const N: u32>(run: Run, record: *mut MountRecord, dentry: u64, mnt: u64, side: Side) {
    // SAFETY: within the record.
    let (place, walked, cut) = unsafe {
        match side {
            Side::Source => (&raw mut (*record).source, places::SOURCE_WALKED, places::SOURCE_CUT),
            Side::Target => (&raw mut (*record).target, places::TARGET_WALKED, places::TARGET_CUT),
        }
    };
    let Some(area) = Area::mount(N) else {
        // A path of which nothing is known: rules on paths lead to the alert.
        // SAFETY: within the record.
        unsafe {
            place.cast::<u8>().write(0);
            (*record).places |= walked | cut;
        }
        return run.partial();
    };
    // SAFETY: within the area and the record; released on the way out.
    unsafe {
        area.begin_as::<u64>();
        mounts::note::<Probed>(bpf_get_current_task() as Address, area);
        let path = path::append(area, dentry, mnt);
        let (bytes, _) = area.record();
        let len = at_most::<{ PLACE_LEN as u64 - 1 }>(u64::from(path.len));
        bpf_probe_read_kernel(place.cast(), PLACE_LEN as u32, core::ptr::null());
        bpf_probe_read_kernel(place.cast(), len as u32, bytes.add(size_of::<u64>()).cast());
        (*record).places |= walked;
        if path.end == End::Cut || u64::from(path.len) > len {
            (*record).places |= cut;
        }
        area.release();
    }
}
