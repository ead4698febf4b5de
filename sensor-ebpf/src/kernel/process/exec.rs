//! `sched_process_exec`: a new image is in place and has not run yet.
//!
//! Arguments of the tracepoint: the task, its thread id before the exec, `struct linux_binprm`. The task is the
//! group's leader by now, whichever thread called, and its memory is the new image's.

use crate::classes::Source;
use crate::record::exec::{FILENAME_MAX, INTERPRETER_MAX};
use crate::record::{Header, LAYOUT_VERSION, exec_flags, kind};
use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_probe_read_kernel_str, bpf_probe_read_user_str};
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

use super::{args, image, script};
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, Typed, member, offset};
use crate::kernel::replicas::{replicas, run_once};
use crate::kernel::scratch::Area;
use crate::kernel::{cgroup, path, task};

replicas! {
    btf_tracepoint, "sched_process_exec", BtfTracePointContext, tell:
    sched_process_exec = 0, sched_process_exec_2 = 1, sched_process_exec_3 = 2, sched_process_exec_4 = 3
}

#[inline(always)]
fn tell<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the tracepoint's arguments, see above.
    run_once::<N>(Source::Exec, ctx.arg(2), |run| unsafe {
        exec(run, Area::exec(N), ctx.arg(0), ctx.arg(1), ctx.arg(2))
    });
}

#[inline(always)]
unsafe fn exec(run: Run, area: Option<Area>, task: Address, old_tid: u32, bprm: Address) {
    let Some(area) = area else {
        return run.failed();
    };
    let record = area.begin();
    // SAFETY: the verifier.
    unsafe {
        let time = bpf_ktime_get_boot_ns();
        task::describe::<Typed>(task, area, record);
        (*record).old_tid = old_tid;
        (*record).error = 0;
        (*record).argc = member(bprm, offset!(bprm_argc));
        (*record).envc = member(bprm, offset!(bprm_envc));
        if secure(bprm) {
            area.flag(exec_flags::SECURE);
        }

        image::describe(member(bprm, offset!(bprm_file)), area, record);
        working_directory(task, area, record);

        let filename: Address = member(bprm, offset!(bprm_filename));
        let interpreter: Address = member(bprm, offset!(bprm_interp));
        (*record).script_len = 0;
        if interpreter != filename {
            area.flag(exec_flags::SCRIPT);
            let file = script::find(task, area);
            if file != 0 {
                (*record).script_len = script::append(area, file);
            } else if script::can_be_found() {
                area.flag(exec_flags::SCRIPT_PATH | exec_flags::SCRIPT_CUT);
            }
        }
        (*record).filename_len = name::<FILENAME_MAX>(area, filename);
        (*record).interpreter_len = 0;
        if interpreter != filename {
            (*record).interpreter_len = name::<INTERPRETER_MAX>(area, interpreter);
        }

        let cgroup = cgroup::of::<Typed>(task, area);
        (*record).cgroup_len = cgroup::describe(area, cgroup, &raw mut (*record).place);

        let mm: Address = member(task, offset!(task_mm));
        if mm.is_null() {
            return run.failed();
        }
        args::append(mm, area, record);

        finish(run, area, record, kind::EXEC, time, cgroup.id);
    }
}

/// Writes the header and hands the record to the ring.
///
/// # Safety
///
/// `record` must be within `area`.
#[inline(always)]
pub(super) unsafe fn finish(
    run: Run,
    area: Area,
    record: *mut crate::record::ExecRecord,
    kind: u16,
    time: u64,
    cgroup: u64,
) {
    let (bytes, len) = area.record();
    let flags = area.flags();
    // SAFETY: within the area.
    unsafe {
        (*record).header = Header { layout: LAYOUT_VERSION, kind, len: len as u32, time };
        (*record).flags = flags;
    }
    if flags & exec_flags::READ_FAILED != 0 {
        run.partial();
    }
    if run.submit(Source::Exec.ring(), bytes, len) && flags & exec_flags::CGROUP_PATH != 0 {
        cgroup::sent(cgroup);
    }
}

/// Appends `task->fs->pwd`.
///
/// # Safety
///
/// `task` must be a typed `task_struct` pointer, `record` within `area`.
#[inline(always)]
pub(super) unsafe fn working_directory(task: Address, area: Area, record: *mut crate::record::ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        (*record).cwd_len = 0;
        let fs: Address = member(task, offset!(task_fs));
        if fs.is_null() {
            area.flag(exec_flags::READ_FAILED | exec_flags::CWD_CUT);
            return;
        }
        let path = path::append(area, member(fs, offset!(fs_pwd_dentry)), member(fs, offset!(fs_pwd_mnt)));
        (*record).cwd_len = path.len;
        if path.end != path::End::Root {
            area.flag(exec_flags::CWD_CUT);
        }
    }
}

/// Appends a string of the kernel's; returns its length.
///
/// # Safety
///
/// The verifier and the helper check everything; `from` may be anything.
#[inline(always)]
pub(super) unsafe fn name<const MAX: usize>(area: Area, from: Address) -> u16 {
    // SAFETY: `end` leaves room.
    named::<MAX>(area, unsafe { bpf_probe_read_kernel_str(area.end().cast(), MAX as u32, from) })
}

/// The same of one in the memory of the task at hand.
///
/// # Safety
///
/// As of [`name`].
#[inline(always)]
pub(super) unsafe fn callers_name<const MAX: usize>(area: Area, from: Address) -> u16 {
    // SAFETY: as above.
    named::<MAX>(area, unsafe { bpf_probe_read_user_str(area.end().cast(), MAX as u32, from) })
}

#[inline(always)]
fn named<const MAX: usize>(area: Area, len: i64) -> u16 {
    if len < 1 {
        area.flag(exec_flags::READ_FAILED);
        return 0;
    }
    if len == MAX as i64 {
        area.flag(exec_flags::NAME_CUT);
    }
    // The end of the string is counted, not kept.
    let len = crate::kernel::load::at_most::<{ FILENAME_MAX as u64 }>(len as u64 - 1);
    area.set_at(area.at() + len);
    len as u16
}

/// `bprm->secureexec`.
#[inline(always)]
unsafe fn secure(bprm: Address) -> bool {
    // SAFETY: the caller.
    unsafe { is_set(bprm, offset!(bprm_secureexec)) }
}

/// A bit field of one bit, `bit` bits into a structure: the word around it is loaded.
///
/// # Safety
///
/// As [`member`].
#[inline(always)]
pub(super) unsafe fn is_set(base: Address, bit: u32) -> bool {
    // SAFETY: the verifier.
    let word: u32 = unsafe { member(base, bit / 32 * 4) };
    word >> (bit % 32) & 1 != 0
}
