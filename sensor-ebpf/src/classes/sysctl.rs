//! Settings of the kernel (`/proc/sys`).
//!
//! Somebody wrote to one, or was refused that. What is told is the kernel's own: the setting by the folders that the file is in, whatever
//! mount it was reached by, and what the kernel has for it after the write, not what the caller's memory says. The first rung that
//! can be had serves:
//!
//! 1. `proc_sys_write`, what all writes of these files come down to (Linux 5.10), io_uring's too.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions: the file is looked up by the
//!    descriptor that the call took. While this is attached each system call of the host takes a longer way.
//!
//! Reading is not told. Programs at control groups (`cgroup/sysctl`) see writes too, and take `CAP_NET_ADMIN`, which the sensor does not
//! ask for.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "sysctl",
    ring: Ring::Rare,
    // Root of a user namespace may write to those of its network as often as it likes.
    sources: &[SourceSpec::new("sysctl").budget(Budget::per_second(1_000))],
    hooks: &[
        Hook::new(Source::Sysctl, "proc_sys_write", point!(fexit "proc_sys_write"))
            .needs(&["proc_sys_write_parameters", "kiocb_file", "proc_inode_setting"])
            .missed("settings of the kernel that are written by way of io_uring are not seen"),
        Hook::new(Source::Sysctl, "sys_exit_of_sysctl", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&["current_task_helper", "regs_number", "thread_info_status", "proc_inode_setting"])
            .missed("settings of the kernel that are written are not seen"),
    ],
    facts: FACTS,
    records: &[SysctlRecord::KIND],
};

facts! {
    // CONFIG_PROC_SYSCTL.
    optional proc_sys_write_parameters = Parameters("proc_sys_write");
    optional proc_inode_setting = Member("proc_inode", "sysctl_entry");
    optional kiocb_file = Member("kiocb", "ki_filp");
    required setting_data = Member("ctl_table", "data");
    required setting_size = Member("ctl_table", "maxlen");
}

/// Bytes kept of each name, with the zero at its end, and names kept: no setting is deeper.
pub const NAME_LEN: usize = 40;
pub const NAMES: usize = 6;
/// Bytes kept of a value.
pub const VALUE_LEN: usize = 128;

