//! Tracing: a process takes another one over, writes into its memory, or takes a descriptor of its.
//!
//! Each way is told when the kernel has decided, refused ones with their error. The first rung that can be had serves:
//!
//! 1. the returns of the functions that do it, which run for nothing else: `ptrace_attach` and `ptrace_traceme`
//!    (kernel/ptrace.c), `mem_write` (fs/proc/base.c), which writes to `/proc/PID/mem` end in, those of io_uring too,
//!    `pidfd_getfd` (kernel/pid.c), and the system call `process_vm_writev`, whose own functions take more arguments than can be
//!    had on older kernels, by both of its entries.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions. Numbers that calls take are looked
//!    up as the kernel does it: descriptors in the task's table, ids in its pid namespace. While this is attached each system
//!    call of the host takes a longer way, and each write of a file looks which file system that is on.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, Actor, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "tracing",
    ring: Ring::Rare,
    // Anybody may trace what is theirs.
    sources: &[SourceSpec::new("trace").budget(Budget::per_second(1_000))],
    hooks: &[
        Hook::new(Source::Trace, "ptrace_attach", point!(fexit "ptrace_attach"))
            .beside(&[
                Beside::new("ptrace_traceme", point!(fexit "ptrace_traceme")),
                Beside::new("mem_write", point!(fexit "mem_write")),
                Beside::new("pidfd_getfd", point!(fexit "pidfd_getfd")),
                Beside::new("process_vm_writev", point!(fexit "__x64_sys_process_vm_writev")),
                Beside::new("process_vm_writev_compat", point!(fexit "__ia32_sys_process_vm_writev"))
                    .only_with("compat_calls"),
            ])
            .needs(&[
                "ptrace_attach_parameters",
                "ptrace_traceme_parameters",
                "mem_write_parameters",
                "pidfd_getfd_parameters",
                "process_vm_writev_parameters",
                "regs_number",
            ])
            .missed("writes to /proc/PID/mem by way of io_uring are not seen"),
        Hook::new(Source::Trace, "sys_exit_of_tracing", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status"])
            .missed("processes that trace others, or write into their memory, are not seen"),
    ],
    facts: FACTS,
    records: &[TraceRecord::KIND],
};

facts! {
    optional ptrace_attach_parameters = Parameters("ptrace_attach");
    optional ptrace_traceme_parameters = Parameters("ptrace_traceme");
    optional mem_write_parameters = Parameters("mem_write");
    optional pidfd_getfd_parameters = Parameters("pidfd_getfd");
    optional process_vm_writev_parameters = Parameters("__x64_sys_process_vm_writev");
    required proc_inode_pid = Member("proc_inode", "pid");
    required proc_inode_vfs = Member("proc_inode", "vfs_inode");
}

/// What is asked for.
pub mod request {
    pub const ATTACH: u32 = 1;
    pub const SEIZE: u32 = 2;
    pub const TRACEME: u32 = 3;
    pub const PROCESS_VM_WRITEV: u32 = 4;
    pub const MEM_WRITE: u32 = 5;
    pub const PIDFD_GETFD: u32 = 6;
}

