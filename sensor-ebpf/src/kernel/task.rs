//! Who a task is: identity, parent, credentials, namespaces, terminal.
//!
//! `task` is a typed pointer where the tracepoint gives one; programs that have only its address read the same through
//! [`super::load::Probed`].

use aya_ebpf::programs::BtfTracePointContext;

use crate::offsets::ABSENT;
use crate::record::{COMM_LEN, ExecRecord, Ids, Namespaces, Place, ProcessKey, TTY_LEN};

use super::load::{Address, Memory, Probed, Typed, at_most, offset, present};
use super::mounts;
use super::scratch::Area;

/// `MAX_PID_NS_LEVEL` of Linux.
const LEVEL_MAX: u64 = 32;

/// The process that a task belongs to: `task` must be its group leader.
///
/// # Safety
///
/// `leader` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(crate) unsafe fn key<M: Memory>(leader: Address) -> ProcessKey {
    // SAFETY: the verifier.
    unsafe {
        ProcessKey {
            start: M::member(leader, offset!(task_start_boottime)),
            tgid: M::member(leader, offset!(task_tgid)),
            reserved: 0,
        }
    }
}

/// Whether the thread that exits is the last one of its process, by the arguments of `sched_process_exit`.
///
/// The kernel counts a thread out of `signal->live` before. Since Linux 6.16 it says itself whether that was the last one.
/// Before, two last threads that exit at the same time may both see the count at zero.
///
/// # Safety
///
/// `ctx` must be of that tracepoint, `signal` the task's `signal_struct`. On kernels without the second argument the verifier
/// prunes the branch.
#[inline(always)]
pub(crate) unsafe fn is_last(ctx: &BtfTracePointContext, signal: Address) -> bool {
    // SAFETY: the verifier.
    unsafe {
        if present!(exit_group_dead) {
            ctx.arg::<u64>(1) & 0xff != 0
        } else {
            Typed::member::<u32>(signal, offset!(signal_live)) == 0
        }
    }
}

/// How a process ended, as `wait(2)` reports it.
///
/// # Safety
///
/// `leader` must be the process's, `signal` its `signal_struct`, both typed.
#[inline(always)]
pub(crate) unsafe fn status(leader: Address, signal: Address) -> u32 {
    /// `SIGNAL_GROUP_EXIT` of Linux: `group_exit_code` holds the status of the whole group.
    const SIGNAL_GROUP_EXIT: u32 = 4;
    // SAFETY: the verifier.
    unsafe {
        let flags: u32 = Typed::member(signal, offset!(signal_flags));
        // Both, as the compiler would choose the structure and the member one by one, and Linux 5.10 refuses what never happens.
        let (of_group, of_leader): (u32, u32) =
            (Typed::member(signal, offset!(signal_group_exit_code)), Typed::member(leader, offset!(task_exit_code)));
        if flags & SIGNAL_GROUP_EXIT != 0 { of_group } else { of_leader }
    }
}

/// The process that a task belongs to, whichever of its threads it is.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(super) unsafe fn process_of<M: Memory>(task: Address) -> ProcessKey {
    // SAFETY: the verifier.
    unsafe {
        let leader: Address = M::member(task, offset!(task_group_leader));
        if leader.is_null() { ProcessKey { start: 0, tgid: 0, reserved: 0 } } else { key::<M>(leader) }
    }
}

/// The real parent, or zeroes.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(super) unsafe fn parent_of<M: Memory>(task: Address) -> ProcessKey {
    // SAFETY: the verifier.
    unsafe {
        let parent: Address = M::member(task, offset!(task_real_parent));
        if parent.is_null() { ProcessKey { start: 0, tgid: 0, reserved: 0 } } else { process_of::<M>(parent) }
    }
}

/// `task_struct.comm`, sixteen bytes, in two loads.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(super) unsafe fn comm_of<M: Memory>(task: Address) -> [u64; COMM_LEN / 8] {
    // SAFETY: the verifier.
    unsafe { [M::member(task, offset!(task_comm)), M::member(task, offset!(task_comm) + 8)] }
}

/// A process's id in its innermost pid namespace, and that namespace's inode number.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read.
#[inline(always)]
pub(super) unsafe fn innermost_pid<M: Memory>(task: Address) -> (u32, u32) {
    // SAFETY: the verifier; what it cannot follow is probed.
    unsafe {
        let pid: Address = M::member(task, offset!(task_thread_pid));
        if pid.is_null() {
            return (0, 0);
        }
        let level: u32 = M::member(pid, offset!(pid_level));
        if level == 0 {
            let ns: Address = M::member(pid, offset!(pid_numbers) + offset!(upid_ns));
            let inum = if ns.is_null() { 0 } else { M::member(ns, offset!(pid_ns_inum)) };
            return (M::member(pid, offset!(pid_numbers) + offset!(upid_nr)), inum);
        }
        // A variable index: the verifier cannot follow it through a typed pointer, and wants it bounded even so.
        let index = at_most::<LEVEL_MAX>(u64::from(level));
        let numbers = pid as u64 + u64::from(offset!(pid_numbers));
        let number = (numbers + index * u64::from(offset!(upid_size))) as Address;
        let ns: Address = Probed::member(number, offset!(upid_ns));
        (Probed::member(number, offset!(upid_nr)), Probed::member(ns, offset!(pid_ns_inum)))
    }
}

