//! Threads take other names.
//!
//! `task_rename` fires in the call of whoever gives the name, which is the thread itself or another of its process. Arguments:
//! the task, and its new name.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, Told};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "example",
    ring: Ring::Rare,
    sources: &[Told::new("rename").budget(Budget::per_second(1_000))],
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

    #[btf_tracepoint(function = "task_rename")]
    fn task_rename(ctx: BtfTracePointContext) -> i32 {
        // SAFETY: the second argument of the tracepoint.
        unsafe { renamed(ctx.arg(1)) };
        0
    }

    #[inline(always)]
    unsafe fn renamed(name: Address) {
        let Some(run) = Run::begin(Source::Rename) else { return };
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
