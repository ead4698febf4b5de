//! Who does something, as it is now: for records of events that the process table knows the rest to.

use crate::record::{Actor, ProcessKey};
use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_get_current_task_btf};

use super::load::{Address, CastOrTyped, Memory, Probed, Typed, offset, present};
use super::task;

/// Fills in the task at hand. A function of its own, as is [`describe_other`]: so it is in the object once, and not in every program.
///
/// The helper that gives it as a typed pointer is Linux 5.11's. Before, all is read through the plain address, which takes a call of a
/// helper for each word; and where there is a cast for that, which takes none.
///
/// # Safety
///
/// `actor` must be within its record.
#[inline(never)]
pub(crate) unsafe fn describe(actor: *mut Actor) {
    // SAFETY: the task is typed, or all that is reached through it is probed.
    unsafe {
        if present!(current_task_helper) && !present!(rdonly_cast) {
            describe_task::<Typed>(bpf_get_current_task_btf() as Address, actor);
        } else {
            describe_other(bpf_get_current_task() as Address, actor);
        }
    }
}

/// The process at hand alone.
#[inline(always)]
pub(crate) fn process() -> ProcessKey {
    // SAFETY: as in `describe`.
    unsafe {
        if present!(current_task_helper) {
            task::process_of::<CastOrTyped>(bpf_get_current_task_btf() as Address)
        } else {
            task::process_of::<Probed>(bpf_get_current_task() as Address)
        }
    }
}

/// Fills in this task, which need not be typed.
///
/// # Safety
///
/// `actor` must be within its record.
#[inline(never)]
pub(crate) unsafe fn describe_other(task: Address, actor: *mut Actor) {
    // SAFETY: probed; the caller.
    unsafe { describe_task::<Probed>(task, actor) }
}

/// Fills in this task.
///
/// # Safety
///
/// `task` must be a `task_struct` pointer that `M` can read, `actor` within its record.
#[inline(always)]
pub(crate) unsafe fn describe_task<M: Memory>(task: Address, actor: *mut Actor) {
    // SAFETY: the caller.
    unsafe {
        (*actor).process = task::process_of::<M>(task);
        (*actor).tid = M::member(task, offset!(task_pid));
        (&raw mut (*actor).comm).cast::<[u64; 2]>().write(task::comm_of::<M>(task));
        task::credentials::<M>(task, &raw mut (*actor).ids, &raw mut (*actor).namespaces);
        task::namespaces::<M>(task, &raw mut (*actor).namespaces);
        let (ns_pid, pid_ns) = task::innermost_pid::<M>(task);
        (*actor).ns_pid = ns_pid;
        (*actor).namespaces.pid = pid_ns;
    }
}