/// Fills in everything that describes the task.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read, `record` within `area`.
#[inline(always)]
pub(super) unsafe fn describe<M: Memory>(task: Address, area: Area, record: *mut ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        (*record).process = process_of::<M>(task);
        (*record).parent = parent_of::<M>(task);
        (*record).exec_id = M::member::<u64>(task, offset!(task_self_exec_id)) as u16;
        (&raw mut (*record).comm).cast::<[u64; 2]>().write(comm_of::<M>(task));
        credentials::<M>(task, &raw mut (*record).ids, &raw mut (*record).namespaces);
        let (ns_pid, pid_ns) = innermost_pid::<M>(task);
        (*record).ns_pid = ns_pid;
        (*record).namespaces.pid = pid_ns;
        namespaces::<M>(task, &raw mut (*record).namespaces);
        root::<M>(task, &raw mut (*record).place);
        mounts::note::<M>(task, area);
        terminal::<M>(task, &raw mut (*record).tty);
        (*record).reserved = 0;
    }
}

/// The task's ids, and the user namespace that they are of.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read; the others must be within their record.
#[inline(always)]
pub(super) unsafe fn credentials<M: Memory>(task: Address, ids: *mut Ids, namespaces: *mut Namespaces) {
    // SAFETY: the verifier.
    unsafe {
        let cred: Address = M::member(task, offset!(task_cred));
        if !cred.is_null() {
            (*ids).uid = M::member(cred, offset!(cred_uid));
            (*ids).gid = M::member(cred, offset!(cred_gid));
            (*ids).euid = M::member(cred, offset!(cred_euid));
            (*ids).egid = M::member(cred, offset!(cred_egid));
            (*ids).cap_effective = M::member(cred, offset!(cred_cap_effective));
            let user: Address = M::member(cred, offset!(cred_user_ns));
            (*namespaces).user = if user.is_null() { 0 } else { M::member(user, offset!(user_ns_inum)) };
        } else {
            (*ids).uid = ABSENT;
            (*ids).gid = ABSENT;
            (*ids).euid = ABSENT;
            (*ids).egid = ABSENT;
            (*ids).cap_effective = 0;
            (*namespaces).user = 0;
        }
        (*ids).loginuid = if present!(task_loginuid) { M::member(task, offset!(task_loginuid)) } else { u32::MAX };
        (*ids).session = if present!(task_sessionid) { M::member(task, offset!(task_sessionid)) } else { u32::MAX };
    }
}

/// The mount, network and cgroup namespace.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read; the others must be within their record.
#[inline(always)]
pub(super) unsafe fn namespaces<M: Memory>(task: Address, to: *mut Namespaces) {
    // SAFETY: the verifier.
    unsafe {
        (*to).mnt = 0;
        (*to).net = 0;
        (*to).cgroup = 0;
        (*to).cgroup_root = 0;
        let proxy: Address = M::member(task, offset!(task_nsproxy));
        if proxy.is_null() {
            return;
        }
        let mnt: Address = M::member(proxy, offset!(nsproxy_mnt_ns));
        if !mnt.is_null() {
            (*to).mnt = M::member(mnt, offset!(mnt_ns_inum));
        }
        let net: Address = M::member(proxy, offset!(nsproxy_net_ns));
        if !net.is_null() {
            (*to).net = M::member(net, offset!(net_inum));
        }
        if !present!(nsproxy_cgroup_ns) || !present!(cgroup_ns_inum) || !present!(cgroup_ns_root_cset) {
            return;
        }
        let cgroup: Address = M::member(proxy, offset!(nsproxy_cgroup_ns));
        if cgroup.is_null() {
            return;
        }
        (*to).cgroup = M::member(cgroup, offset!(cgroup_ns_inum));
        let set: Address = M::member(cgroup, offset!(cgroup_ns_root_cset));
        if set.is_null() {
            return;
        }
        let root: Address = M::member(set, offset!(css_set_dfl_cgrp));
        if !root.is_null() {
            (*to).cgroup_root = M::member(root, offset!(cgroup_level));
        }
    }
}

/// The root directory, which is another than the host's in a container, also where it is a folder of the same file system.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read; the others must be within their record.
#[inline(always)]
pub(super) unsafe fn root<M: Memory>(task: Address, to: *mut Place) {
    // SAFETY: the verifier.
    unsafe {
        (*to).root_inode = 0;
        (*to).root_device = 0;
        let fs: Address = M::member(task, offset!(task_fs));
        if fs.is_null() {
            return;
        }
        let dentry: Address = M::member(fs, offset!(fs_root_dentry));
        if dentry.is_null() {
            return;
        }
        let inode: Address = M::member(dentry, offset!(dentry_inode));
        if inode.is_null() {
            return;
        }
        (*to).root_inode = M::member(inode, offset!(inode_ino));
        let superblock: Address = M::member(inode, offset!(inode_sb));
        if !superblock.is_null() {
            (*to).root_device = M::member(superblock, offset!(sb_dev));
        }
    }
}

/// The controlling terminal's name.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read; the others must be within their record.
#[inline(always)]
pub(super) unsafe fn terminal<M: Memory>(task: Address, tty: *mut [u8; TTY_LEN]) {
    // SAFETY: the verifier. `tty_struct.name` has 64 bytes.
    unsafe {
        let to = tty.cast::<[u64; TTY_LEN / 8]>();
        let signal: Address = M::member(task, offset!(task_signal));
        if !signal.is_null() {
            let tty: Address = M::member(signal, offset!(signal_tty));
            if !tty.is_null() {
                let name = offset!(tty_name);
                to.write([M::member(tty, name), M::member(tty, name + 8), M::member(tty, name + 16)]);
                return;
            }
        }
        to.write([0; TTY_LEN / 8]);
    }
}
