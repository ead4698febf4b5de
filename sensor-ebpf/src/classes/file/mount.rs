//! By which mount a thread writes to a file system.

use aya_ebpf::EbpfContext;
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::helpers::generated::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{btf_map, fentry};
use aya_ebpf::programs::FEntryContext;

use crate::classes::Source;
use crate::kernel::load::{Address, Memory, Probed, offset, word};
use crate::kernel::replicas::{once, replicas};

/// Threads that are writing at a time, each to one file system or two.
const KNOWN: usize = 16_384;

/// A thread, and a file system by the address of its superblock.
#[repr(C)]
#[derive(Clone, Copy)]
struct Key {
    thread: u64,
    superblock: u64,
}

/// The mount's address.
#[btf_map]
static MOUNTS: LruHashMap<Key, u64, KNOWN> = LruHashMap::new();

replicas! {
    fentry, "mnt_want_write", FEntryContext, at_leave:
    mnt_want_write = 0, mnt_want_write_2 = 1, mnt_want_write_3 = 2, mnt_want_write_4 = 3
}

replicas! {
    fentry, "mnt_want_write_file", FEntryContext, at_leave_by_file:
    mnt_want_write_file = 0, mnt_want_write_file_2 = 1, mnt_want_write_file_3 = 2, mnt_want_write_file_4 = 3
}

#[inline(always)]
fn at_leave<const N: u32>(ctx: &FEntryContext) {
    // SAFETY: the one argument is the `struct vfsmount`.
    unsafe {
        let mount = word::<0>(ctx.as_ptr()) as Address;
        once::<N>(Source::File, mount, || note(mount));
    }
}

#[inline(always)]
fn at_leave_by_file<const N: u32>(ctx: &FEntryContext) {
    // SAFETY: the one argument is the `struct file`.
    unsafe {
        let file = word::<0>(ctx.as_ptr()) as Address;
        once::<N>(Source::File, file, || note(Probed::member(file, offset!(file_path_mnt))));
    }
}

/// It tells nothing by itself, and is not counted.
#[inline(always)]
unsafe fn note(mount: Address) {
    // SAFETY: probed.
    unsafe {
        let root: Address = Probed::member(mount, offset!(vfsmount_root));
        let key = key(Probed::member(root, offset!(file.dentry_sb)));
        let _ = MOUNTS.insert(&key, &(mount as u64), 0);
    }
}

#[inline(always)]
fn key(superblock: u64) -> Key {
    // SAFETY: takes nothing.
    Key { thread: unsafe { bpf_get_current_pid_tgid() }, superblock }
}

/// The mount by which this thread has asked to write to the file system of the dentry. It is asked for each thing that is done
/// anew.
///
/// # Safety
///
/// `dentry` must be a `struct dentry`.
#[inline(always)]
pub(super) unsafe fn of(dentry: Address) -> Option<u64> {
    // SAFETY: probed; the map's own value.
    unsafe {
        let key = key(Probed::member(dentry, offset!(file.dentry_sb)));
        MOUNTS.get(&key).copied()
    }
}

/// Forgets it: what follows has to ask again.
///
/// # Safety
///
/// As [`of`].
#[inline(always)]
pub(super) unsafe fn done(dentry: Address) {
    // SAFETY: as above.
    unsafe {
        let _ = MOUNTS.remove(&key(Probed::member(dentry, offset!(file.dentry_sb))));
    }
}
