//! Who a task is: identity, parent, credentials, namespaces, terminal.

use sensor_ebpf::offsets::ABSENT;
use sensor_ebpf::record::{COMM_LEN, ExecRecord, ProcessKey, TTY_LEN};

use super::load::{Address, at_most, member, offset, present, probe};
use super::scratch::Area;

/// `MAX_PID_NS_LEVEL` of Linux.
const LEVEL_MAX: u64 = 32;

/// The process that a task belongs to: `task` must be its group leader.
///
/// # Safety
///
/// `leader` must be a typed `task_struct` pointer.
#[inline(always)]
pub(super) unsafe fn key(leader: Address) -> ProcessKey {
    // SAFETY: the verifier.
    unsafe {
        ProcessKey {
            start: member(leader, offset!(task_start_boottime)),
            tgid: member(leader, offset!(task_tgid)),
            reserved: 0,
        }
    }
}

/// The process that a task belongs to, whichever of its threads it is.
///
/// # Safety
///
/// `task` must be a typed `task_struct` pointer.
#[inline(always)]
pub(super) unsafe fn process_of(task: Address) -> ProcessKey {
    // SAFETY: the verifier.
    unsafe {
        let leader: Address = member(task, offset!(task_group_leader));
        if leader.is_null() { ProcessKey { start: 0, tgid: 0, reserved: 0 } } else { key(leader) }
    }
}

/// The real parent, or zeroes.
///
/// # Safety
///
/// `task` must be a typed `task_struct` pointer.
#[inline(always)]
pub(super) unsafe fn parent_of(task: Address) -> ProcessKey {
    // SAFETY: the verifier.
    unsafe {
        let parent: Address = member(task, offset!(task_real_parent));
        if parent.is_null() { ProcessKey { start: 0, tgid: 0, reserved: 0 } } else { process_of(parent) }
    }
}

/// `task_struct.comm`, sixteen bytes, in two loads.
///
/// # Safety
///
/// `task` must be a typed `task_struct` pointer.
#[inline(always)]
pub(super) unsafe fn comm_of(task: Address) -> [u64; COMM_LEN / 8] {
    // SAFETY: the verifier.
    unsafe { [member(task, offset!(task_comm)), member(task, offset!(task_comm) + 8)] }
}

/// A process's id in its innermost pid namespace, and that namespace's inode number.
///
/// # Safety
///
/// `task` must be a typed `task_struct` pointer; `area` gives room for a word, and its content is lost.
#[inline(always)]
pub(super) unsafe fn innermost_pid(task: Address, word: *mut u64) -> (u32, u32) {
    // SAFETY: the verifier, and `probe` for what it cannot follow.
    unsafe {
        let pid: Address = member(task, offset!(task_thread_pid));
        if pid.is_null() {
            return (0, 0);
        }
        let level: u32 = member(pid, offset!(pid_level));
        if level == 0 {
            let ns: Address = member(pid, offset!(pid_numbers) + offset!(upid_ns));
            let inum = if ns.is_null() { 0 } else { member(ns, offset!(pid_ns_inum)) };
            return (member(pid, offset!(pid_numbers) + offset!(upid_nr)), inum);
        }
        // A variable index: the verifier cannot follow it through a typed pointer, and wants it bounded even so.
        let index = at_most::<LEVEL_MAX>(u64::from(level));
        let numbers = pid as u64 + u64::from(offset!(pid_numbers));
        let number = numbers + index * u64::from(offset!(upid_size));
        word.write_volatile(0);
        probe(word.cast::<u32>(), number + u64::from(offset!(upid_nr)));
        let nr = word.cast::<u32>().read_volatile();
        probe(word, number + u64::from(offset!(upid_ns)));
        let ns = word.read_volatile();
        word.write_volatile(0);
        probe(word.cast::<u32>(), ns + u64::from(offset!(pid_ns_inum)));
        (nr, word.cast::<u32>().read_volatile())
    }
}

/// Fills in everything that describes the task.
///
/// # Safety
///
/// `task` must be a typed `task_struct` pointer, `record` within `area`.
#[inline(always)]
pub(super) unsafe fn describe(task: Address, area: Area, record: *mut ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        (*record).process = process_of(task);
        (*record).parent = parent_of(task);
        (&raw mut (*record).comm).cast::<[u64; 2]>().write(comm_of(task));
        credentials(task, record);
        let (ns_pid, pid_ns) = innermost_pid(task, &raw mut (*area.0).word);
        (*record).ns_pid = ns_pid;
        (*record).namespaces.pid = pid_ns;
        namespaces(task, record);
        terminal(task, record);
    }
}

#[inline(always)]
unsafe fn credentials(task: Address, record: *mut ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        let ids = &raw mut (*record).ids;
        let cred: Address = member(task, offset!(task_cred));
        if !cred.is_null() {
            (*ids).uid = member(cred, offset!(cred_uid));
            (*ids).gid = member(cred, offset!(cred_gid));
            (*ids).euid = member(cred, offset!(cred_euid));
            (*ids).egid = member(cred, offset!(cred_egid));
            (*ids).cap_effective = member(cred, offset!(cred_cap_effective));
            let user: Address = member(cred, offset!(cred_user_ns));
            (*record).namespaces.user = if user.is_null() { 0 } else { member(user, offset!(user_ns_inum)) };
        } else {
            (*ids).uid = ABSENT;
            (*ids).gid = ABSENT;
            (*ids).euid = ABSENT;
            (*ids).egid = ABSENT;
            (*ids).cap_effective = 0;
            (*record).namespaces.user = 0;
        }
        (*ids).loginuid = if present!(task_loginuid) { member(task, offset!(task_loginuid)) } else { u32::MAX };
        (*ids).session = if present!(task_sessionid) { member(task, offset!(task_sessionid)) } else { u32::MAX };
    }
}

#[inline(always)]
unsafe fn namespaces(task: Address, record: *mut ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        let to = &raw mut (*record).namespaces;
        (*to).mnt = 0;
        (*to).net = 0;
        let proxy: Address = member(task, offset!(task_nsproxy));
        if proxy.is_null() {
            return;
        }
        let mnt: Address = member(proxy, offset!(nsproxy_mnt_ns));
        if !mnt.is_null() {
            (*to).mnt = member(mnt, offset!(mnt_ns_inum));
        }
        let net: Address = member(proxy, offset!(nsproxy_net_ns));
        if !net.is_null() {
            (*to).net = member(net, offset!(net_inum));
        }
    }
}

#[inline(always)]
unsafe fn terminal(task: Address, record: *mut ExecRecord) {
    // SAFETY: the verifier. `tty_struct.name` has 64 bytes.
    unsafe {
        let to = (&raw mut (*record).tty).cast::<[u64; TTY_LEN / 8]>();
        let signal: Address = member(task, offset!(task_signal));
        if !signal.is_null() {
            let tty: Address = member(signal, offset!(signal_tty));
            if !tty.is_null() {
                let name = offset!(tty_name);
                to.write([member(tty, name), member(tty, name + 8), member(tty, name + 16)]);
                return;
            }
        }
        to.write([0; TTY_LEN / 8]);
    }
}
