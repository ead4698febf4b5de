//! The name and the mount of an inode that a call has to do with, as the kernel's own objects tell them.
//!
//! Whoever changes which names there are holds the lock of their folder, and whoever changes a file holds the file's own. A lock
//! knows the task that holds it. So of the names that an inode has, that is the one which the call is about.

use aya_ebpf::helpers::generated::bpf_get_current_task;

use crate::kernel::load::{Address, Memory, Probed, offset, present, zero};

/// Names of one file that are looked at.
const NAMES: u32 = 32;
/// Names in one folder that are.
const CHILDREN: u32 = 8 * BATCH;
/// Mounts of one file system.
const MOUNTS: u32 = 16 * BATCH;
/// Folders on the way up to the root of one that is mounted in part.
const DEPTH: u32 = 32 * BATCH;
/// Of these, what one call looks at: see `path` for why.
const BATCH: u32 = 8;
/// Beside the address of what a call has found; without it the address is where the next one goes on.
const FOUND: u64 = 1;

/// `RWSEM_…` of Linux: the last bits beside the address of the task.
const OWNER_BITS: u64 = 7;

/// Whether the task at hand holds the lock of an inode.
///
/// # Safety
///
/// `inode` must be a `struct inode` that `M` can read.
#[inline(always)]
pub(super) unsafe fn is_held<M: Memory>(inode: Address) -> bool {
    // SAFETY: the caller.
    unsafe { M::member::<u64>(inode, offset!(file.inode_lock_owner)) & !OWNER_BITS == bpf_get_current_task() }
}

/// The first name in the list of an inode, which is the newest; null if it has none.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(super) unsafe fn newest(inode: Address) -> Address {
    // SAFETY: as above.
    unsafe { of_node(Probed::member(inode, offset!(file.inode_dentries))) }
}

#[inline(always)]
fn of_node(node: Address) -> Address {
    if node.is_null() { node } else { node.wrapping_byte_sub(offset!(file.dentry_alias) as usize) }
}

/// The name of an inode that is in use, and, if it is asked for, whose folder the task at hand has locked. Null if there is none.
/// Of several it is the one with the most users: a call is one, and a file system that is in memory alone is one of all its names.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(super) unsafe fn in_use(inode: Address, is_folder_held: bool) -> Address {
    file_name_in_use(inode as u64, u32::from(is_folder_held)) as Address
}

/// See [`in_use`]. A function of its own, so that the verifier looks at it once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_name_in_use(inode: u64, is_folder_held: u32) -> u64 {
    // SAFETY: all is probed.
    unsafe {
        let mut dentry = newest(inode as Address);
        let (mut found, mut most) = (core::ptr::null(), 0);
        let mut count = zero();
        while count < NAMES && !dentry.is_null() {
            count += 1;
            let users = file_name_users(dentry as u64, is_folder_held);
            if users > most {
                (found, most) = (dentry, users);
            }
            dentry = of_node(Probed::member(dentry, offset!(file.dentry_alias)));
        }
        found as u64
    }
}

/// How many use a name: zero if it is not asked for. Likewise.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_name_users(dentry: u64, is_folder_held: u32) -> u64 {
    // SAFETY: all is probed.
    unsafe {
        let dentry = dentry as Address;
        let users: i32 = Probed::member(dentry, offset!(file.dentry_count));
        if users > 0 && (is_folder_held == 0 || is_folder_of(dentry)) { users as u64 } else { 0 }
    }
}

/// Whether the task at hand has locked the folder of a name. The root of a file system is in none.
#[inline(always)]
unsafe fn is_folder_of(dentry: Address) -> bool {
    // SAFETY: probed.
    unsafe {
        let parent: Address = Probed::member(dentry, offset!(dentry_parent));
        parent != dentry && is_held::<Probed>(Probed::member(parent, offset!(dentry_inode)))
    }
}

/// The name in a folder whose file the task at hand has locked, if it is among the newest ones. Null if there is none.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(super) unsafe fn held_in(folder: Address) -> Address {
    // SAFETY: as above.
    let mut node: u64 = unsafe { Probed::member(folder, offset!(file.dentry_children)) };
    let mut count = zero();
    while count < CHILDREN && node != 0 {
        count += BATCH;
        node = file_held(node);
        if node & FOUND != 0 {
            return (node - FOUND) as Address;
        }
    }
    core::ptr::null()
}

/// The next names in a folder from a node of its list on, see [`held_in`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_held(node: u64) -> u64 {
    let mut node = node;
    let mut count = zero();
    while count < BATCH && node != 0 {
        count += 1;
        // SAFETY: all is probed.
        unsafe {
            let dentry = (node as Address).wrapping_byte_sub(offset!(file.dentry_sibling) as usize);
            let inode: Address = Probed::member(dentry, offset!(dentry_inode));
            if !inode.is_null() && is_held::<Probed>(inode) {
                return dentry as u64 | FOUND;
            }
            node = Probed::member(node as Address, 0);
        }
    }
    node
}

