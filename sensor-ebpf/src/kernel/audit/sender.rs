//! Who sends: the task at hand, as it is now.
//!
//! The helper that gives the task as a typed pointer is Linux 5.11's, so this reads through the plain address: one way
//! for all kernels, and messages are rare.

use crate::record::{AuditRecord, exec_flags};
use aya_ebpf::helpers::generated::bpf_get_current_task;

use super::super::load::{Address, Memory, Probed, offset};
use super::super::mounts;
use super::super::path::{self, End};
use super::super::scratch::Area;
use super::{cgroup, task};

/// Fills in the sender, appends its path and its cgroup, and gives the cgroup's id.
///
/// # Safety
///
/// `record` must be the record begun in `area`.
#[inline(always)]
pub(super) unsafe fn describe(area: Area, record: *mut AuditRecord) -> u64 {
    // SAFETY: all that is reached through the task is probed.
    unsafe {
        let task = bpf_get_current_task() as Address;
        (*record).process = task::process_of::<Probed>(task);
        (*record).parent = task::parent_of::<Probed>(task);
        (&raw mut (*record).comm).cast::<[u64; 2]>().write(task::comm_of::<Probed>(task));
        task::credentials::<Probed>(task, &raw mut (*record).ids, &raw mut (*record).namespaces);
        let (ns_pid, pid_ns) = task::innermost_pid::<Probed>(task);
        (*record).ns_pid = ns_pid;
        (*record).namespaces.pid = pid_ns;
        task::namespaces::<Probed>(task, &raw mut (*record).namespaces);
        task::root::<Probed>(task, &raw mut (*record).place);
        task::terminal::<Probed>(task, &raw mut (*record).tty);
        (*record).reserved = 0;
        (*record).path_len = program(task, area);
        let cgroup = cgroup::of::<Probed>(task, area);
        (*record).cgroup_len = cgroup::describe(area, cgroup, &raw mut (*record).place);
        cgroup.id
    }
}

/// Appends the path of `task->mm->exe_file`.
#[inline(always)]
unsafe fn program(task: Address, area: Area) -> u16 {
    // SAFETY: as above.
    unsafe {
        let mm: Address = Probed::member(task, offset!(task_mm));
        let file: Address = if mm.is_null() { mm } else { Probed::member(mm, offset!(mm_exe_file)) };
        if file.is_null() {
            area.flag(exec_flags::READ_FAILED | exec_flags::PATH_CUT);
            return 0;
        }
        let dentry: u64 = Probed::member(file, offset!(file_path_dentry));
        let mnt: u64 = Probed::member(file, offset!(file_path_mnt));
        mounts::note::<Probed>(task, area);
        let path = path::append(area, dentry, mnt);
        area.flag(path.mounts);
        match path.end {
            End::Cut => area.flag(exec_flags::PATH_CUT),
            End::Root => {}
            End::Nameless => area.flag(exec_flags::MEMFD),
        }
        path.len
    }
}
