//! BPF programs.
//!
//! One was loaded: the verifier took it, and whoever loads it has no descriptor of it yet.
//!
//! `bpf_prog_load` (kernel/bpf/syscall.c) then calls two functions for each program, in the call of whoever loads it. So nothing
//! runs for anything else. The first that can be had serves:
//!
//! 1. `perf_event_bpf_event` (Linux 5.1): for the kernel's own profilers. Arguments: the `struct bpf_prog`, what became of it,
//!    flags. Linux 5.10 does not let it be traced.
//! 2. `bpf_prog_kallsyms_add`: gives the program a name among the kernel's functions. It runs for each function of a program
//!    too, which have no id.
//!
//! Classic filters of sockets and seccomp do not come this way.
//!
//! Where unprivileged users may load programs they can do so at will: there is a budget of them.
//!
//! Minimum: Linux 5.10 that allows programs at functions.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "bpf",
    ring: Ring::Rare,
    // Some kernels let anybody load programs.
    sources: &[SourceSpec::new("bpf_load").budget(Budget::per_second(1_000))],
    hooks: &[
        // The second rung tells the same, so nothing is missed.
        Hook::new(Source::BpfLoad, "perf_event_bpf_event", point!(fexit "perf_event_bpf_event"))
            .needs(&with("perf_event_bpf_event_parameters")),
        Hook::new(Source::BpfLoad, "bpf_prog_kallsyms_add", point!(fexit "bpf_prog_kallsyms_add"))
            .rung(2)
            .needs(&with("bpf_prog_kallsyms_add_parameters"))
            .missed("BPF programs that are loaded into the kernel are not seen"),
    ],
    facts: FACTS,
    records: &[BpfRecord::KIND],
};

/// What each of the programs needs.
const NEEDED: &[&str] = &[
    "bpf_prog_type",
    "bpf_prog_attach_type",
    "bpf_prog_len",
    "bpf_prog_tag",
    "bpf_prog_aux",
    "bpf_aux_id",
    "bpf_aux_name",
];

const fn with(function: &'static str) -> [&'static str; NEEDED.len() + 1] {
    crate::concat(&[&[function], NEEDED], "")
}

facts! {
    // CONFIG_BPF_SYSCALL and CONFIG_PERF_EVENTS.
    // Linux 5.10 has it and lets nothing of its file be traced (kernel/events/Makefile).
    optional perf_event_bpf_event_parameters = Parameters("perf_event_bpf_event");
    optional bpf_prog_kallsyms_add_parameters = Parameters("bpf_prog_kallsyms_add");
    optional bpf_prog_type = Member("bpf_prog", "type");
    optional bpf_prog_attach_type = Member("bpf_prog", "expected_attach_type");
    optional bpf_prog_len = Member("bpf_prog", "len");
    optional bpf_prog_tag = Member("bpf_prog", "tag");
    optional bpf_prog_aux = Member("bpf_prog", "aux");
    optional bpf_aux_id = Member("bpf_prog_aux", "id");
    optional bpf_aux_name = Member("bpf_prog_aux", "name");
    optional bpf_aux_target = Member("bpf_prog_aux", "attach_func_name");
}

/// Longest name of a program, with the zero at its end (`BPF_OBJ_NAME_LEN`).
pub const NAME_LEN: usize = 16;
/// Bytes kept of the name of the function or tracepoint that it is for.
pub const TARGET_LEN: usize = 64;

act! {
    8 =>
    /// The verifier has taken the program. It may be attached right away, later, or never.
    pub struct BpfRecord {
        /// The kernel's id of it.
        pub id: u32,
        /// `enum bpf_prog_type` and `enum bpf_attach_type` of Linux.
        pub program_type: u32,
        pub attach_type: u32,
        /// Instructions, as the verifier left them.
        pub instructions: u32,
        /// A digest of the instructions.
        pub tag: [u8; 8],
        /// As its maker called it; ends at the first zero.
        pub name: [u8; NAME_LEN],
        /// The function or tracepoint that it is for, of those types that tell it when they are loaded; likewise.
        pub target: [u8; TARGET_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
    use aya_ebpf::macros::fexit;
    use aya_ebpf::programs::FExitContext;

    use super::{BpfRecord, TARGET_LEN};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, offset, present, probe, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `PERF_BPF_EVENT_PROG_LOAD` of Linux.
    const LOADED: u32 = 1;

    replicas! {
        fexit, "perf_event_bpf_event", FExitContext, at_event:
        perf_event_bpf_event = 0, perf_event_bpf_event_2 = 1, perf_event_bpf_event_3 = 2, perf_event_bpf_event_4 = 3
    }

    replicas! {
        fexit, "bpf_prog_kallsyms_add", FExitContext, at_naming:
        bpf_prog_kallsyms_add = 0, bpf_prog_kallsyms_add_2 = 1, bpf_prog_kallsyms_add_3 = 2, bpf_prog_kallsyms_add_4 = 3
    }

    #[inline(always)]
    fn at_event<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments, see above.
        unsafe {
            let program = word::<0>(ctx) as Address;
            run_once::<N>(Source::BpfLoad, program, |run| event(run, program, word::<1>(ctx) as u32));
        }
    }

    #[inline(always)]
    fn at_naming<const N: u32>(ctx: &FExitContext) {
        // SAFETY: the one argument is the `struct bpf_prog`.
        unsafe {
            let program = word::<0>(ctx.as_ptr()) as Address;
            run_once::<N>(Source::BpfLoad, program, |run| event(run, program, LOADED));
        }
    }

    #[inline(always)]
    unsafe fn event(run: Run, program: Address, what: u32) {
        // SAFETY: probed.
        let id: u32 = unsafe {
            let aux: Address = Probed::member(program, offset!(bpf.bpf_prog_aux));
            Probed::member(aux, offset!(bpf.bpf_aux_id))
        };
        if what != LOADED || id == 0 {
            return run.filtered();
        }
        if !run.has_room(Source::BpfLoad) {
            return;
        }
        let Some(record) = run.reserve::<BpfRecord>(Source::BpfLoad.ring()) else { return };
        // SAFETY: the room is the ring's until it is committed; all that is reached through the program is probed.
        unsafe {
            (*record).header = header::<BpfRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).program_type = Probed::member(program, offset!(bpf.bpf_prog_type));
            (*record).attach_type = Probed::member(program, offset!(bpf.bpf_prog_attach_type));
            (*record).instructions = Probed::member(program, offset!(bpf.bpf_prog_len));
            (*record).tag = Probed::member(program, offset!(bpf.bpf_prog_tag));
            let aux: Address = Probed::member(program, offset!(bpf.bpf_prog_aux));
            (*record).id = id;
            if !probe(&raw mut (*record).name, aux as u64 + u64::from(offset!(bpf.bpf_aux_name))) {
                run.partial();
            }
            if present!(bpf.bpf_aux_target) {
                let target: Address = Probed::member(aux, offset!(bpf.bpf_aux_target));
                if !target.is_null() {
                    bpf_probe_read_kernel_str((&raw mut (*record).target).cast(), TARGET_LEN as u32, target);
                }
            }
            run.commit(Source::BpfLoad.ring(), record);
        }
    }
}
