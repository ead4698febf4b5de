//! Whether the kernel takes a datagram's messages.
//!
//! `audit_netlink_ok` takes user messages from the initial user namespace alone, and asks `netlink_capable` for
//! `CAP_AUDIT_WRITE`: both the sender and, unless the datagram was addressed explicitly, whoever opened its socket must have
//! it in the initial user namespace. Nobody else can change a task's credentials, and those of an open file never change, so
//! asking the same right after gives the same answer. What security modules add to it is noted at
//! `netlink_capable` itself, where programs may be attached to functions.

use crate::classes::Source;
use crate::record::Refusal;
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::helpers::generated::bpf_get_current_task;
use aya_ebpf::macros::btf_map;

use super::super::emit::Run;
use super::super::load::{Address, Memory, Probed, offset, present};

/// `CAP_AUDIT_WRITE` of Linux.
const AUDIT_WRITE: u64 = 29;
/// `PROC_USER_INIT_INO` of Linux: the inode number of the initial user namespace.
const INITIAL_USER_NAMESPACE: u32 = 0xEFFF_FFFD;
/// `NETLINK_SKB_DST` of Linux: the datagram was addressed explicitly.
const ADDRESSED: u32 = 8;

/// Buffers that `netlink_capable` said no to, from there to the end of `audit_receive` in the same call.
#[btf_map]
static REFUSED: LruHashMap<u64, u8, 1024> = LruHashMap::new();

/// Notes the kernel's own verdict on a buffer.
#[inline(always)]
pub(super) fn note<const N: u32>(skb: u64, capability: u64, allowed: bool) {
    if capability & 0xffff_ffff != AUDIT_WRITE {
        return;
    }
    let Some(run) = Run::begin::<N>(Source::AuditVerdict) else { return };
    if !allowed {
        run.refused();
        if REFUSED.insert(&skb, &1, 0).is_err() {
            return run.failed();
        }
    }
    run.filtered();
}

/// Why the messages of a buffer do not count; none if they do.
///
/// # Safety
///
/// `skb` must be a `sk_buff`, in the call of its sender.
#[inline(always)]
pub(super) unsafe fn of(skb: Address) -> Option<Refusal> {
    // SAFETY: probed.
    unsafe {
        let task = bpf_get_current_task() as Address;
        let sender: Address = Probed::member(task, offset!(task_cred));
        let noted = REFUSED.remove(&(skb as u64)).is_ok();
        if user_namespace(sender) != INITIAL_USER_NAMESPACE {
            return Some(Refusal::UserNamespace);
        }
        if !may_write(sender) {
            return Some(Refusal::Capability);
        }
        if !is_addressed(skb) && !may_write(opener(skb)) {
            return Some(Refusal::Capability);
        }
        if noted { Some(Refusal::SecurityModule) } else { None }
    }
}

#[inline(always)]
unsafe fn user_namespace(cred: Address) -> u32 {
    // SAFETY: probed.
    unsafe {
        let namespace: Address = Probed::member(cred, offset!(cred_user_ns));
        Probed::member(namespace, offset!(user_ns_inum))
    }
}

#[inline(always)]
unsafe fn may_write(cred: Address) -> bool {
    // SAFETY: probed.
    unsafe {
        let capabilities: u64 = Probed::member(cred, offset!(cred_cap_effective));
        capabilities >> AUDIT_WRITE & 1 != 0 && user_namespace(cred) == INITIAL_USER_NAMESPACE
    }
}

#[inline(always)]
unsafe fn is_addressed(skb: Address) -> bool {
    // SAFETY: probed.
    unsafe { Probed::member::<u32>(skb, offset!(audit.skb_cb) + offset!(audit.netlink_cb_flags)) & ADDRESSED != 0 }
}

/// The credentials with which the sender's socket was opened.
#[inline(always)]
unsafe fn opener(skb: Address) -> Address {
    if !present!(audit.netlink_cb_sk)
        || !present!(sock_socket)
        || !present!(audit.socket_file)
        || !present!(audit.file_cred)
    {
        return core::ptr::null();
    }
    // SAFETY: probed; null leads to what reads as zero.
    unsafe {
        let sock: Address = Probed::member(skb, offset!(audit.skb_cb) + offset!(audit.netlink_cb_sk));
        let socket: Address = Probed::member(sock, offset!(sock_socket));
        let file: Address = Probed::member(socket, offset!(audit.socket_file));
        Probed::member(file, offset!(audit.file_cred))
    }
}
