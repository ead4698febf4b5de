//! Execs that failed: attempts that leave no other trace.
//!
//! Two functions of the kernel's fs/exec.c can refuse a program, and a program at each one's return tells:
//!
//! * `alloc_bprm` opens the file since Linux 6.8 and fails with `ENOENT`, `EACCES`, ...;
//! * `bprm_execve` does all the rest, and before 6.8 the opening too: `ENOEXEC`, `EPERM`, ...
//!
//! Where a kernel does not allow fexit programs, one at the end of the system call tells what both would: the name as the caller has it,
//! and the file, if one was opened, out of what the call gives back (see `script`). `bpf_get_current_task_btf` (Linux 5.11) is needed in
//! any case. The arguments are not recorded: they are in a memory that never came to life.
//!
//! A failing `execve` costs next to nothing and can be repeated at will. So none is told unless somebody asks for it, none
//! takes the room in the ring buffer that execs need, and there is a budget of them. A check whether a file could be executed (`AT_EXECVE_CHECK`, Linux
//! 6.14) is no attempt to.

use crate::classes::Source;
use crate::record::exec::FILENAME_MAX;
use crate::record::kind;
use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_ktime_get_boot_ns};
use aya_ebpf::macros::{btf_tracepoint, fexit};
use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

use super::{exec, image, script};
use crate::kernel::call::Ended;
use crate::kernel::emit::{self, Run};
use crate::kernel::load::{Address, CastOrTyped, member, offset, present, word};
use crate::kernel::replicas::{replicas, run_once};
use crate::kernel::scratch::Area;
use crate::kernel::{cgroup, task};

/// Largest error number of Linux; what lies above `-MAX_ERRNO` is an error and not a pointer.
const MAX_ERRNO: i64 = 4095;
/// `AT_EXECVE_CHECK` of Linux.
const EXECVE_CHECK: u64 = 0x1_0000;
const AT_FDCWD: i32 = -100;

replicas! {
    fexit, "bprm_execve", FExitContext, executed:
    bprm_execve = 0, bprm_execve_2 = 1, bprm_execve_3 = 2, bprm_execve_4 = 3
}

replicas! {
    fexit, "alloc_bprm", FExitContext, opened:
    alloc_bprm = 0, alloc_bprm_2 = 1, alloc_bprm_3 = 2, alloc_bprm_4 = 3
}

#[inline(always)]
fn executed<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments, then the returned value; the number of arguments is a constant to the verifier.
    unsafe {
        let bprm = word::<0>(ctx) as Address;
        run_once::<N>(Source::ExecFailed, bprm, |run| {
            let returned = match offset!(bprm_execve_parameters) {
                1 => word::<1>(ctx),
                _ => word::<4>(ctx),
            };
            // An `int`: the upper half means nothing.
            let error = returned as i32;
            if error >= 0 || (present!(bprm_is_check) && exec::is_set(bprm, offset!(bprm_is_check))) {
                return run.filtered();
            }
            let filename: Address = member(bprm, offset!(bprm_filename));
            let attempt = Attempt {
                error,
                filename,
                is_callers: false,
                is_below: false,
                is_given_back: member::<Address>(bprm, offset!(bprm_interp)) != filename,
                file: member(bprm, offset!(bprm_file)),
                argc: member(bprm, offset!(bprm_argc)),
                envc: member(bprm, offset!(bprm_envc)),
            };
            failed::<N>(Source::ExecFailed, run, attempt);
        });
    }
}

#[inline(always)]
fn opened<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: as above.
    unsafe {
        let filename = word::<1>(ctx) as Address;
        run_once::<N>(Source::ExecNotOpened, filename, |run| {
            let returned = word::<3>(ctx) as i64;
            if !(-MAX_ERRNO..0).contains(&returned) || word::<2>(ctx) & EXECVE_CHECK != 0 {
                return run.filtered();
            }
            if filename.is_null() {
                return run.failed();
            }
            let filename = member(filename, offset!(filename_name));
            let error = returned as i32;
            let file = core::ptr::null();
            let attempt = Attempt {
                error,
                filename,
                is_callers: false,
                is_below: false,
                is_given_back: false,
                file,
                argc: 0,
                envc: 0,
            };
            failed::<N>(Source::ExecNotOpened, run, attempt);
        });
    }
}

