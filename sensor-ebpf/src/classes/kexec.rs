//! Kernels that are loaded to be started in the place of the running one.
//!
//! Somebody asked for one, or took one back, and the kernel did it or refused. The first rung that can be had serves:
//!
//! 1. the system calls `kexec_load` and `kexec_file_load` by each of their entries.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions, or that have no such calls, which
//!    then refuse them. While this is attached each system call of the host takes a longer way.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "kexec",
    ring: Ring::Rare,
    // Anybody may be refused it.
    sources: &[SourceSpec::new("kexec").budget(Budget::per_second(100))],
    hooks: &[
        // The second rung tells the same, so nothing is missed.
        Hook::new(Source::Kexec, "kexec_load", point!(fexit "__x64_sys_kexec_load"))
            .beside(&[
                Beside::new("kexec_load_compat", point!(fexit "__ia32_compat_sys_kexec_load"))
                    .only_with("kexec_load_compat_parameters"),
                Beside::new("kexec_file_load", point!(fexit "__x64_sys_kexec_file_load"))
                    .only_with("kexec_file_load_parameters"),
            ])
            .needs(&["kexec_load_parameters", "regs_number"]),
        Hook::new(Source::Kexec, "sys_exit_of_kexec", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status"])
            .missed("kernels that are loaded to be started in the place of the running one are not seen"),
    ],
    facts: FACTS,
    records: &[KexecRecord::KIND],
};

facts! {
    // CONFIG_KEXEC.
    optional kexec_load_parameters = Parameters("__x64_sys_kexec_load");
    // CONFIG_IA32_EMULATION.
    optional kexec_load_compat_parameters = Parameters("__ia32_compat_sys_kexec_load");
    // CONFIG_KEXEC_FILE.
    optional kexec_file_load_parameters = Parameters("__x64_sys_kexec_file_load");
}

/// Bytes kept of the name of the file, with the zero at its end.
pub const NAME_LEN: usize = 64;

/// What is called.
pub mod call {
    pub const LOAD: u32 = 1;
    pub const FILE_LOAD: u32 = 2;
}

act! {
    52 =>
    /// A kernel was loaded, taken back, or refused.
    pub struct KexecRecord {
        /// One of [`call`].
        pub call: u32,
        /// `KEXEC_…` of Linux, by the call.
        pub flags: u32,
        /// One if the kernel that is there is taken back.
        pub is_unload: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Of [`call::FILE_LOAD`] the last part of the name of the file that has it; ends at the first zero.
        pub name: [u8; NAME_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel_str};
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::{KexecRecord, NAME_LEN, call};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::{self as calls, Call, Ended};
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, offset, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `KEXEC_FILE_UNLOAD` of Linux.
    const FILE_UNLOAD: u64 = 1;

    replicas! {
        fexit, "__x64_sys_kexec_load", FExitContext, at_load:
        kexec_load = 0, kexec_load_2 = 1, kexec_load_3 = 2, kexec_load_4 = 3
    }

    #[inline(always)]
    fn at_load<const N: u32>(ctx: &FExitContext) {
        // SAFETY: behind the one argument, the registers, comes what was returned.
        unsafe { ended::<N>(Call::at_hand(false), call::LOAD, word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        fexit, "__ia32_compat_sys_kexec_load", FExitContext, at_compat_load:
        kexec_load_compat = 0, kexec_load_compat_2 = 1, kexec_load_compat_3 = 2, kexec_load_compat_4 = 3
    }

    #[inline(always)]
    fn at_compat_load<const N: u32>(ctx: &FExitContext) {
        // SAFETY: likewise.
        unsafe { ended::<N>(Call::at_hand(true), call::LOAD, word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        fexit, "__x64_sys_kexec_file_load", FExitContext, at_file_load:
        kexec_file_load = 0, kexec_file_load_2 = 1, kexec_file_load_3 = 2, kexec_file_load_4 = 3
    }

    #[inline(always)]
    fn at_file_load<const N: u32>(ctx: &FExitContext) {
        // SAFETY: likewise.
        unsafe { ended::<N>(Call::at_hand(false), call::FILE_LOAD, word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
        sys_exit_of_kexec = 0, sys_exit_of_kexec_2 = 1, sys_exit_of_kexec_3 = 2, sys_exit_of_kexec_4 = 3
    }

    #[inline(always)]
    fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
        // SAFETY: the program's own context.
        unsafe {
            let Some(end) = Ended::at(ctx.as_ptr()) else { return };
            let number = end.number;
            // `kexec_load` of 64 bits, of x32 and of 32 bits, and `kexec_file_load`, which those have not.
            if number != 246 && number != 528 && number != 283 && number != 320 {
                return;
            }
            let call = end.call();
            let what = match (number, call.is_compat) {
                (246 | 528, false) | (283, true) => call::LOAD,
                (320, false) => call::FILE_LOAD,
                _ => return,
            };
            ended::<N>(call, what, end.returned as i32);
        }
    }

    #[inline(always)]
    unsafe fn ended<const N: u32>(call: Call, what: u32, returned: i32) {
        // SAFETY: the task is the call's own.
        unsafe {
            let task = bpf_get_current_task() as Address;
            run_once::<N>(Source::Kexec, task, |run| tell(run, task, call, what, returned));
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, task: Address, call: Call, what: u32, returned: i32) {
        if !run.has_room(Source::Kexec) {
            return;
        }
        let Some(record) = run.reserve::<KexecRecord>(Source::Kexec.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; the file is probed.
        unsafe {
            (*record).header = header::<KexecRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).call = what;
            (*record).error = if returned < 0 { returned } else { 0 };
            if what == call::LOAD {
                // One of no segments is none.
                (*record).is_unload = u32::from(call.argument::<1>() == 0);
                (*record).flags = call.argument::<3>() as u32;
            } else {
                let flags = call.argument::<4>();
                (*record).flags = flags as u32;
                if flags & FILE_UNLOAD != 0 {
                    (*record).is_unload = 1;
                } else {
                    let file = calls::file::<Probed>(task, call.argument::<0>() as u32);
                    if !file.is_null() {
                        let dentry: Address = Probed::member(file, offset!(file_path_dentry));
                        let name: Address = Probed::member(dentry, offset!(dentry_name) + offset!(qstr_name));
                        bpf_probe_read_kernel_str((&raw mut (*record).name).cast(), NAME_LEN as u32, name);
                    }
                }
            }
            run.commit(Source::Kexec.ring(), record);
        }
    }
}
