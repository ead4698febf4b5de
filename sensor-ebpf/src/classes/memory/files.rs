//! Files that are made in memory, and handlers of faults.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel_str, bpf_probe_read_user_str};
use aya_ebpf::macros::{btf_tracepoint, fexit};
use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

use super::programs::name_of;
use super::{MemfdRecord, NAME_LEN, UserfaultfdRecord};
use crate::classes::Source;
use crate::kernel::actor;
use crate::kernel::call::{self as calls, Call, Ended};
use crate::kernel::emit::header;
use crate::kernel::load::{Address, Probed, word};
use crate::kernel::replicas::{replicas, run_once};

replicas! {
    fexit, "__x64_sys_memfd_create", FExitContext, at_memfd:
    memfd_create = 0, memfd_create_2 = 1, memfd_create_3 = 2, memfd_create_4 = 3
}

replicas! {
    fexit, "__ia32_sys_memfd_create", FExitContext, at_memfd:
    memfd_create_compat = 0, memfd_create_compat_2 = 1, memfd_create_compat_3 = 2, memfd_create_compat_4 = 3
}

#[inline(always)]
fn at_memfd<const N: u32>(ctx: &FExitContext) {
    // SAFETY: behind the one argument comes what was returned.
    unsafe { memfd::<N>(Call::current(), word::<1>(ctx.as_ptr()) as i32) }
}

replicas! {
    fexit, "__x64_sys_userfaultfd", FExitContext, at_userfaultfd:
    userfaultfd = 0, userfaultfd_2 = 1, userfaultfd_3 = 2, userfaultfd_4 = 3
}

replicas! {
    fexit, "__ia32_sys_userfaultfd", FExitContext, at_userfaultfd:
    userfaultfd_compat = 0, userfaultfd_compat_2 = 1, userfaultfd_compat_3 = 2, userfaultfd_compat_4 = 3
}

#[inline(always)]
fn at_userfaultfd<const N: u32>(ctx: &FExitContext) {
    // SAFETY: likewise.
    unsafe { faults::<N>(Call::current(), word::<1>(ctx.as_ptr()) as i32) }
}

#[inline(always)]
unsafe fn memfd<const N: u32>(call: Call, returned: i32) {
    // SAFETY: the task is the call's own; the record is the ring's until it is committed; all else is probed.
    unsafe {
        let task = bpf_get_current_task() as Address;
        run_once::<N>(Source::MemoryFile, task, |run| {
            if !run.has_room(Source::MemoryFile) {
                return;
            }
            let Some(record) = run.reserve::<MemfdRecord>(Source::MemoryFile.ring()) else { return };
            (*record).header = header::<MemfdRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).flags = call.argument::<1>() as u32;
            let name = (&raw mut (*record).name).cast();
            if returned < 0 {
                (*record).error = returned;
                bpf_probe_read_user_str(name, NAME_LEN as u32, call.argument::<0>() as Address);
            } else {
                let file = calls::file::<Probed>(task, returned as u32);
                if !file.is_null() {
                    bpf_probe_read_kernel_str(name, NAME_LEN as u32, name_of(file));
                }
            }
            run.commit(Source::MemoryFile.ring(), record);
        });
    }
}

#[inline(always)]
unsafe fn faults<const N: u32>(call: Call, returned: i32) {
    // SAFETY: likewise.
    unsafe {
        let task = bpf_get_current_task() as Address;
        run_once::<N>(Source::MemoryFile, task, |run| {
            if !run.has_room(Source::MemoryFile) {
                return;
            }
            let Some(record) = run.reserve::<UserfaultfdRecord>(Source::MemoryFile.ring()) else { return };
            (*record).header = header::<UserfaultfdRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).flags = call.argument::<0>() as u32;
            (*record).error = if returned < 0 { returned } else { 0 };
            run.commit(Source::MemoryFile.ring(), record);
        });
    }
}

replicas! {
    btf_tracepoint, "sys_exit", BtfTracePointContext, at_end_for_files:
    sys_exit_of_memory_files = 0, sys_exit_of_memory_files_2 = 1, sys_exit_of_memory_files_3 = 2,
    sys_exit_of_memory_files_4 = 3
}

#[inline(always)]
fn at_end_for_files<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the program's own context.
    unsafe {
        let Some(end) = Ended::at(ctx.as_ptr()) else { return };
        let number = end.number;
        // `memfd_create` and `userfaultfd`, of 64 bits and of 32.
        if number != 319 && number != 323 && number != 356 && number != 374 {
            return;
        }
        let call = end.call();
        match (number, call.is_compat) {
            (319, false) | (356, true) => memfd::<N>(call, end.returned as i32),
            (323, false) | (374, true) => faults::<N>(call, end.returned as i32),
            _ => {}
        }
    }
}
