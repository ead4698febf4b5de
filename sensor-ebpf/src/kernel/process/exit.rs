//! `sched_process_exit`: the end of a process, when its last thread goes.
//!
//! The tracepoint fires for each thread. Until Linux 6.15 two last threads that exit at the same time may both be taken for
//! the last one, see `task::is_last`, and the record comes twice: readers must take the second for the same.

use crate::classes::Source;
use crate::record::{COMM_LEN, ExitRecord, Header, LAYOUT_VERSION, kind};
use aya_ebpf::helpers::generated::bpf_ktime_get_boot_ns;
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Typed, member, offset};
use crate::kernel::replicas::{replicas, run_once};
use crate::kernel::task;

replicas! {
    btf_tracepoint, "sched_process_exit", BtfTracePointContext, tell:
    sched_process_exit = 0, sched_process_exit_2 = 1, sched_process_exit_3 = 2, sched_process_exit_4 = 3
}

#[inline(always)]
fn tell<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the tracepoint's arguments, see above.
    run_once::<N>(Source::Exit, ctx.arg(0), |run| unsafe { thread_exit(run, ctx) });
}

#[inline(always)]
unsafe fn thread_exit(run: Run, ctx: &BtfTracePointContext) {
    let task: Address = ctx.arg(0);
    // SAFETY: the verifier; on kernels without the second argument it prunes the branch.
    unsafe {
        let signal: Address = member(task, offset!(task_signal));
        if signal.is_null() {
            return run.failed();
        }
        if task::is_last(ctx, signal) {
            exit(run, task, signal);
        } else {
            run.filtered();
        }
    }
}

#[inline(always)]
unsafe fn exit(run: Run, task: Address, signal: Address) {
    // SAFETY: the verifier.
    unsafe {
        let leader: Address = member(task, offset!(task_group_leader));
        if leader.is_null() {
            return run.failed();
        }
        let record = ExitRecord {
            header: Header {
                layout: LAYOUT_VERSION,
                kind: kind::EXIT,
                len: size_of::<ExitRecord>() as u32,
                time: bpf_ktime_get_boot_ns(),
            },
            process: task::key::<Typed>(leader),
            status: task::status(leader, signal),
            reserved: 0,
            comm: core::mem::transmute::<[u64; COMM_LEN / 8], [u8; COMM_LEN]>(task::comm_of::<Typed>(leader)),
        };
        run.submit(Source::Exit.ring(), (&raw const record).cast(), size_of::<ExitRecord>() as u64);
    }
}