act! {
    20 =>
    /// A process got at another one, or was refused that.
    pub struct TraceRecord {
        /// The other one, as it is now: who is traced, whose memory is written, whose descriptor is taken; the one that traces from
        /// now on, of a process that asks to be traced. Zero if there is none.
        pub target: Actor,
        /// One of [`request`].
        pub request: u32,
        /// Zero, or a negative errno.
        pub error: i32,
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_get_current_task_btf};
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::{TraceRecord, request};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::{self, Call, Ended, PidType};
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, Typed, offset, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `PTRACE_TRACEME`, `PTRACE_ATTACH` and `PTRACE_SEIZE` of Linux.
    const TRACEME: u64 = 0;
    const ATTACH: u64 = 16;
    const SEIZE: u64 = 0x4206;

    /// What programs take that attach, of a request to `ptrace`.
    #[inline(always)]
    const fn asked(request: u64) -> u32 {
        if request == SEIZE { request::SEIZE } else { request::ATTACH }
    }

    replicas! {
        fexit, "ptrace_attach", FExitContext, at_attach:
        ptrace_attach = 0, ptrace_attach_2 = 1, ptrace_attach_3 = 2, ptrace_attach_4 = 3
    }

    #[inline(always)]
    fn at_attach<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the task, the request and two more; then comes what was returned.
        unsafe {
            let task = word::<0>(ctx) as Address;
            run_once::<N>(Source::Trace, task, |run| tell(run, asked(word::<1>(ctx)), task, word::<4>(ctx) as i32));
        }
    }

    replicas! {
        fexit, "ptrace_traceme", FExitContext, at_traceme:
        ptrace_traceme = 0, ptrace_traceme_2 = 1, ptrace_traceme_3 = 2, ptrace_traceme_4 = 3
    }

    #[inline(always)]
    fn at_traceme<const N: u32>(ctx: &FExitContext) {
        // SAFETY: no arguments: what was returned.
        unsafe {
            let task = bpf_get_current_task() as Address;
            run_once::<N>(Source::Trace, task, |run| traceme(run, word::<0>(ctx.as_ptr()) as i32));
        }
    }

    replicas! {
        fexit, "mem_write", FExitContext, at_write:
        mem_write = 0, mem_write_2 = 1, mem_write_3 = 2, mem_write_4 = 3
    }

    #[inline(always)]
    fn at_write<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the file, the buffer, its size and the place; then comes what was returned.
        unsafe {
            let file = word::<0>(ctx) as Address;
            run_once::<N>(Source::Trace, file, |run| {
                let inode: Address = Probed::member(file, offset!(file_inode));
                tell(run, request::MEM_WRITE, task_of_inode(inode), word::<4>(ctx) as i32);
            });
        }
    }

    replicas! {
        fexit, "pidfd_getfd", FExitContext, at_getfd:
        pidfd_getfd = 0, pidfd_getfd_2 = 1, pidfd_getfd_3 = 2, pidfd_getfd_4 = 3
    }

    #[inline(always)]
    fn at_getfd<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the `struct pid` and the descriptor; then comes what was returned.
        unsafe {
            let pid = word::<0>(ctx) as Address;
            run_once::<N>(Source::Trace, pid, |run| {
                let task = call::task_of(pid, PidType::Process);
                tell(run, request::PIDFD_GETFD, task, word::<2>(ctx) as i32);
            });
        }
    }

    replicas! {
        fexit, "__x64_sys_process_vm_writev", FExitContext, at_writev:
        process_vm_writev = 0, process_vm_writev_2 = 1, process_vm_writev_3 = 2, process_vm_writev_4 = 3
    }

    #[inline(always)]
    fn at_writev<const N: u32>(ctx: &FExitContext) {
        // SAFETY: behind the one argument comes what was returned. The argument is the registers, of a type that this function's file
        // does not know on Linux 5.10, and so cannot be read.
        unsafe { writev::<N>(Call::at_hand(false), word::<1>(ctx.as_ptr()) as i32) }
    }

    replicas! {
        fexit, "__ia32_sys_process_vm_writev", FExitContext, at_compat_writev:
        process_vm_writev_compat = 0, process_vm_writev_compat_2 = 1, process_vm_writev_compat_3 = 2,
        process_vm_writev_compat_4 = 3
    }

    #[inline(always)]
    fn at_compat_writev<const N: u32>(ctx: &FExitContext) {
        // SAFETY: likewise.
        unsafe { writev::<N>(Call::at_hand(true), word::<1>(ctx.as_ptr()) as i32) }
    }

    #[inline(always)]
    unsafe fn writev<const N: u32>(call: Call, returned: i32) {
        // SAFETY: the task is the call's own.
        unsafe {
            let task = bpf_get_current_task() as Address;
            run_once::<N>(Source::Trace, task, |run| {
                tell(run, request::PROCESS_VM_WRITEV, named(call.argument::<0>()), returned);
            });
        }
    }

    replicas! {
        btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
        sys_exit_of_tracing = 0, sys_exit_of_tracing_2 = 1, sys_exit_of_tracing_3 = 2, sys_exit_of_tracing_4 = 3
    }

    #[inline(always)]
    fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
        // SAFETY: the program's own context.
        unsafe {
            let Some(end) = Ended::at(ctx.as_ptr()) else { return };
            let (native, compat) = (native(end.number), compat(end.number));
            if native | compat == OTHER {
                return;
            }
            let call = end.call();
            ended::<N>(call, if call.is_compat { compat } else { native }, end.returned as i32);
        }
    }

    /// What a call is.
    const OTHER: u32 = 0;
    const PTRACE: u32 = 1;
    const VM_WRITEV: u32 = 2;
    const GETFD: u32 = 4;
    const WRITE: u32 = 8;

    /// Of 64 bits, those of x32 among them.
    #[inline(always)]
    const fn native(number: u32) -> u32 {
        match number {
            1 | 18 | 20 | 296 | 328 | 516 | 535 | 547 => WRITE,
            101 | 521 => PTRACE,
            311 | 540 => VM_WRITEV,
            438 => GETFD,
            _ => OTHER,
        }
    }

    /// Of 32 bits.
    #[inline(always)]
    const fn compat(number: u32) -> u32 {
        match number {
            4 | 146 | 181 | 334 | 379 => WRITE,
            26 => PTRACE,
            348 => VM_WRITEV,
            438 => GETFD,
            _ => OTHER,
        }
    }

    #[inline(always)]
    unsafe fn ended<const N: u32>(call: Call, what: u32, returned: i32) {
        // SAFETY: probed.
        unsafe {
            let task = bpf_get_current_task_btf() as Address;
            match what {
                PTRACE => {
                    let request = call.argument::<0>();
                    if request == TRACEME {
                        run_once::<N>(Source::Trace, task, |run| traceme(run, returned));
                    } else if request == ATTACH || request == SEIZE {
                        run_once::<N>(Source::Trace, task, |run| {
                            tell(run, asked(request), named(call.argument::<1>()), returned);
                        });
                    }
                }
                VM_WRITEV => writev::<N>(call, returned),
                GETFD => run_once::<N>(Source::Trace, task, |run| {
                    tell(run, request::PIDFD_GETFD, described(call, returned), returned);
                }),
                WRITE => {
                    let file = call::file::<Typed>(task, call.argument::<0>() as u32);
                    if let Some(inode) = memory(file) {
                        run_once::<N>(Source::Trace, task, |run| {
                            tell(run, request::MEM_WRITE, task_of_inode(inode), returned);
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// The task of an id, a thread say.
    #[inline(always)]
    unsafe fn named(id: u64) -> Address {
        // SAFETY: probed.
        unsafe { call::task_of(call::pid_of(id as u32), PidType::Thread) }
    }

    /// The task of the descriptor that `pidfd_getfd` was given, unless it may not be one of a process.
    #[inline(always)]
    unsafe fn described(call: Call, returned: i32) -> Address {
        const EPERM: i32 = -1;
        if returned < EPERM {
            return core::ptr::null();
        }
        // SAFETY: probed; the kernel has taken it for one.
        unsafe {
            let task = bpf_get_current_task_btf() as Address;
            let file = call::file::<Typed>(task, call.argument::<0>() as u32);
            call::task_of(call::pid_of_descriptor(file), PidType::Process)
        }
    }

    /// The inode of `/proc/PID/mem`, if a file is that.
    #[inline(always)]
    unsafe fn memory(file: Address) -> Option<Address> {
        /// `PROC_SUPER_MAGIC` of Linux.
        const PROC: u64 = 0x9fa0;
        const NAME: u32 = u32::from_ne_bytes(*b"mem\0");
        if file.is_null() {
            return None;
        }
        // SAFETY: probed.
        unsafe {
            let inode: Address = Probed::member(file, offset!(file_inode));
            let superblock: Address = Probed::member(inode, offset!(inode_sb));
            if Probed::member::<u64>(superblock, offset!(sb_magic)) != PROC {
                return None;
            }
            let dentry: Address = Probed::member(file, offset!(file_path_dentry));
            let name: Address = Probed::member(dentry, offset!(dentry_name) + offset!(qstr_name));
            (Probed::member::<u32>(name, 0) == NAME).then_some(inode)
        }
    }

    /// The task of a file of `/proc/PID`.
    #[inline(always)]
    unsafe fn task_of_inode(inode: Address) -> Address {
        // SAFETY: probed.
        unsafe {
            let proc = inode.wrapping_byte_sub(offset!(tracing.proc_inode_vfs) as usize);
            call::task_of(Probed::member(proc, offset!(tracing.proc_inode_pid)), PidType::Thread)
        }
    }

    /// Who asks to be traced is so by the parent.
    #[inline(always)]
    unsafe fn traceme(run: Run, returned: i32) {
        // SAFETY: probed.
        unsafe {
            let task = bpf_get_current_task() as Address;
            tell(run, request::TRACEME, Probed::member(task, offset!(task_real_parent)), returned);
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, request: u32, target: Address, returned: i32) {
        // Nothing was written.
        if returned == 0 && (request == request::MEM_WRITE || request == request::PROCESS_VM_WRITEV) {
            return run.filtered();
        }
        if !run.has_room(Source::Trace) {
            return;
        }
        let Some(record) = run.reserve::<TraceRecord>(Source::Trace.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; all that is reached through the task is probed.
        unsafe {
            (*record).header = header::<TraceRecord>();
            actor::describe(&raw mut (*record).actor);
            if !target.is_null() {
                actor::describe_other(target, &raw mut (*record).target);
            }
            (*record).request = request;
            (*record).error = if returned < 0 { returned } else { 0 };
            run.commit(Source::Trace.ring(), record);
        }
    }
}
