//! Namespaces that are made and entered.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::bpf_get_current_task;
use aya_ebpf::macros::{btf_tracepoint, fexit};
use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

use super::{NAMESPACES, NamespaceRecord, SOURCE, call};
use crate::kernel::actor;
use crate::kernel::call::{self as calls, Call};
use crate::kernel::emit::{Run, header};
use crate::kernel::load::{Address, Memory, Probed, Typed, offset, present, word};
use crate::kernel::replicas::{replicas, run_once};

replicas! {
    fexit, "ksys_unshare", FExitContext, at_unshare:
    ksys_unshare = 0, ksys_unshare_2 = 1, ksys_unshare_3 = 2, ksys_unshare_4 = 3
}

#[inline(always)]
fn at_unshare<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the one argument is the flags; then comes what was returned.
    unsafe { unshared::<N>(word::<0>(ctx), word::<1>(ctx) as i32) }
}

replicas! {
    fexit, "__x64_sys_setns", FExitContext, at_setns:
    setns = 0, setns_2 = 1, setns_3 = 2, setns_4 = 3
}

#[inline(always)]
fn at_setns<const N: u32>(ctx: &FExitContext) {
    // SAFETY: the one argument is the registers; then comes what was returned.
    unsafe { entered::<N>(Call::new(word::<0>(ctx.as_ptr()) as Address, false), word::<1>(ctx.as_ptr()) as i32) }
}

replicas! {
    fexit, "__ia32_sys_setns", FExitContext, at_compat_setns:
    setns_compat = 0, setns_compat_2 = 1, setns_compat_3 = 2, setns_compat_4 = 3
}

#[inline(always)]
fn at_compat_setns<const N: u32>(ctx: &FExitContext) {
    // SAFETY: likewise.
    unsafe { entered::<N>(Call::new(word::<0>(ctx.as_ptr()) as Address, true), word::<1>(ctx.as_ptr()) as i32) }
}

replicas! {
    btf_tracepoint, "task_newtask", BtfTracePointContext, at_newtask:
    task_newtask = 0, task_newtask_2 = 1, task_newtask_3 = 2, task_newtask_4 = 3
}

replicas! {
    btf_tracepoint, "task_newtask", BtfTracePointContext, at_newtask:
    task_newtask_beside = 0, task_newtask_beside_2 = 1, task_newtask_beside_3 = 2, task_newtask_beside_4 = 3
}

#[inline(always)]
fn at_newtask<const N: u32>(ctx: &BtfTracePointContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the new task and the flags of the clone.
    unsafe {
        let kinds = word::<1>(ctx) as u32 & NAMESPACES;
        if kinds == 0 {
            return;
        }
        let task = word::<0>(ctx) as Address;
        run_once::<N>(SOURCE, task, |run| {
            let child: u32 = Typed::member(task, offset!(task_tgid));
            tell_of_namespaces(run, kinds, call::CLONE, 0, child);
        });
    }
}

#[inline(always)]
pub(super) unsafe fn unshared<const N: u32>(flags: u64, returned: i32) {
    // Of files, memory and the like there is nothing to tell.
    let kinds = flags as u32 & NAMESPACES;
    if kinds == 0 {
        return;
    }
    // SAFETY: the task is the call's own.
    unsafe {
        let task = bpf_get_current_task() as Address;
        run_once::<N>(SOURCE, task, |run| tell_of_namespaces(run, kinds, call::UNSHARE, returned, 0));
    }
}

#[inline(always)]
pub(super) unsafe fn entered<const N: u32>(call: Call, returned: i32) {
    // SAFETY: the task is the call's own; all else is probed.
    unsafe {
        let task = bpf_get_current_task() as Address;
        run_once::<N>(SOURCE, task, |run| {
            let flags = call.argument::<1>() as u32;
            // Of a namespace's descriptor they may be zero, and are the namespace's own otherwise.
            let kinds = if flags == 0 { kind_of(call, returned) } else { flags };
            tell_of_namespaces(run, kinds & NAMESPACES, call::SETNS, returned, 0);
        });
    }
}

/// The kind of a namespace that was entered by its descriptor.
#[inline(always)]
unsafe fn kind_of(call: Call, returned: i32) -> u32 {
    const EPERM: i32 = -1;
    // What the kernel did not take for one is none.
    if returned < EPERM || !present!(containment.namespace_type) {
        return 0;
    }
    // SAFETY: probed.
    unsafe {
        let task = bpf_get_current_task() as Address;
        let file = calls::file::<Probed>(task, call.argument::<0>() as u32);
        let inode: Address = Probed::member(file, offset!(file_inode));
        let mut holder: Address = Probed::member(inode, offset!(inode_private));
        if !present!(containment.namespace_has_type) {
            holder = Probed::member(holder, offset!(containment.namespace_operations));
        }
        Probed::member(holder, offset!(containment.namespace_type))
    }
}

#[inline(always)]
unsafe fn tell_of_namespaces(run: Run, kinds: u32, call: u32, returned: i32, child: u32) {
    if !run.has_room(SOURCE) {
        return;
    }
    let Some(record) = run.reserve::<NamespaceRecord>(SOURCE.ring()) else { return };
    // SAFETY: the record is the ring's until it is committed.
    unsafe {
        (*record).header = header::<NamespaceRecord>();
        actor::describe(&raw mut (*record).actor);
        (*record).kinds = kinds;
        (*record).call = call;
        (*record).error = returned;
        (*record).child = child;
        run.commit(SOURCE.ring(), record);
    }
}
