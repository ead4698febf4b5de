//! Several programs at the same place, for what the first one misses.
//!
//! The kernel leaves a program out that is running already on that CPU. At a tracepoint nobody could take over the CPU
//! until Linux 6.19; since 7.0 tasks are preempted there, and while the one that waits is in the middle of a program, the
//! kernel leaves that program out for all others on the CPU, which can be dozens of execs. Keeping others off from
//! within (`bpf_preempt_disable`) does not help: whoever waits takes over where that ends, which is still in the program.
//! At the return of a function tasks could be preempted all along, but only with a kernel that is set to it.
//!
//! So there are up to [`REPLICAS`] replicas: programs of the same code, which run one after the other. Each leaves behind what
//! it told; a later one that does not find its own event there does the work, and counts it. What is left out while all of them
//! are under way is lost, and the kernel counts it. Tasks rarely get into each other's way there: each has one of [`TASKS`]
//! places on its CPU. One that meets another there, or is moved to another CPU, between two of its programs, is told twice:
//! the agent knows such records by their process, and those of execs by [`ExecRecord::exec_id`] too. What a process did, an
//! audit message, say, then comes twice.
//!
//! Whatever can lose an event so has replicas (`Hook::is_replicated`).
//!
//! Where only the first one is loaded, there is nothing to it.
//!
//! [`ExecRecord::exec_id`]: crate::record::ExecRecord::exec_id

use crate::classes::{REPLICAS, Source};
use aya_ebpf::btf_maps::PerCpuArray;
use aya_ebpf::helpers::generated::bpf_get_current_pid_tgid;
use aya_ebpf::macros::btf_map;

use super::emit::{Run, count_made_good};
use super::load::Address;

/// Tasks of a CPU that can be between two programs of one place without one taking what the other left: a power of two.
const TASKS: u32 = 16;

/// What was told last on this CPU, by [`Source`] and the last bits of the thread's id; zero once nobody asks any more.
#[btf_map]
static REPORTED: PerCpuArray<u64, { (Source::COUNT * TASKS) as usize }> = PerCpuArray::new();

/// Makes all programs of one place: the attribute, where they sit, their context, what they do, and their names.
macro_rules! replicas {
    ($attribute:ident, $function:literal, $context:ty, $tell:ident: $($name:ident = $n:literal),+) => {
        $(
            #[$attribute(function = $function)]
            fn $name(ctx: $context) -> i32 {
                $tell::<$n>(&ctx);
                0
            }
        )+
    };
}
pub(crate) use replicas;

/// Does the work unless another replica did; this is the n-th, from zero. `event` is an address that belongs to this event
/// alone while it lasts.
#[inline(always)]
pub(crate) fn once<const N: u32>(source: Source, event: Address, work: impl FnOnce()) {
    // SAFETY: takes nothing.
    let thread = unsafe { bpf_get_current_pid_tgid() } as u32;
    let Some(told) = REPORTED.get_ptr_mut(source as u32 * TASKS + thread % TASKS) else { return };
    let last = N + 1 == REPLICAS;
    // SAFETY: this CPU's slot; programs keep to their CPU from start to end. Volatile, as others change it meanwhile.
    unsafe {
        if N > 0 && told.read_volatile() == event as u64 {
            if last {
                told.write_volatile(0);
            }
            return;
        }
        if N > 0 {
            count_made_good::<N>(source);
        }
        work();
        // After the work: others that were told while this one waited have left theirs.
        told.write_volatile(if last { 0 } else { event as u64 });
    }
}

/// The same for work that is counted as one run, whatever comes of it.
#[inline(always)]
pub(crate) fn run_once<const N: u32>(source: Source, event: Address, work: impl FnOnce(Run)) {
    once::<N>(source, event, || {
        if let Some(run) = Run::begin::<N>(source) {
            work(run);
        }
    });
}
