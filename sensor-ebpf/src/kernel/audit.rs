//! Messages of user programs to the kernel's audit, at the moment they are sent.
//!
//! A program sends a netlink datagram; the kernel copies it into a socket buffer, and in the sender's own call
//! `audit_receive` works it off, message by message, and frees it. So whoever looks at that buffer sees what the kernel
//! read and not what the sender's memory says by then, in the context of the sender, whichever system call it came
//! by, and whether audit is switched on or not. There are two places for that, best first:
//!
//! 1. the return of `audit_receive`: runs for audit messages alone. The return of `netlink_capable` tells beforehand if the
//!    kernel's verdict was no, security modules included;
//! 2. the tracepoint `consume_skb`, on kernels that allow no programs at functions: the buffer just before it is freed.
//!    It fires for other sockets' buffers too, so the look that turns these away is kept to three loads.
//!
//! Neither needs the kernel to be switched to auditing, and neither reads memory of the sender.

mod sender;
mod verdict;

use crate::classes::Source;
use crate::record::audit::{AuditRecord, Refusal, TEXT_CUT, TEXT_MAX, is_request, is_user_type};
use crate::record::{Header, LAYOUT_VERSION, exec_flags, kind};
use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel};
use aya_ebpf::macros::{btf_tracepoint, fexit};
use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

use super::emit::{Room, Run, room};
use super::lanes;
use super::load::{Address, Memory, Probed, at_most, member, offset, present, probe, word};
use super::replicas::{once, replicas};
use super::scratch::Area;
use super::{cgroup, task};

/// `AF_NETLINK` and `NETLINK_AUDIT` of Linux.
const NETLINK: u16 = 16;
const AUDIT: u16 = 9;
/// `struct nlmsghdr`.
const HEADER: u64 = 16;
/// Most messages taken out of one datagram; libaudit sends one. What is beyond is counted as failed.
const MESSAGES: u32 = 16;

replicas! {
    fexit, "audit_receive", FExitContext, at_receipt:
    audit_receive = 0, audit_receive_2 = 1, audit_receive_3 = 2, audit_receive_4 = 3
}

replicas! {
    fexit, "netlink_capable", FExitContext, at_verdict:
    netlink_capable = 0, netlink_capable_2 = 1, netlink_capable_3 = 2, netlink_capable_4 = 3
}

#[inline(always)]
fn at_receipt<const N: u32>(ctx: &FExitContext) {
    // SAFETY: the one argument is the buffer.
    unsafe {
        let skb = word::<0>(ctx.as_ptr()) as Address;
        once::<N>(Source::Audit, skb, || datagram::<N>(skb));
    }
}

#[inline(always)]
fn at_verdict<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the buffer and the capability; then comes what was returned, a `bool`.
    unsafe {
        let skb = word::<0>(ctx);
        once::<N>(Source::AuditVerdict, skb as Address, || {
            verdict::note::<N>(skb, word::<1>(ctx), word::<2>(ctx) & 0xff != 0);
        });
    }
}

#[btf_tracepoint(function = "consume_skb")]
fn consume_skb(ctx: BtfTracePointContext) -> i32 {
    let skb: Address = ctx.arg(0);
    if !present!(audit.skb_sk) || !present!(sock_protocol) || !present!(audit.netlink_portid) {
        return 0;
    }
    // SAFETY: the tracepoint's first argument; the verifier.
    unsafe {
        let receiver: Address = member(skb, offset!(audit.skb_sk));
        if receiver.is_null()
            || member::<u16>(receiver, offset!(sock_family)) != NETLINK
            || member::<u16>(receiver, offset!(sock_protocol)) != AUDIT
        {
            return 0;
        }
        // The kernel's own socket has no port: this is no message to auditd, nor an answer to a sender.
        if Probed::member::<u32>(receiver, offset!(audit.netlink_portid)) == 0 {
            datagram::<0>(skb);
        }
    }
    0
}

