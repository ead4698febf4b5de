//! Whose budget is spent: see [`crate::budget`].
//!
//! What nobody can choose decides, in this order:
//!
//! 1. A pid or mount namespace that is not the host's and belongs to the initial user namespace, so that root has made it: a
//!    container, or a service with folders of its own. Whoever is in it may take any user id, and claim any login if it has none.
//! 2. The owner of the outermost user namespace that is not the initial one: who has made it, and so who has the 65,536 ids that are
//!    theirs in it. One that root has made is for itself.
//! 3. The real user id. Above [`ASSIGNED`] it can be one of those 65,536, by a file with the setuid bit: there, and for root, who has
//!    started `sudo`, a login that is set comes first.
//! 4. Of root's programs without one, whoever started them, a few generations up.

use crate::budget::Lane;
use aya_ebpf::helpers::generated::bpf_get_current_task;

use super::load::{Address, Memory, Probed, offset, present};
use super::mounts::{self, is_initial};

/// Generations in which somebody else than root is looked for: `sudo` and its monitor are two.
const GENERATIONS: u32 = 4;
/// User namespaces within each other, of which Linux makes 32 below the initial one.
const NESTED: u32 = 33;
/// Ids that administrators give to users of the host; above them are those that users have besides.
const ASSIGNED: u32 = 1 << 16;
/// A login that was never set.
const NONE: u32 = u32::MAX;

/// Of the task at hand.
#[inline(always)]
pub(crate) fn of_task() -> Lane {
    Lane::at(place_of_task() as u32)
}

/// Of this one, which need not be typed.
#[inline(always)]
pub(crate) fn of(task: Address) -> Lane {
    // SAFETY: all is probed.
    Lane::of(unsafe { container(task).or_else(|| user_namespace(task)).unwrap_or_else(|| user(task)) })
}

/// The place of the lane of the task at hand. In a function of its own, which the verifier goes through once.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn place_of_task() -> u64 {
    // SAFETY: takes nothing.
    of(unsafe { bpf_get_current_task() } as Address).place().into()
}

/// The number of a namespace of root's making, not the host's, that the task is in.
#[inline(always)]
unsafe fn container(task: Address) -> Option<u32> {
    // SAFETY: all is probed; what is not there reads as zero.
    unsafe {
        let pid: Address = Probed::member(task, offset!(task_thread_pid));
        let numbers = offset!(pid_numbers) + offset!(upid_ns);
        if Probed::member::<u32>(pid, offset!(pid_level)) > 0 {
            // Those within it are of its own making.
            let below: Address = Probed::member(pid, numbers + offset!(upid_size));
            if is_initial(Probed::member(below, offset!(pid_ns_user_ns))) {
                return Some(Probed::member(below, offset!(pid_ns_inum)));
            }
        }
        let mounts = mounts::namespace::<Probed>(task) as Address;
        if mounts.is_null()
            || mounts as u64 == mounts::host::<Probed>(task)
            || !is_initial(Probed::member(mounts, offset!(mnt_ns_user_ns)))
        {
            return None;
        }
        Some(Probed::member(mounts, offset!(mnt_ns_inum)))
    }
}

/// Who has made the outermost user namespace that the task is in; of root's, its number.
#[inline(always)]
unsafe fn user_namespace(task: Address) -> Option<u32> {
    // SAFETY: all is probed.
    unsafe {
        let cred: Address = Probed::member(task, offset!(task_cred));
        let mut namespace: Address = Probed::member(cred, offset!(cred_user_ns));
        let mut nested = 0;
        while nested < NESTED {
            nested += 1;
            match Probed::member::<u32>(namespace, offset!(user_ns_level)) {
                0 => return None,
                1 => {
                    let owner: u32 = Probed::member(namespace, offset!(user_ns_owner));
                    return Some(if owner == 0 { Probed::member(namespace, offset!(user_ns_inum)) } else { owner });
                }
                _ => namespace = Probed::member(namespace, offset!(user_ns_parent)),
            }
        }
        None
    }
}

/// By ids and the login.
#[inline(always)]
unsafe fn user(task: Address) -> u32 {
    // SAFETY: all is probed.
    unsafe {
        let own = user_of(task);
        let login = if present!(task_loginuid) { Probed::member(task, offset!(task_loginuid)) } else { NONE };
        if login != NONE && (own == 0 || own >= ASSIGNED) {
            return login;
        }
        let (mut ancestor, mut user) = (task, own);
        let mut generation = 1;
        while user == 0 && generation < GENERATIONS {
            generation += 1;
            ancestor = Probed::member(ancestor, offset!(task_real_parent));
            user = user_of(ancestor);
        }
        user
    }
}

/// The real user id.
#[inline(always)]
unsafe fn user_of(task: Address) -> u32 {
    // SAFETY: all is probed.
    unsafe {
        let cred: Address = Probed::member(task, offset!(task_cred));
        Probed::member(cred, offset!(cred_uid))
    }
}
