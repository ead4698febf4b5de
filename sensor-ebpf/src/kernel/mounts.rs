//! Whose mounts a path leads over.
//!
//! A path is true where its mounts are: whoever may make a mount namespace gives a file any name there. So each path comes
//! with whose its mount is, by the mount itself and not by the task, which can run files of namespaces that it is not in
//! (by a descriptor, or through `/proc/PID/root`). What is the host's are the mounts that pid 1 sees.

use crate::record::exec_flags;

use super::load::{Address, Memory, offset, probe};
use super::scratch::Area;

/// `PROC_USER_INIT_INO` of Linux: the inode number of the initial user namespace.
const INITIAL_USER_NAMESPACE: u32 = 0xEFFF_FFFD;
/// Addresses from here on are errors in disguise: the kernel's own mounts have such a one for their namespace.
const ERRORS: u64 = -4096_i64 as u64;

/// What a mount is to the task and to the host.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Whether it is in the tree of the host or of the task.
    pub(super) is_in_tree: bool,
    /// [`exec_flags::HOST_MOUNTS`], [`exec_flags::USER_MOUNTS`], [`exec_flags::PATH_ADRIFT`], or none of them.
    pub(super) flags: u32,
}

/// Notes in the area which mount namespaces the task and the host have.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(crate) unsafe fn note<M: Memory>(task: Address, area: Area) {
    // SAFETY: the verifier.
    unsafe {
        (&raw mut (*area.0).own_mounts).write_volatile(namespace::<M>(task));
        (&raw mut (*area.0).host_mounts).write_volatile(host::<M>(task));
    }
}

/// The mount namespace of pid 1: the initial pid namespace is at the top of every task's.
#[inline(always)]
unsafe fn host<M: Memory>(task: Address) -> u64 {
    // SAFETY: the verifier.
    unsafe {
        let pid: Address = M::member(task, offset!(task_thread_pid));
        if pid.is_null() {
            return 0;
        }
        let initial: Address = M::member(pid, offset!(pid_numbers) + offset!(upid_ns));
        if initial.is_null() {
            return 0;
        }
        let first: Address = M::member(initial, offset!(pid_ns_child_reaper));
        if first.is_null() { 0 } else { namespace::<M>(first) }
    }
}

#[inline(always)]
unsafe fn namespace<M: Memory>(task: Address) -> u64 {
    // SAFETY: the verifier.
    unsafe {
        let proxy: Address = M::member(task, offset!(task_nsproxy));
        if proxy.is_null() { 0 } else { M::member(proxy, offset!(nsproxy_mnt_ns)) }
    }
}

/// What a `struct mount` is. Nothing is known of one that cannot be read: it is in nobody's tree.
///
/// # Safety
///
/// [`note`] must have been called for the area.
#[inline(always)]
pub(super) unsafe fn of(area: Area, mount: u64) -> Place {
    let nowhere = Place { is_in_tree: false, flags: 0 };
    // SAFETY: within the area; `probe` the rest.
    unsafe {
        let word = &raw mut (*area.0).word;
        if !probe(word, mount + u64::from(offset!(mount_ns))) {
            return nowhere;
        }
        let namespace = word.read_volatile();
        if namespace == 0 || namespace >= ERRORS {
            return nowhere;
        }
        if namespace == (&raw const (*area.0).host_mounts).read_volatile() {
            return Place { is_in_tree: true, flags: exec_flags::HOST_MOUNTS };
        }
        let is_in_tree = namespace == (&raw const (*area.0).own_mounts).read_volatile();
        word.write_volatile(0);
        if !probe(word, namespace + u64::from(offset!(mnt_ns_user_ns))) {
            return nowhere;
        }
        let owner = word.read_volatile();
        word.write_volatile(0);
        probe(word.cast::<u32>(), owner + u64::from(offset!(user_ns_inum)));
        let is_users = word.cast::<u32>().read_volatile() != INITIAL_USER_NAMESPACE;
        let flags = match (is_users, is_in_tree) {
            (true, _) => exec_flags::USER_MOUNTS,
            (false, true) => 0,
            (false, false) => exec_flags::PATH_ADRIFT,
        };
        Place { is_in_tree, flags }
    }
}

/// Whether a mount at the top of its tree is in nobody's, or in that of a namespace which is neither the task's nor the
/// host's.
///
/// # Safety
///
/// As [`of`].
#[inline(always)]
pub(super) unsafe fn is_adrift(area: Area, mount: u64) -> bool {
    // SAFETY: as above.
    unsafe {
        let word = &raw mut (*area.0).word;
        if !probe(word, mount + u64::from(offset!(mount_ns))) {
            return true;
        }
        let namespace = word.read_volatile();
        namespace != (&raw const (*area.0).host_mounts).read_volatile()
            && namespace != (&raw const (*area.0).own_mounts).read_volatile()
    }
}
