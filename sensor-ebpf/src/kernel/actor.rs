//! Who does something, as it is now: for records of events that the process table knows the rest to.
//!
//! Read through the plain address: the helper that gives the task as a typed pointer is Linux 5.11's, and such events are rare.

use crate::record::Actor;
use aya_ebpf::helpers::generated::bpf_get_current_task;

use super::load::{Address, Memory, Probed, offset};
use super::task;

/// Fills in the task at hand.
///
/// # Safety
///
/// `actor` must be within its record.
#[inline(always)]
pub(crate) unsafe fn describe(actor: *mut Actor) {
    // SAFETY: all that is reached through the task is probed.
    unsafe {
        let task = bpf_get_current_task() as Address;
        (*actor).process = task::process_of::<Probed>(task);
        (*actor).tid = Probed::member(task, offset!(task_pid));
        (&raw mut (*actor).comm).cast::<[u64; 2]>().write(task::comm_of::<Probed>(task));
        task::credentials::<Probed>(task, &raw mut (*actor).ids, &raw mut (*actor).namespaces);
        task::namespaces::<Probed>(task, &raw mut (*actor).namespaces);
        let mut word = 0_u64;
        let (ns_pid, pid_ns) = task::innermost_pid::<Probed>(task, &raw mut word);
        (*actor).ns_pid = ns_pid;
        (*actor).namespaces.pid = pid_ns;
    }
}