replicas! {
    btf_tracepoint, "sys_exit", BtfTracePointContext, ended:
    sys_exit_of_exec = 0, sys_exit_of_exec_2 = 1, sys_exit_of_exec_3 = 2, sys_exit_of_exec_4 = 3
}

#[inline(always)]
fn ended<const N: u32>(ctx: &BtfTracePointContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the program's own context.
    unsafe {
        // That is all that is looked at of most calls.
        let returned = word::<1>(ctx) as i64;
        if !(-MAX_ERRNO..0).contains(&returned) {
            return;
        }
        let Some(end) = Ended::at(ctx) else { return };
        if !matches!(end.number, 11 | 59 | 322 | 358 | 520 | 545) {
            return;
        }
        let call = end.call();
        // `execve`, or `execveat`; of 64 bits and x32, and of 32 bits.
        let is_at = match (end.number, call.is_compat) {
            (59 | 520, false) | (11, true) => false,
            (322 | 545, false) | (358, true) => true,
            _ => return,
        };
        let task: Address = bpf_get_current_task_btf().cast_const().cast();
        run_once::<N>(Source::ExecFailed, task, |run| {
            if is_at && call.argument::<4>() & EXECVE_CHECK != 0 {
                return run.filtered();
            }
            let first = call.argument::<0>();
            let filename = if is_at { call.argument::<1>() } else { first };
            let error = returned as i32;
            let file = core::ptr::null();
            let attempt = Attempt {
                error,
                filename: filename as Address,
                is_callers: true,
                is_below: is_at && first as i32 != AT_FDCWD,
                is_given_back: true,
                file,
                argc: 0,
                envc: 0,
            };
            failed::<N>(Source::ExecFailed, run, attempt);
        });
    }
}

/// What was tried.
struct Attempt {
    error: i32,
    filename: Address,
    /// Whether the name is in the caller's memory.
    is_callers: bool,
    /// Whether it is, unless it is a whole path, one in a folder that is given by a descriptor; or none, and that is the file's.
    is_below: bool,
    /// Whether the call gives the file back, as that of a script which names another to run it.
    is_given_back: bool,
    /// Null if it was not opened, or is not known.
    file: Address,
    argc: u32,
    envc: u32,
}

#[inline(always)]
unsafe fn failed<const N: u32>(source: Source, run: Run, attempt: Attempt) {
    if !emit::is_asked_for(attempt.error) {
        return run.filtered();
    }
    if !run.has_room(source) {
        return;
    }
    let Some(area) = Area::failed(N) else {
        return run.failed();
    };
    let record = area.begin();
    // SAFETY: the verifier.
    unsafe {
        let time = bpf_ktime_get_boot_ns();
        let task: Address = bpf_get_current_task_btf().cast_const().cast();
        task::describe::<CastOrTyped>(task, area, record);
        (*record).old_tid = member(task, offset!(task_pid));
        (*record).error = attempt.error;
        (*record).argc = attempt.argc;
        (*record).envc = attempt.envc;
        (*record).args_bytes = 0;
        (*record).args_unreadable = 0;
        (*record).args_head_len = 0;
        (*record).args_tail_len = 0;
        (*record).interpreter_len = 0;
        image::none(record);
        exec::working_directory(task, area, record);
        (*record).script_len = 0;
        // Where an interpreter was refused, the file is that.
        let mut file = if attempt.is_given_back { script::find(task, area) } else { 0 };
        if file == 0 {
            file = attempt.file as u64;
        }
        if file != 0 {
            (*record).script_len = script::append(area, file);
        }
        (*record).filename_len = if attempt.is_callers {
            let (start, first) = (area.at(), area.end());
            let len = exec::callers_name::<FILENAME_MAX>(area, attempt.filename);
            if attempt.is_below && first.read_volatile() != b'/' {
                area.set_at(start);
                0
            } else {
                len
            }
        } else {
            exec::name::<FILENAME_MAX>(area, attempt.filename)
        };
        let cgroup = cgroup::of::<CastOrTyped>(task, area);
        (*record).cgroup_len = cgroup::describe(area, cgroup, &raw mut (*record).place);
        exec::finish(run, area, record, kind::EXEC_FAILED, time, cgroup.id);
    }
    area.release();
}
