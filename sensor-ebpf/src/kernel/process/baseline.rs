//! `iter/task`: the tasks that were there before the sensor, straight from the kernel's own list.
//!
//! The program runs once per task while the agent reads the iterator's file; `bpf_seq_write` puts records there.
//! The other tasks run on meanwhile, so what is read of them may change under the walk: each record is a
//! best effort, and the fork, exec and exit records of the same time, for which the programs must be attached
//! before, are the ones to trust. Linux 5.8.

use crate::classes::Source;
use crate::record::{ExecRecord, Header, LAYOUT_VERSION, exec_flags, kind};
use aya_ebpf::bindings::seq_file;
use aya_ebpf::helpers::generated::{bpf_ktime_get_boot_ns, bpf_seq_write};
use core::ffi::c_void;

use super::{exec, image};
use crate::kernel::emit::Run;
use crate::kernel::load::{Address, CastOrTyped, member, offset};
use crate::kernel::scratch::Area;
use crate::kernel::{cgroup, task};

/// `PF_KTHREAD` of Linux.
const KERNEL_THREAD: u32 = 0x0020_0000;

#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task")]
extern "C" fn baseline(ctx: *mut c_void) -> i32 {
    // SAFETY: `struct bpf_iter__task`: a pointer to `struct bpf_iter_meta`, and one to the task, null at the end.
    let (meta, task) = unsafe { (member::<Address>(ctx, 0), member::<Address>(ctx, 8)) };
    if task.is_null() {
        return 0;
    }
    // SAFETY: as above; the first member of the meta is the `struct seq_file`.
    unsafe {
        let seq: Address = member(meta, 0);
        one(seq, task);
    }
    0
}

#[inline(always)]
unsafe fn one(seq: Address, task: Address) {
    let Some(run) = Run::begin::<0>(Source::Baseline) else {
        return;
    };
    // SAFETY: the verifier.
    unsafe {
        let pid: u32 = member(task, offset!(task_pid));
        let tgid: u32 = member(task, offset!(task_tgid));
        // A thread that is not the leader.
        if pid != tgid {
            return run.filtered();
        }
        let Some(area) = Area::baseline() else {
            return run.failed();
        };
        let record = area.begin();
        let time = bpf_ktime_get_boot_ns();
        task::describe::<CastOrTyped>(task, area, record);
        (*record).old_tid = pid;
        (*record).error = 0;
        (*record).argc = 0;
        (*record).envc = 0;
        (*record).script_len = 0;
        (*record).filename_len = 0;
        (*record).interpreter_len = 0;
        (*record).args_unreadable = 0;
        (*record).args_head_len = 0;
        (*record).args_tail_len = 0;
        (*record).args_bytes = 0;

        let flags: u32 = member(task, offset!(task_flags));
        if flags & KERNEL_THREAD != 0 {
            area.flag(exec_flags::KERNEL_THREAD);
            image::none(record);
        } else {
            user_image(task, area, record);
        }
        exec::working_directory(task, area, record);

        let cgroup = cgroup::of::<CastOrTyped>(task, area);
        (*record).cgroup_len = cgroup::describe(area, cgroup, &raw mut (*record).place);

        let (bytes, len) = area.record();
        let flags = area.flags();
        (*record).header = Header { layout: LAYOUT_VERSION, kind: kind::BASELINE, len: len as u32, time };
        (*record).flags = flags;
        if bpf_seq_write(seq.cast_mut().cast::<seq_file>(), bytes.cast(), len as u32) != 0 {
            // The reader's buffer is full; the kernel calls again for the same task.
            return run.retried();
        }
        if flags & exec_flags::READ_FAILED != 0 {
            run.partial();
        }
        run.submitted();
        if flags & exec_flags::CGROUP_PATH != 0 {
            cgroup::sent(cgroup.id);
        }
    }
}

#[inline(always)]
unsafe fn user_image(task: Address, area: Area, record: *mut ExecRecord) {
    // SAFETY: the verifier.
    unsafe {
        let mm: Address = member(task, offset!(task_mm));
        // Exiting: the memory is gone already.
        if mm.is_null() {
            return image::none(record);
        }
        let start: u64 = member(mm, offset!(mm_arg_start));
        let end: u64 = member(mm, offset!(mm_arg_end));
        (*record).args_bytes = end.saturating_sub(start);
        image::describe(member(mm, offset!(mm_exe_file)), area, record);
    }
}
