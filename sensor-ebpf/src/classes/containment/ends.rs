//! The same at the ends of system calls.

use aya_ebpf::EbpfContext;
use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_get_current_task_btf, bpf_probe_read_user_str};
use aya_ebpf::macros::btf_tracepoint;
use aya_ebpf::programs::BtfTracePointContext;

use super::mounts::{Side, begin, describe, walk_from};
use super::namespaces::{entered, unshared};
use super::{MountRecord, PLACE_LEN, SOURCE, TYPE_LEN, call};
use crate::kernel::call::{self as calls, Call, Ended};
use crate::kernel::load::{Address, Memory, Probed, offset};
use crate::kernel::replicas::{replicas, run_once};

replicas! {
    btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
    sys_exit_of_containment = 0, sys_exit_of_containment_2 = 1, sys_exit_of_containment_3 = 2,
    sys_exit_of_containment_4 = 3
}

#[inline(always)]
fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the program's own context.
    unsafe {
        let Some(end) = Ended::at(ctx.as_ptr()) else { return };
        let (native, compat) = (native(end.number), compat(end.number));
        if native | compat == 0 {
            return;
        }
        let call = end.call();
        ended::<N>(call, if call.is_compat { compat } else { native }, end.returned as i32);
    }
}

/// What a call of 64 bits is; zero if it is none of these.
#[inline(always)]
const fn native(number: u32) -> u32 {
    match number {
        155 => call::PIVOT_ROOT,
        161 => call::CHROOT,
        165 => call::MOUNT,
        166 => call::UMOUNT,
        272 => call::UNSHARE,
        308 => call::SETNS,
        429 => call::MOVE_MOUNT,
        _ => 0,
    }
}

/// The same of 32 bits. The older of two calls to unmount takes no flags.
#[inline(always)]
const fn compat(number: u32) -> u32 {
    match number {
        217 => call::PIVOT_ROOT,
        61 => call::CHROOT,
        21 => call::MOUNT,
        22 | 52 => call::UMOUNT,
        310 => call::UNSHARE,
        346 => call::SETNS,
        429 => call::MOVE_MOUNT,
        _ => 0,
    }
}

#[inline(always)]
unsafe fn ended<const N: u32>(call: Call, what: u32, returned: i32) {
    // SAFETY: probed.
    unsafe {
        let task = bpf_get_current_task_btf() as Address;
        match what {
            0 => {}
            call::UNSHARE => unshared::<N>(call.argument::<0>(), returned),
            call::SETNS => entered::<N>(call, returned),
            _ => run_once::<N>(SOURCE, task, |run| {
                let Some(record) = begin(run, what, returned) else { return };
                said(record, call, what);
                if what == call::CHROOT && returned == 0 {
                    // As the kernel has it now.
                    let fs: Address = Probed::member(task, offset!(task_fs));
                    let dentry: u64 = Probed::member(fs, offset!(fs_root_dentry));
                    walk_from::<N>(
                        run,
                        record,
                        dentry,
                        Probed::member(fs, offset!(containment.fs_root_mnt)),
                        Side::Target,
                    );
                }
                run.commit(SOURCE.ring(), record);
            }),
        }
    }
}

/// What the caller's memory says.
#[inline(always)]
unsafe fn said(record: *mut MountRecord, call: Call, what: u32) {
    // SAFETY: within the record; the helpers check what they read.
    unsafe {
        let (source, target) = match what {
            call::MOUNT => (call.argument::<0>(), call.argument::<1>()),
            call::MOVE_MOUNT => (call.argument::<1>(), call.argument::<3>()),
            call::PIVOT_ROOT => (call.argument::<0>(), call.argument::<1>()),
            _ => (0, call.argument::<0>()),
        };
        bpf_probe_read_user_str((&raw mut (*record).source).cast(), PLACE_LEN as u32, source as Address);
        bpf_probe_read_user_str((&raw mut (*record).target).cast(), PLACE_LEN as u32, target as Address);
        match what {
            call::MOUNT => {
                (*record).flags = call.argument::<3>();
                let kind = call.argument::<2>() as Address;
                bpf_probe_read_user_str((&raw mut (*record).kind).cast(), TYPE_LEN as u32, kind);
            }
            call::UMOUNT => (*record).flags = call.argument::<1>(),
            // A mount that was nowhere until now, by its descriptor.
            call::MOVE_MOUNT if (*record).source[0] == 0 => {
                let task = bpf_get_current_task() as Address;
                let file = calls::file::<Probed>(task, call.argument::<0>() as u32);
                if !file.is_null() {
                    describe(record, Probed::member(file, offset!(file_path_mnt)));
                }
            }
            _ => {}
        }
    }
}
