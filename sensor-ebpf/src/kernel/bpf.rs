//! A BPF program was loaded: the verifier took it, and whoever loads it has no descriptor of it yet.
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

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use aya_ebpf::macros::fexit;
use aya_ebpf::programs::FExitContext;
use sensor_ebpf::classes::Source;
use sensor_ebpf::record::bpf::{BpfRecord, TARGET_LEN};
use sensor_ebpf::record::kind;

use super::actor;
use super::emit::{Run, header};
use super::load::{Address, Memory, Probed, offset, present, probe, word};

/// `PERF_BPF_EVENT_PROG_LOAD` of Linux.
const LOADED: u32 = 1;

#[fexit(function = "perf_event_bpf_event")]
fn perf_event_bpf_event(ctx: FExitContext) -> i32 {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments, see above.
    unsafe { event(word::<0>(ctx) as Address, word::<1>(ctx) as u32) };
    0
}

#[fexit(function = "bpf_prog_kallsyms_add")]
fn bpf_prog_kallsyms_add(ctx: FExitContext) -> i32 {
    // SAFETY: the one argument is the `struct bpf_prog`.
    unsafe { event(word::<0>(ctx.as_ptr()) as Address, LOADED) };
    0
}

#[inline(always)]
unsafe fn event(program: Address, what: u32) {
    let Some(run) = Run::begin(Source::BpfLoad) else { return };
    // SAFETY: probed.
    let id: u32 = unsafe {
        let aux: Address = Probed::member(program, offset!(bpf_prog_aux));
        Probed::member(aux, offset!(bpf_aux_id))
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
        (*record).header = header::<BpfRecord>(kind::BPF);
        actor::describe(&raw mut (*record).actor);
        (*record).program_type = Probed::member(program, offset!(bpf_prog_type));
        (*record).attach_type = Probed::member(program, offset!(bpf_prog_attach_type));
        (*record).instructions = Probed::member(program, offset!(bpf_prog_len));
        (*record).tag = Probed::member(program, offset!(bpf_prog_tag));
        let aux: Address = Probed::member(program, offset!(bpf_prog_aux));
        (*record).id = id;
        if !probe(&raw mut (*record).name, aux as u64 + u64::from(offset!(bpf_aux_name))) {
            run.partial();
        }
        if present!(bpf_aux_target) {
            let target: Address = Probed::member(aux, offset!(bpf_aux_target));
            if !target.is_null() {
                bpf_probe_read_kernel_str((&raw mut (*record).target).cast(), TARGET_LEN as u32, target);
            }
        }
        run.commit(Source::BpfLoad.ring(), record);
    }
}
