//! Containers, by what becomes of their control groups: they are made, something runs in them, nothing does any more, they are taken
//! away.
//!
//! Which control groups are containers' is told by their names, which the agent knows. There is a hook for each of the four, and they
//! are attached together: `cgroup_mkdir`, `cgroup_rmdir` (Linux 4.16) and `cgroup_notify_populated` (Linux 5.2), which says whether
//! there are processes in a group or in one below it. The paths come with them, from the root of the hierarchy; of version 1
//! hierarchies there are several, each with a group of the container's.
//!
//! Who makes and takes away a group, and who puts the first process in, is the task at hand. The last one leaves as its task
//! exits, in that task until Linux 6.18; since then whenever the CPU has gone on to another one (`cgroup_task_dead` of
//! kernel/cgroup/cgroup.c), which has nothing to do with it, even if it exits too.
//!
//! Minimum: Linux 5.10, with `CONFIG_CGROUPS`.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "container",
    ring: Ring::Rare,
    // Whoever was given a group may make as many as they like in it.
    sources: &[SourceSpec::new("container").budget(Budget::per_second(500))],
    hooks: &[Hook::new(Source::Container, "cgroup_mkdir", point!(tp_btf "cgroup_mkdir"))
        .beside(&[
            Beside::new("cgroup_rmdir", point!(tp_btf "cgroup_rmdir")),
            Beside::new("cgroup_populated", point!(tp_btf "cgroup_notify_populated")),
        ])
        .needs(&["container_groups"])
        .missed("containers that come and go are not told; processes in them are")],
    facts: FACTS,
    records: &[ContainerRecord::KIND],
};

facts! {
    // CONFIG_CGROUPS.
    optional container_groups = Member("cgroup", "kn");
    // Since Linux 6.19 tasks leave their group after they are switched away from.
    optional container_left_late = Function("cgroup_task_dead");
}

/// Longest path of a control group that the kernel gives to tracepoints, with the zero at its end (`TRACE_CGROUP_PATH_LEN`).
pub const PATH_LEN: usize = 1024;

/// What became of a control group.
pub mod change {
    pub const CREATED: u32 = 0;
    pub const POPULATED: u32 = 1;
    pub const EMPTY: u32 = 2;
    pub const REMOVED: u32 = 3;
}

act! {
    58 =>
    /// Something became of a control group. Of one that is empty, who did it is all zeroes where that is not known.
    pub struct ContainerRecord {
        /// One of [`change`].
        pub change: u32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
        /// From the root of its hierarchy on; ends at the first zero.
        pub path: [u8; PATH_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel_str};
    use aya_ebpf::macros::btf_tracepoint;
    use aya_ebpf::programs::BtfTracePointContext;

    use super::{ContainerRecord, PATH_LEN, change};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, offset, present, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `PF_EXITING` of Linux.
    const EXITING: u32 = 4;

    replicas! {
        btf_tracepoint, "cgroup_mkdir", BtfTracePointContext, at_mkdir:
        cgroup_mkdir = 0, cgroup_mkdir_2 = 1, cgroup_mkdir_3 = 2, cgroup_mkdir_4 = 3
    }

    replicas! {
        btf_tracepoint, "cgroup_rmdir", BtfTracePointContext, at_rmdir:
        cgroup_rmdir = 0, cgroup_rmdir_2 = 1, cgroup_rmdir_3 = 2, cgroup_rmdir_4 = 3
    }

    replicas! {
        btf_tracepoint, "cgroup_notify_populated", BtfTracePointContext, at_populated:
        cgroup_populated = 0, cgroup_populated_2 = 1, cgroup_populated_3 = 2, cgroup_populated_4 = 3
    }

    #[inline(always)]
    fn at_mkdir<const N: u32>(ctx: &BtfTracePointContext) {
        at::<N>(ctx, change::CREATED);
    }

    #[inline(always)]
    fn at_rmdir<const N: u32>(ctx: &BtfTracePointContext) {
        at::<N>(ctx, change::REMOVED);
    }

    #[inline(always)]
    fn at_populated<const N: u32>(ctx: &BtfTracePointContext) {
        // SAFETY: the third argument.
        let is_populated = unsafe { word::<2>(ctx.as_ptr()) } as u32 != 0;
        at::<N>(ctx, if is_populated { change::POPULATED } else { change::EMPTY });
    }

    #[inline(always)]
    fn at<const N: u32>(ctx: &BtfTracePointContext, change: u32) {
        // SAFETY: the arguments are the `struct cgroup` and its path.
        unsafe {
            let (group, path) = (word::<0>(ctx.as_ptr()), word::<1>(ctx.as_ptr()));
            run_once::<N>(Source::Container, group as Address, |run| tell(run, change, path as Address));
        }
    }

    /// Whether a group that is empty now is so as the task at hand exits. Who empties it by moving the last ones elsewhere is none of
    /// the container's.
    #[inline(always)]
    fn leaves() -> bool {
        if present!(container.container_left_late) {
            return false;
        }
        // SAFETY: probed.
        let flags: u32 = unsafe { Probed::member(bpf_get_current_task() as Address, offset!(task_flags)) };
        flags & EXITING != 0
    }

    #[inline(always)]
    unsafe fn tell(run: Run, change: u32, path: Address) {
        if !run.has_room(Source::Container) {
            return;
        }
        let Some(record) = run.reserve::<ContainerRecord>(Source::Container.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; all else is probed.
        unsafe {
            (*record).header = header::<ContainerRecord>();
            if change != change::EMPTY || leaves() {
                actor::describe(&raw mut (*record).actor);
            }
            (*record).change = change;
            bpf_probe_read_kernel_str((&raw mut (*record).path).cast(), PATH_LEN as u32, path);
            run.commit(Source::Container.ring(), record);
        }
    }
}
