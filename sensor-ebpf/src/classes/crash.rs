//! Crashes: programs that end by a signal that tells of a fault of theirs.
//!
//! Two places together:
//!
//! * `sched_process_exit` of a process's last thread has how it ended: by which signal, and whether memory was dumped. That is
//!   the event, once for each process, whatever any tracer, handler or other thread made of the signal on the way.
//! * `signal_deliver`, where the kernel gives a signal to a thread (Linux 2.6.33), has why it came, and the address that could not
//!   be had. What it says of a signal that nobody handles is kept until the process ends.
//!
//! Both run for little: signals that are given to somebody, and threads that end.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act, any_bits};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "crash",
    ring: Ring::Rare,
    // Anybody can start what crashes.
    sources: &[SourceSpec::new("crash").budget(Budget::per_second(500))],
    hooks: &[Hook::new(Source::Crash, "crash_exit", point!(tp_btf "sched_process_exit"))
        .beside(&[Beside::new("signal_deliver", point!(tp_btf "signal_deliver"))])
        .missed("programs that crash are not seen")],
    facts: FACTS,
    records: &[CrashRecord::KIND],
};

facts! {
    required info_code = Member("kernel_siginfo", "si_code");
    required info_address = Member("kernel_siginfo", "_sifields._sigfault._addr");
    required action_handler = Member("k_sigaction", "sa.sa_handler");
    required mm_env_end = Member("mm_struct", "env_end");
    required mm_stack_vm = Member("mm_struct", "stack_vm");
    // x86 alone: what the processor said of the last exception.
    optional thread_trap = Member("task_struct", "thread.trap_nr");
    optional thread_error = Member("task_struct", "thread.error_code");
}

/// What is known of a fault. All zero if nothing is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// What the signal has for an address (`si_addr`); of signals that tell of none, something else.
    pub address: u64,
    /// Where the thread's stack was.
    pub stack_pointer: u64,
    /// What the kernel keeps at the top of the first thread's stack ends there (`mm_struct.env_end`), within a page.
    pub stack_end: u64,
    /// Pages of that stack.
    pub stack_pages: u64,
    /// The heap (`brk`).
    pub heap_start: u64,
    pub heap_end: u64,
    /// The processor's number of the last exception, and its error code.
    pub trap: u64,
    pub error_code: u64,
    /// The signal; zero if nothing is known.
    pub signal: u32,
    /// Why it came (`si_code`).
    pub code: i32,
}

any_bits! { Fault }

const _: () = assert!(size_of::<Fault>() == 9 * 8);

act! {
    28 =>
    /// A signal that tells of a fault ended a process.
    pub struct CrashRecord {
        pub fault: Fault,
        /// As `wait(2)` reports it: the signal in the low 7 bits, memory that was dumped in bit 7.
        pub status: u32,
        pub reserved: u32,
    }
}

