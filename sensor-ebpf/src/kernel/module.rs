//! `module_load`: a module is in the kernel's memory, checked, and about to be started.
//!
//! The one argument of the tracepoint is its `struct module`. It fires in the call of whoever loads the module, by either
//! system call (`load_module` in kernel/module/main.c, Linux 2.6.31), and not at all for a module that is refused before.
//!
//! Minimum: Linux 5.10, with `CONFIG_MODULES`.

use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;
use sensor_ebpf::classes::Source;
use sensor_ebpf::record::{ModuleRecord, kind};

use super::actor;
use super::emit::{Run, header};
use super::load::{Address, Memory, Probed, offset, present, probe};

#[btf_tracepoint(function = "module_load")]
fn module_load(ctx: BtfTracePointContext) -> i32 {
    if present!(module_name) && present!(module_taints) {
        // SAFETY: the tracepoint's argument.
        unsafe { loaded(ctx.arg(0)) };
    }
    0
}

#[inline(always)]
unsafe fn loaded(module: Address) {
    let Some(run) = Run::begin(Source::ModuleLoad) else { return };
    let Some(record) = run.reserve::<ModuleRecord>(Source::ModuleLoad.ring()) else { return };
    // SAFETY: the record is the ring's until it is committed; all that is reached through the module is probed.
    unsafe {
        (*record).header = header::<ModuleRecord>(kind::MODULE);
        actor::describe(&raw mut (*record).actor);
        (*record).taints = Probed::member(module, offset!(module_taints));
        if !probe(&raw mut (*record).name, module as u64 + u64::from(offset!(module_name))) {
            run.partial();
        }
        run.commit(Source::ModuleLoad.ring(), record);
    }
}
