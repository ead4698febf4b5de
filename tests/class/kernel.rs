//! Threads take other names.
//!
//! `task_rename` fires in the call of whoever gives the name, which is the thread itself or another of its process. Arguments:
//! the task, and its new name.
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
    name: "example",
    ring: Ring::Rare,
    sources: &[SourceSpec::new("rename").budget(Budget::per_second(1_000))],
    hooks: &[Hook::new(Source::Rename, "task_rename", point!(tp_btf "task_rename"))
        .missed("names that threads take are not seen")],
    facts: FACTS,
    records: &[RenameRecord::KIND],
};

facts! {}

act! {
    1000 =>
    /// A thread takes another name.
    pub struct RenameRecord {
        /// Ends at the first zero.
        pub name: [u8; 16],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
    use aya_ebpf::macros::btf_tracepoint;
    use aya_ebpf::programs::BtfTracePointContext;

    use super::RenameRecord;
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::Address;
    use crate::kernel::replicas::{replicas, run_once};

    replicas! {
        btf_tracepoint, "task_rename", BtfTracePointContext, at_rename:
        task_rename = 0, task_rename_2 = 1, task_rename_3 = 2, task_rename_4 = 3
    }

    #[inline(always)]
    fn at_rename<const N: u32>(ctx: &BtfTracePointContext) {
        // SAFETY: the arguments of the tracepoint. The second one, the name, is the caller's alone while this lasts.
        run_once::<N>(Source::Rename, ctx.arg(1), |run| unsafe { renamed(run, ctx.arg(1)) });
    }

    #[inline(always)]
    unsafe fn renamed(run: Run, name: Address) {
        if !run.has_room(Source::Rename) {
            return;
        }
        let Some(record) = run.reserve::<RenameRecord>(Source::Rename.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; the helper checks the name's address.
        unsafe {
            (*record).header = header::<RenameRecord>();
            actor::describe(&raw mut (*record).actor);
            if bpf_probe_read_kernel_str((&raw mut (*record).name).cast(), 16, name) < 0 {
                run.partial();
            }
            run.commit(Source::Rename.ring(), record);
        }
    }
}
