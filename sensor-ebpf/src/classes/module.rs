//! Modules of the kernel.
//!
//! `module_load`: a module is in the kernel's memory, checked, and about to be started.
//!
//! The one argument of the tracepoint is its `struct module`. It fires in the call of whoever loads the module, by either
//! system call (`load_module` in kernel/module/main.c, Linux 2.6.31), and not at all for a module that is refused before.
//!
//! Minimum: Linux 5.10, with `CONFIG_MODULES`.

use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "module",
    ring: Ring::Rare,
    sources: &[SourceSpec::new("module_load")],
    hooks: &[Hook::new(Source::ModuleLoad, "module_load", point!(tp_btf "module_load"))
        .needs(&["module_name", "module_taints"])
        .missed("modules that are loaded into the kernel are not seen")],
    facts: FACTS,
    records: &[ModuleRecord::KIND],
};

facts! {
    // CONFIG_MODULES.
    optional module_name = Member("module", "name");
    optional module_taints = Member("module", "taints");
}

/// Longest name of a module, with the zero at its end (`MODULE_NAME_LEN`: 64 bytes less a pointer).
pub const NAME_LEN: usize = 56;

act! {
    7 =>
    /// The module is whole and about to be started; it may still refuse. Who does it is `modprobe` or the like, also where the
    /// kernel asked for the module.
    ///
    /// Its parameters are not told: by now the kernel has cut them up in place, and the command line of who loads it has them.
    pub struct ModuleRecord {
        /// What loading it makes of the kernel, in the bits of `/proc/sys/kernel/tainted`: not signed (13), from outside of the
        /// kernel's sources (12), forced (1).
        pub taints: u64,
        /// Ends at the first zero.
        pub name: [u8; NAME_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::macros::btf_tracepoint;
    use aya_ebpf::programs::BtfTracePointContext;

    use super::ModuleRecord;
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, offset, present, probe};
    use crate::kernel::replicas::{replicas, run_once};

    replicas! {
        btf_tracepoint, "module_load", BtfTracePointContext, at_load:
        module_load = 0, module_load_2 = 1, module_load_3 = 2, module_load_4 = 3
    }

    #[inline(always)]
    fn at_load<const N: u32>(ctx: &BtfTracePointContext) {
        if present!(module.module_name) && present!(module.module_taints) {
            // SAFETY: the tracepoint's argument.
            run_once::<N>(Source::ModuleLoad, ctx.arg(0), |run| unsafe { loaded(run, ctx.arg(0)) });
        }
    }

    #[inline(always)]
    unsafe fn loaded(run: Run, module: Address) {
        let Some(record) = run.reserve::<ModuleRecord>(Source::ModuleLoad.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; all that is reached through the module is probed.
        unsafe {
            (*record).header = header::<ModuleRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).taints = Probed::member(module, offset!(module.module_taints));
            if !probe(&raw mut (*record).name, module as u64 + u64::from(offset!(module.module_name))) {
                run.partial();
            }
            run.commit(Source::ModuleLoad.ring(), record);
        }
    }
}
