//! Performance events: a process has the kernel count or sample what it, another process or the whole host does, or run
//! something where a function is entered.
//!
//! Opened ones are told by the kernel's own event, refused ones by what was asked for. The first rung that can be had serves:
//!
//! 1. the system call `perf_event_open` by both of its entries. Linux 5.10 lets nothing of its file be traced.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions; the event is looked up by the
//!    descriptor that the call returned. While this is attached each system call of the host takes a longer way.
//!
//! The kernel's own events, of BPF programs say, do not come this way.
//!
//! Minimum: Linux 5.11.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, Actor, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "perf",
    ring: Ring::Rare,
    // Anybody may count what is theirs.
    sources: &[SourceSpec::new("perf_event").budget(Budget::per_second(500))],
    hooks: &[
        // The second rung tells the same, so nothing is missed.
        Hook::new(Source::PerfEvent, "perf_event_open", point!(fexit "__x64_sys_perf_event_open"))
            .beside(&[Beside::new("perf_event_open_compat", point!(fexit "__ia32_sys_perf_event_open"))
                .only_with("compat_calls")])
            .needs(&with("perf_event_open_parameters")),
        Hook::new(Source::PerfEvent, "sys_exit_of_perf", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&with("thread_info_status"))
            .missed("performance events that are opened are not seen"),
    ],
    facts: FACTS,
    records: &[PerfEventRecord::KIND],
};

/// What each of the programs needs.
const NEEDED: &[&str] = &[
    "current_task_helper",
    "regs_number",
    "perf_type",
    "perf_config",
    "perf_cpu",
    "perf_target",
    "perf_pmu",
    "pmu_name",
];

const fn with(fact: &'static str) -> [&'static str; NEEDED.len() + 1] {
    crate::concat(&[NEEDED, &[fact]], "")
}

facts! {
    // CONFIG_PERF_EVENTS.
    optional perf_event_open_parameters = Parameters("__x64_sys_perf_event_open");
    optional perf_type = Member("perf_event", "attr.type");
    optional perf_config = Member("perf_event", "attr.config");
    optional perf_cpu = Member("perf_event", "cpu");
    optional perf_target = Member("perf_event", "hw.target");
    optional perf_pmu = Member("perf_event", "pmu");
    optional pmu_name = Member("pmu", "name");
}

/// Bytes kept of the name of what counts, with the zero at its end.
pub const PMU_LEN: usize = 32;

/// What is counted or sampled.
pub mod scope {
    pub const ITSELF: u32 = 1;
    pub const PROCESS: u32 = 2;
    pub const CGROUP: u32 = 3;
    pub const EVERYTHING: u32 = 4;
}