/// Tells all messages of a datagram.
#[inline(always)]
unsafe fn datagram<const N: u32>(skb: Address) {
    // SAFETY: the area is released on every way out.
    unsafe {
        let refused = verdict::of(skb);
        let Some(area) = Area::audit(N) else {
            if let Some(run) = Run::begin::<N>(Source::Audit) {
                run.failed();
            }
            return;
        };
        let record = area.begin_as::<AuditRecord>();
        let cgroup = sender::describe(area, record);
        let data: u64 = Probed::member(skb, offset!(audit.skb_data));
        let len: u32 = Probed::member(skb, offset!(audit.skb_len));
        let beyond: u32 = Probed::member(skb, offset!(audit.skb_data_len));
        let len = u64::from(len.wrapping_sub(beyond));
        let next = &raw mut (*area.0).next;
        (&raw mut (*area.0).datagram).write_volatile(data);
        (&raw mut (*area.0).datagram_len).write_volatile(len);
        (&raw mut (*area.0).refused).write_volatile(refused.map_or(0, |refusal| refusal as u64));
        (&raw mut (*area.0).cgroup).write_volatile(cgroup);
        next.write_volatile(0);
        let text_at = area.at();
        let mut count = 0;
        while count < MESSAGES {
            area.set_at(text_at);
            if audit_message(area.number(), N, u32::from(count == 0)) == 0 {
                area.release();
                return;
            }
            count += 1;
        }
        if next.read_volatile() + HEADER <= len
            && let Some(run) = Run::begin::<N>(Source::Audit)
        {
            run.failed();
        }
        area.release();
    }
}

/// Tells the message at `next` of the datagram in the area of this number, for the n-th program, and moves on as the kernel does.
/// Zero if there is none. A function of its own, so that the verifier looks at it once and not once for each message.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn audit_message(area: u32, n: u32, is_first: u32) -> u64 {
    let Some(area) = Area::numbered(area) else { return 0 };
    let record = area.begun::<AuditRecord>();
    // SAFETY: `probe` and the verifier.
    unsafe {
        let start = (&raw const (*area.0).datagram).read_volatile();
        let len = (&raw const (*area.0).datagram_len).read_volatile();
        let refused = (&raw const (*area.0).refused).read_volatile();
        let next = &raw mut (*area.0).next;
        let at = next.read_volatile();
        let left = len.wrapping_sub(at);
        if is_first == 0 && (at >= len || left < HEADER) {
            return 0;
        }
        let Some(run) = Run::begin_nth(Source::Audit, n) else { return 0 };
        let header = (&raw mut (*area.0).header).cast::<[u64; 2]>();
        header.write_volatile([0; 2]);
        let whole = left >= HEADER;
        if whole && !probe(header, start + at) {
            run.failed();
            return 0;
        }
        let [word, _] = header.read_volatile();
        let (said, kind) = (word & 0xffff_ffff, (word >> 32) as u16);
        if !whole || said < HEADER || said > left {
            (*record).text_bytes = 0;
            (*record).text_len = 0;
            // The kernel looks no further.
            tell(run, area, record, kind, Refusal::Length as u64);
            return 0;
        }
        next.write_volatile(at + ((said + 3) & !3));
        if is_request(kind) {
            run.filtered();
            return 1;
        }
        let text = said - HEADER;
        let refusal = if refused == Refusal::UserNamespace as u64 {
            refused
        } else if !is_user_type(kind) {
            Refusal::KernelType as u64
        } else if refused != 0 {
            refused
        } else if text < 2 {
            Refusal::Length as u64
        } else {
            0
        };
        let kept = at_most::<{ TEXT_MAX as u64 }>(text);
        if bpf_probe_read_kernel(area.end().cast(), kept as u32, (start + at + HEADER) as Address) != 0 {
            run.failed();
            return 1;
        }
        area.set_at(area.at() + kept);
        (*record).text_bytes = text as u32;
        (*record).text_len = kept as u16;
        tell(run, area, record, kind, refusal);
    }
    1
}

/// Writes the header and hands the record to the ring. A refused message must not take the place of those that count: it
/// is told only while the ring and the budget have room to spare.
#[inline(always)]
unsafe fn tell(run: Run, area: Area, record: *mut AuditRecord, message_type: u16, refusal: u64) {
    if refusal != 0 {
        run.refused();
        if room(Source::Audit, lanes::of_task()) != Room::Given {
            return run.filtered();
        }
    }
    let (bytes, len) = area.record();
    let mut flags = area.flags();
    // SAFETY: within the area.
    unsafe {
        if (*record).text_bytes > TEXT_MAX as u32 {
            flags |= TEXT_CUT;
        }
        (*record).header =
            Header { layout: LAYOUT_VERSION, kind: kind::AUDIT, len: len as u32, time: bpf_ktime_get_boot_ns() };
        (*record).flags = flags;
        (*record).message_type = message_type;
        (*record).refusal = refusal as u16;
    }
    if flags & exec_flags::READ_FAILED != 0 {
        run.partial();
    }
    if run.submit(Source::Audit.ring(), bytes, len) && flags & exec_flags::CGROUP_PATH != 0 {
        // SAFETY: within the area.
        cgroup::sent(unsafe { (&raw const (*area.0).cgroup).read_volatile() });
    }
}
