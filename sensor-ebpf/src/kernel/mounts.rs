//! Whose mounts a path leads over.
//!
//! A path is true where its mounts are: whoever may make a mount namespace gives a file any name there. So each path comes
//! with whose its mount is, by the mount itself and not by the task, which can run files of namespaces that it is not in
//! (by a descriptor, or through `/proc/PID/root`). What is the host's are the mounts that pid 1 sees.

use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_get_current_task_btf};

use crate::record::exec_flags;

use super::load::{Address, CastOrTyped, Memory, Probed, address, fetch, offset, present};
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

/// The same of the task at hand.
#[inline(always)]
pub(crate) fn note_current(area: Area) {
    // SAFETY: the task is typed, or all that is reached through it is probed.
    unsafe {
        if present!(current_task_helper) {
            note::<CastOrTyped>(bpf_get_current_task_btf() as Address, area);
        } else {
            note::<Probed>(bpf_get_current_task() as Address, area);
        }
    }
}

/// The mount namespace of pid 1: the initial pid namespace is at the top of every task's.
///
/// # Safety
///
/// As [`note`].
#[inline(always)]
pub(super) unsafe fn host<M: Memory>(task: Address) -> u64 {
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

/// A task's mount namespace; zero at its end.
///
/// # Safety
///
/// As [`note`].
#[inline(always)]
pub(super) unsafe fn namespace<M: Memory>(task: Address) -> u64 {
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
        fetch(word, mount + u64::from(offset!(mount_ns)));
        let namespace = word.read_volatile();
        if namespace == 0 || namespace >= ERRORS {
            return nowhere;
        }
        if namespace == (&raw const (*area.0).host_mounts).read_volatile() {
            return Place { is_in_tree: true, flags: exec_flags::HOST_MOUNTS };
        }
        let is_in_tree = namespace == (&raw const (*area.0).own_mounts).read_volatile();
        let owner: Address = Probed::member(namespace as Address, offset!(mnt_ns_user_ns));
        if owner.is_null() {
            return nowhere;
        }
        let flags = match (is_initial(owner), is_in_tree) {
            (false, _) => exec_flags::USER_MOUNTS,
            (true, true) => 0,
            (true, false) => exec_flags::PATH_ADRIFT,
        };
        Place { is_in_tree, flags }
    }
}

/// Whether this is the initial user namespace, which is root's.
///
/// # Safety
///
/// All is probed.
#[inline(always)]
pub(super) unsafe fn is_initial(namespace: Address) -> bool {
    // SAFETY: as above.
    unsafe { Probed::member::<u32>(namespace, offset!(user_ns_inum)) == INITIAL_USER_NAMESPACE }
}

/// Whether there is another mount that one is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Above {
    /// The walk of the area is at its place there.
    Mount,
    /// It is the top of its tree.
    Nothing,
    /// It cannot be read.
    Unknown,
}

/// Takes the walk of an area from the root of the mount that it is in to where that is mounted.
///
/// # Safety
///
/// `dentry`, `mount` and `mount_root` of the area must be set.
#[inline(always)]
pub(super) unsafe fn leave(area: Area) -> Above {
    // SAFETY: within the area.
    unsafe {
        let mount = &raw mut (*area.0).mount;
        let here = mount.read_volatile();
        let word = &raw mut (*area.0).word;
        if !address(word, here + u64::from(offset!(mount_parent))) {
            return Above::Unknown;
        }
        let up = word.read_volatile();
        if up == here {
            return Above::Nothing;
        }
        let root = up + u64::from(offset!(mount_mnt)) + u64::from(offset!(vfsmount_root));
        if !address(&raw mut (*area.0).dentry, here + u64::from(offset!(mount_mountpoint)))
            || !address(&raw mut (*area.0).mount_root, root)
        {
            return Above::Unknown;
        }
        mount.write_volatile(up);
        Above::Mount
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
        fetch(word, mount + u64::from(offset!(mount_ns)));
        let namespace = word.read_volatile();
        namespace != (&raw const (*area.0).host_mounts).read_volatile()
            && namespace != (&raw const (*area.0).own_mounts).read_volatile()
    }
}