/// The name that an inode has got besides another one; null if there is none.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(super) unsafe fn besides(inode: Address, other: Address) -> Address {
    // SAFETY: as above.
    unsafe {
        let dentry = newest(inode);
        if dentry == other { of_node(Probed::member(dentry, offset!(file.dentry_alias))) } else { dentry }
    }
}

/// A mount by which the task at hand gets at a name: that of `near`, by which its call may have come, that of its working folder or
/// of its root; else the first in its mount namespace, or the first of all. Zero if none leads there.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(super) unsafe fn mount(dentry: Address, near: u64) -> u64 {
    file_mount(dentry as u64, near)
}

/// See [`mount`]. A function of its own, so that the verifier looks at it once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_mount(dentry: u64, near: u64) -> u64 {
    // SAFETY: all is probed.
    unsafe {
        let dentry = dentry as Address;
        let superblock: Address = Probed::member(dentry, offset!(file.dentry_sb));
        if near != 0 && leads(near, superblock, dentry) {
            return near;
        }
        let task = bpf_get_current_task() as Address;
        let fs: Address = Probed::member(task, offset!(task_fs));
        let working: u64 = Probed::member(fs, offset!(fs_pwd_mnt));
        if leads(working, superblock, dentry) {
            return working;
        }
        let proxy: Address = Probed::member(task, offset!(task_nsproxy));
        let own: u64 = Probed::member(proxy, offset!(nsproxy_mnt_ns));
        let node: u64 = Probed::member(superblock, offset!(file.sb_mounts));
        match first(dentry, node, own) {
            0 => first(dentry, node, 0),
            mount => mount,
        }
    }
}

/// Of the mounts from this node of the list on, the first that leads to a name and is in this namespace, or in any if that is zero.
#[inline(always)]
fn first(dentry: Address, node: u64, own: u64) -> u64 {
    let mut node = node;
    let mut count = zero();
    while count < MOUNTS && node != 0 {
        count += BATCH;
        node = file_mounts(dentry as u64, node, own);
        if node & FOUND != 0 {
            return node - FOUND;
        }
    }
    0
}

/// The next mounts, see [`first`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_mounts(dentry: u64, node: u64, own: u64) -> u64 {
    // SAFETY: all is probed.
    unsafe {
        let superblock: Address = Probed::member(dentry as Address, offset!(file.dentry_sb));
        let head = superblock as u64 + u64::from(offset!(file.sb_mounts));
        // In a list of nodes within the mounts, or of mounts.
        let is_list = !present!(file.mount_next_of_sb);
        let place = u64::from(offset!(file.mount_of_sb));
        let mut node = node;
        let mut count = zero();
        while count < BATCH {
            count += 1;
            if node == 0 || node == head {
                return 0;
            }
            let mount = if is_list { node - place } else { node };
            let here = mount + u64::from(offset!(mount_mnt));
            let is_own = own == 0 || Probed::member::<u64>(mount as Address, offset!(mount_ns)) == own;
            if is_own && file_is_on(dentry, superblock as u64, here) != 0 {
                return here | FOUND;
            }
            node = Probed::member((mount + place) as Address, 0);
        }
        node
    }
}

/// Whether a name is below the root of a mount.
#[inline(always)]
fn leads(mount: u64, superblock: Address, dentry: Address) -> bool {
    file_is_on(dentry as u64, superblock as u64, mount) != 0
}

/// See [`leads`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_is_on(dentry: u64, superblock: u64, mount: u64) -> u64 {
    // SAFETY: all is probed.
    unsafe {
        let (superblock, mount) = (superblock as Address, mount as Address);
        if Probed::member::<Address>(mount, offset!(file.mount_sb)) != superblock {
            return 0;
        }
        let root: Address = Probed::member(mount, offset!(vfsmount_root));
        if root == Probed::member(superblock, offset!(file.sb_root)) {
            return 1;
        }
        file_is_below(dentry, root as u64)
    }
}

/// Whether a name is below another one of the same file system, or is it.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_is_below(dentry: u64, root: u64) -> u64 {
    let mut here = dentry;
    let mut count = zero();
    while count < DEPTH {
        count += BATCH;
        let above = file_above(here, root);
        if above == root {
            return 1;
        }
        if above == here {
            return 0;
        }
        here = above;
    }
    0
}

/// The folder some steps up from a name: not beyond `root`, and the file system's root is its own.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn file_above(dentry: u64, root: u64) -> u64 {
    let mut here = dentry;
    let mut step = zero();
    while step < BATCH && here != root {
        step += 1;
        // SAFETY: probed.
        here = unsafe { Probed::member(here as Address, offset!(dentry_parent)) };
    }
    here
}
