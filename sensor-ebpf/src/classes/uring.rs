//! Rings of `io_uring`, by which a process has the kernel work for it without system calls.
//!
//! `io_uring_create`: a ring was made. The arguments of the tracepoint (Linux 5.5) are its descriptor, its context, the entries of
//! both of its queues and its flags. It fires for nothing else, in the call of whoever makes the ring, and not at all where that is
//! refused.
//!
//! Minimum: Linux 5.10, with `CONFIG_IO_URING`.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "io_uring",
    ring: Ring::Rare,
    // Anybody can make them.
    sources: &[SourceSpec::new("io_uring_setup").budget(Budget::per_second(500))],
    hooks: &[Hook::new(Source::IoUringSetup, "io_uring_create", point!(tp_btf "io_uring_create"))
        .missed("rings of io_uring that are made are not seen")],
    facts: FACTS,
    records: &[IoUringRecord::KIND],
};

// Arguments of the tracepoint tell all.
facts! {}

act! {
    29 =>
    /// A ring was made.
    pub struct IoUringRecord {
        /// Entries of the queue of what is asked for.
        pub entries: u32,
        /// `IORING_SETUP_…` of Linux.
        pub flags: u32,
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::macros::btf_tracepoint;
    use aya_ebpf::programs::BtfTracePointContext;

    use super::IoUringRecord;
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, word};
    use crate::kernel::replicas::{replicas, run_once};

    replicas! {
        btf_tracepoint, "io_uring_create", BtfTracePointContext, at_create:
        io_uring_create = 0, io_uring_create_2 = 1, io_uring_create_3 = 2, io_uring_create_4 = 3
    }

    #[inline(always)]
    fn at_create<const N: u32>(ctx: &BtfTracePointContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the tracepoint's arguments, see above.
        unsafe {
            let (ring, entries, flags) = (word::<1>(ctx) as Address, word::<2>(ctx) as u32, word::<4>(ctx) as u32);
            run_once::<N>(Source::IoUringSetup, ring, |run| created(run, entries, flags));
        }
    }

    #[inline(always)]
    unsafe fn created(run: Run, entries: u32, flags: u32) {
        if !run.has_room(Source::IoUringSetup) {
            return;
        }
        let Some(record) = run.reserve::<IoUringRecord>(Source::IoUringSetup.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed.
        unsafe {
            (*record).header = header::<IoUringRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).entries = entries;
            (*record).flags = flags;
            run.commit(Source::IoUringSetup.ring(), record);
        }
    }
}