/// `SIGILL`, `SIGTRAP`, `SIGABRT`, `SIGBUS`, `SIGFPE`, `SIGSEGV` and `SIGSYS` of Linux, one bit each.
pub const SIGNALS: u32 = 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 11 | 1 << 31;

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::bindings::BPF_NOEXIST;
    use aya_ebpf::btf_maps::LruHashMap;
    use aya_ebpf::helpers::generated::bpf_get_current_task;
    use aya_ebpf::macros::{btf_map, btf_tracepoint};
    use aya_ebpf::programs::BtfTracePointContext;

    use super::{CrashRecord, Fault, SIGNALS};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::Call;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, Typed, copy, offset, present, word};
    use crate::kernel::replicas::{once, replicas, run_once};
    use crate::kernel::task;
    use crate::record::ProcessKey;

    /// Processes of which it is known why a signal came that will end them, if nothing comes between.
    const KNOWN: usize = 1024;

    /// Of a process, the last that none of its threads handles.
    #[btf_map]
    static FAULTS: LruHashMap<ProcessKey, Fault, KNOWN> = LruHashMap::new();

    /// Processes that were told, where the kernel does not say which thread is the last one.
    #[btf_map]
    static CRASHED: LruHashMap<ProcessKey, u32, KNOWN> = LruHashMap::new();

    #[inline(always)]
    const fn is_crash(signal: u32) -> bool {
        signal < u32::BITS && SIGNALS >> signal & 1 != 0
    }

    replicas! {
        btf_tracepoint, "signal_deliver", BtfTracePointContext, at_delivery:
        signal_deliver = 0, signal_deliver_2 = 1, signal_deliver_3 = 2, signal_deliver_4 = 3
    }

    #[inline(always)]
    fn at_delivery<const N: u32>(ctx: &BtfTracePointContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the signal, its `struct kernel_siginfo` and the `struct k_sigaction`; the last two are probed.
        unsafe {
            let signal = word::<0>(ctx) as u32;
            if !is_crash(signal) || Probed::member::<u64>(word::<2>(ctx) as Address, offset!(crash.action_handler)) != 0
            {
                return;
            }
            let info = word::<1>(ctx) as Address;
            once::<N>(Source::Crash, info, || keep(signal, info));
        }
    }

    /// The signal is about to end the process, or to be taken for nothing.
    #[inline(always)]
    unsafe fn keep(signal: u32, info: Address) {
        // SAFETY: probed.
        unsafe {
            let task = bpf_get_current_task() as Address;
            let mm: Address = Probed::member(task, offset!(task_mm));
            let mut fault = Fault {
                address: Probed::member(info, offset!(crash.info_address)),
                stack_pointer: if present!(regs_sp) { Call::at_hand(false).stack_pointer() } else { 0 },
                stack_end: Probed::member(mm, offset!(crash.mm_env_end)),
                stack_pages: Probed::member(mm, offset!(crash.mm_stack_vm)),
                heap_start: Probed::member(mm, offset!(memory.mm_start_brk)),
                heap_end: Probed::member(mm, offset!(memory.mm_brk)),
                trap: 0,
                error_code: 0,
                signal,
                code: Probed::member(info, offset!(crash.info_code)),
            };
            if present!(crash.thread_trap) && present!(crash.thread_error) {
                fault.trap = Probed::member(task, offset!(crash.thread_trap));
                fault.error_code = Probed::member(task, offset!(crash.thread_error));
            }
            // One that is not kept has its crash told without.
            let _ = FAULTS.insert(&actor::process(), &fault, 0);
        }
    }

    replicas! {
        btf_tracepoint, "sched_process_exit", BtfTracePointContext, at_exit:
        crash_exit = 0, crash_exit_2 = 1, crash_exit_3 = 2, crash_exit_4 = 3
    }

    #[inline(always)]
    fn at_exit<const N: u32>(ctx: &BtfTracePointContext) {
        // SAFETY: the tracepoint's arguments; the verifier.
        unsafe {
            let task: Address = ctx.arg(0);
            let signal: Address = Typed::member(task, offset!(task_signal));
            let leader: Address = Typed::member(task, offset!(task_group_leader));
            if signal.is_null() || leader.is_null() {
                return;
            }
            let status = task::status(leader, signal);
            if !is_crash(status & 0x7f) || !task::is_last(ctx, signal) {
                return;
            }
            run_once::<N>(Source::Crash, task, |run| crashed(run, task::key::<Typed>(leader), status));
        }
    }

    #[inline(always)]
    unsafe fn crashed(run: Run, process: ProcessKey, status: u32) {
        if !present!(exit_group_dead) && CRASHED.insert(&process, &0, u64::from(BPF_NOEXIST)).is_err() {
            return run.filtered();
        }
        if !run.has_room(Source::Crash) {
            return;
        }
        let Some(record) = run.reserve::<CrashRecord>(Source::Crash.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; the map's value is only read.
        unsafe {
            (*record).header = header::<CrashRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).status = status;
            if let Some(fault) = FAULTS.get_ptr(&process) {
                // Another signal may have ended it after all.
                if (*fault).signal == status & 0x7f {
                    copy(fault, &raw mut (*record).fault);
                }
            }
            run.commit(Source::Crash.ring(), record);
        }
        let _ = FAULTS.remove(&process);
    }
}