act! {
    50 =>
    /// A setting was written.
    pub struct SysctlRecord {
        /// Bytes that the kernel has for it; zero if it keeps it otherwise.
        pub size: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// From the setting's own name up to that of the folder of all; each ends at the first zero. The others are empty.
        pub names: [[u8; NAME_LEN]; NAMES],
        /// What the kernel has for it, after.
        pub value: [u8; VALUE_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_probe_read_kernel, bpf_probe_read_kernel_str};
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::{NAME_LEN, NAMES, SysctlRecord, VALUE_LEN};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::{self as calls, Ended};
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, Typed, at_most, offset, present, word};
    use crate::kernel::replicas::{replicas, run_once};

    replicas! {
        fexit, "proc_sys_write", FExitContext, at_write:
        proc_sys_write = 0, proc_sys_write_2 = 1, proc_sys_write_3 = 2, proc_sys_write_4 = 3
    }

    #[inline(always)]
    fn at_write<const N: u32>(ctx: &FExitContext) {
        if !present!(sysctl.kiocb_file) || !present!(sysctl.proc_inode_setting) {
            return;
        }
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the `struct kiocb` and what is written; then comes what was returned.
        unsafe {
            let file: Address = Probed::member(word::<0>(ctx) as Address, offset!(sysctl.kiocb_file));
            run_once::<N>(Source::Sysctl, file, |run| {
                tell(run, file, setting(Probed::member(file, offset!(file_inode))), word::<2>(ctx) as i32);
            });
        }
    }

    replicas! {
        btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
        sys_exit_of_sysctl = 0, sys_exit_of_sysctl_2 = 1, sys_exit_of_sysctl_3 = 2, sys_exit_of_sysctl_4 = 3
    }

    #[inline(always)]
    fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
        if !present!(sysctl.proc_inode_setting) {
            return;
        }
        // SAFETY: the program's own context.
        unsafe {
            let Some(end) = Ended::at(ctx.as_ptr()) else { return };
            let (native, compat) = (native(end.number), compat(end.number));
            if native | compat == OTHER {
                return;
            }
            let call = end.call();
            let descriptor = match if call.is_compat { compat } else { native } {
                FIRST => call.argument::<0>(),
                THIRD => call.argument::<2>(),
                _ => return,
            };
            let task = bpf_get_current_task_btf() as Address;
            let file = calls::file::<Typed>(task, descriptor as u32);
            if file.is_null() {
                return;
            }
            let inode: Address = Probed::member(file, offset!(file_inode));
            let superblock: Address = Probed::member(inode, offset!(inode_sb));
            if Probed::member::<u64>(superblock, offset!(sb_magic)) != PROC {
                return;
            }
            let setting = setting(inode);
            if !setting.is_null() {
                run_once::<N>(Source::Sysctl, task, |run| tell(run, file, setting, end.returned as i32));
            }
        }
    }

    /// `PROC_SUPER_MAGIC` of Linux.
    const PROC: u64 = 0x9fa0;

    /// Which argument of a call has the descriptor that is written to.
    const OTHER: u32 = 0;
    const FIRST: u32 = 1;
    const THIRD: u32 = 2;

    /// `write` and its kin, `sendfile`, and `splice`, of 64 bits, those of x32 among them.
    #[inline(always)]
    const fn native(number: u32) -> u32 {
        match number {
            1 | 18 | 20 | 40 | 296 | 328 | 516 | 535 | 547 => FIRST,
            275 => THIRD,
            _ => OTHER,
        }
    }

    /// Of 32 bits.
    #[inline(always)]
    const fn compat(number: u32) -> u32 {
        match number {
            4 | 146 | 181 | 187 | 239 | 334 | 379 => FIRST,
            313 => THIRD,
            _ => OTHER,
        }
    }

    /// The `struct ctl_table` of a file of `/proc`; zero if it is no setting's.
    #[inline(always)]
    unsafe fn setting(inode: Address) -> Address {
        // SAFETY: probed.
        unsafe {
            let proc = inode.wrapping_byte_sub(offset!(tracing.proc_inode_vfs) as usize);
            Probed::member(proc, offset!(sysctl.proc_inode_setting))
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, file: Address, setting: Address, returned: i32) {
        if !run.has_room(Source::Sysctl) {
            return;
        }
        let Some(record) = run.reserve::<SysctlRecord>(Source::Sysctl.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; all else is probed.
        unsafe {
            (*record).header = header::<SysctlRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).error = if returned < 0 { returned } else { 0 };
            let mut dentry: Address = Probed::member(file, offset!(file_path_dentry));
            let mut at = 0;
            while at < NAMES {
                let parent: Address = Probed::member(dentry, offset!(dentry_parent));
                if parent == dentry {
                    break;
                }
                let name: Address = Probed::member(dentry, offset!(dentry_name) + offset!(qstr_name));
                let to = (&raw mut (*record).names).cast::<[u8; NAME_LEN]>().add(at);
                bpf_probe_read_kernel_str(to.cast(), NAME_LEN as u32, name);
                dentry = parent;
                at += 1;
            }
            let data: Address = Probed::member(setting, offset!(sysctl.setting_data));
            let size: u32 = Probed::member(setting, offset!(sysctl.setting_size));
            if !data.is_null() {
                (*record).size = size;
                let kept = at_most::<{ VALUE_LEN as u64 }>(u64::from(size));
                bpf_probe_read_kernel((&raw mut (*record).value).cast(), kept as u32, data);
            }
            run.commit(Source::Sysctl.ring(), record);
        }
    }
}
