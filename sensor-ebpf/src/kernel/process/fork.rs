//! `sched_process_fork`: the one moment when a process's true parent is known for certain.
//!
//! Arguments of the tracepoint: the task that forks, the new task, not running yet.

use crate::classes::Source;
use crate::record::{COMM_LEN, ForkRecord, Header, LAYOUT_VERSION, kind};
use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Typed, member, offset};
use crate::kernel::replicas::{replicas, run_once};
use crate::kernel::task;

replicas! {
    btf_tracepoint, "sched_process_fork", BtfTracePointContext, tell:
    sched_process_fork = 0, sched_process_fork_2 = 1, sched_process_fork_3 = 2, sched_process_fork_4 = 3
}

#[inline(always)]
fn tell<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the tracepoint's arguments, see above.
    run_once::<N>(Source::Fork, ctx.arg(1), |run| unsafe { fork(run, ctx.arg(0), ctx.arg(1)) });
}

#[inline(always)]
unsafe fn fork(run: Run, forker: Address, child: Address) {
    // SAFETY: the verifier.
    unsafe {
        let pid: u32 = member(child, offset!(task_pid));
        let tgid: u32 = member(child, offset!(task_tgid));
        // A thread.
        if pid != tgid {
            return run.filtered();
        }
        let (ns_pid, pid_ns) = task::innermost_pid::<Typed>(child);
        let record = ForkRecord {
            header: Header {
                layout: LAYOUT_VERSION,
                kind: kind::FORK,
                len: size_of::<ForkRecord>() as u32,
                time: bpf_ktime_get_boot_ns(),
            },
            // The child is its own group's leader.
            process: task::key::<Typed>(child),
            parent: task::parent_of::<Typed>(child),
            forker: task::process_of::<Typed>(forker),
            ns_pid,
            pid_ns,
            comm: core::mem::transmute::<[u64; COMM_LEN / 8], [u8; COMM_LEN]>(task::comm_of::<Typed>(child)),
        };
        run.submit(Source::Fork.ring(), (&raw const record).cast(), size_of::<ForkRecord>() as u64);
    }
}