act! {
    51 =>
    /// An event was opened, or refused.
    pub struct PerfEventRecord {
        /// Of [`scope::PROCESS`], the other one. Zero if there is none.
        pub target: Actor,
        pub config: u64,
        /// `enum perf_type_id` of Linux, or the number of what counts.
        pub event_type: u32,
        /// `PERF_FLAG_…` of Linux.
        pub flags: u32,
        /// -1 for any.
        pub cpu: i32,
        /// One of [`scope`].
        pub scope: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
        /// The name of what counts; ends at the first zero. Not known of what was refused.
        pub pmu: [u8; PMU_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_probe_read_kernel_str, bpf_probe_read_user};
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::{PMU_LEN, PerfEventRecord, scope};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::{self as calls, Call, Ended, PidType};
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, Typed, offset, present, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `PERF_FLAG_PID_CGROUP` of Linux.
    const OF_CGROUP: u64 = 4;

    replicas! {
        fexit, "__x64_sys_perf_event_open", FExitContext, at_open:
        perf_event_open = 0, perf_event_open_2 = 1, perf_event_open_3 = 2, perf_event_open_4 = 3
    }

    #[inline(always)]
    fn at_open<const N: u32>(ctx: &FExitContext) {
        // SAFETY: behind the one argument, the registers, comes what was returned.
        unsafe { ended::<N>(Call::at_hand(false), word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        fexit, "__ia32_sys_perf_event_open", FExitContext, at_compat_open:
        perf_event_open_compat = 0, perf_event_open_compat_2 = 1, perf_event_open_compat_3 = 2, perf_event_open_compat_4 = 3
    }

    #[inline(always)]
    fn at_compat_open<const N: u32>(ctx: &FExitContext) {
        // SAFETY: likewise.
        unsafe { ended::<N>(Call::at_hand(true), word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
        sys_exit_of_perf = 0, sys_exit_of_perf_2 = 1, sys_exit_of_perf_3 = 2, sys_exit_of_perf_4 = 3
    }

    #[inline(always)]
    fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
        // SAFETY: the program's own context.
        unsafe {
            let Some(end) = Ended::at(ctx.as_ptr()) else { return };
            // Of 64 bits, and of 32.
            if end.number != 298 && end.number != 336 {
                return;
            }
            let call = end.call();
            if (end.number == 336) == call.is_compat {
                ended::<N>(call, end.returned as i32);
            }
        }
    }

    #[inline(always)]
    unsafe fn ended<const N: u32>(call: Call, returned: i32) {
        if !present!(current_task_helper) || !present!(perf.perf_type) || !present!(perf.pmu_name) {
            return;
        }
        // SAFETY: the task is the call's own.
        unsafe {
            let task = bpf_get_current_task_btf() as Address;
            run_once::<N>(Source::PerfEvent, task, |run| tell(run, task, call, returned));
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, task: Address, call: Call, returned: i32) {
        if !run.has_room(Source::PerfEvent) {
            return;
        }
        let Some(record) = run.reserve::<PerfEventRecord>(Source::PerfEvent.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; all that is reached through the event is probed.
        unsafe {
            (*record).header = header::<PerfEventRecord>();
            actor::describe(&raw mut (*record).actor);
            let (id, flags) = (call.argument::<1>() as i32, call.argument::<4>());
            let scope = if flags & OF_CGROUP != 0 {
                scope::CGROUP
            } else if id > 0 {
                scope::PROCESS
            } else if id == 0 {
                scope::ITSELF
            } else {
                scope::EVERYTHING
            };
            (*record).flags = flags as u32;
            (*record).scope = scope;
            (*record).cpu = call.argument::<2>() as i32;
            let mut target: Address = core::ptr::null();
            if returned < 0 {
                (*record).error = returned;
                // `type`, its size, and `config`, as the caller's memory has them by now.
                let mut asked = [0_u64; 2];
                bpf_probe_read_user((&raw mut asked).cast(), 16, call.argument::<0>() as Address);
                (*record).event_type = asked[0] as u32;
                (*record).config = asked[1];
                if scope == scope::PROCESS {
                    target = calls::task_of(calls::pid_of(id as u32), PidType::Thread);
                }
            } else {
                let file = calls::file::<Typed>(task, returned as u32);
                if !file.is_null() {
                    let event: Address = Probed::member(file, offset!(file_private_data));
                    (*record).event_type = Probed::member(event, offset!(perf.perf_type));
                    (*record).config = Probed::member(event, offset!(perf.perf_config));
                    (*record).cpu = Probed::member(event, offset!(perf.perf_cpu));
                    if scope == scope::PROCESS {
                        target = Probed::member(event, offset!(perf.perf_target));
                    }
                    let pmu: Address = Probed::member(event, offset!(perf.perf_pmu));
                    let name: Address = Probed::member(pmu, offset!(perf.pmu_name));
                    bpf_probe_read_kernel_str((&raw mut (*record).pmu).cast(), PMU_LEN as u32, name);
                }
            }
            if !target.is_null() {
                actor::describe_other(target, &raw mut (*record).target);
            }
            run.commit(Source::PerfEvent.ring(), record);
        }
    }
}
