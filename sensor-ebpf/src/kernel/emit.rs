//! Counters, the ring buffer, and when to wake its reader.

use crate::budget::{Budget, LANES, Lane};
use crate::classes::{SLOTS, Source, slot};
use crate::control::{Control, FAILED_ALL, FAILED_FORMAT, WAKE_AT_ONCE, WAKE_AT_WATERMARK, WAKE_NEVER};
use crate::counters::ProgramCounters;
use crate::record::{Act, Header, LAYOUT_VERSION};
use crate::rings::Ring;
use crate::watched::Watched;
use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP, BPF_RB_RING_SIZE};
use aya_ebpf::btf_maps::{Array, PerCpuArray, RingBuf};
use aya_ebpf::helpers::generated::{
    bpf_ktime_get_boot_ns, bpf_probe_read_kernel, bpf_ringbuf_discard, bpf_ringbuf_output, bpf_ringbuf_query,
    bpf_ringbuf_reserve, bpf_ringbuf_submit,
};
use aya_ebpf::macros::btf_map;
use core::ffi::c_void;

use super::lanes;

/// The rings, see [`crate::rings`]. The agent sets the sizes.
#[btf_map]
static LIFECYCLE: RingBuf<u64, { Ring::Lifecycle.bytes() as usize }> = RingBuf::new();

#[btf_map]
static AUDIT: RingBuf<u64, { Ring::Audit.bytes() as usize }> = RingBuf::new();

#[btf_map]
static RARE: RingBuf<u64, { Ring::Rare.bytes() as usize }> = RingBuf::new();

#[btf_map]
static BUSY: RingBuf<u64, { Ring::Busy.bytes() as usize }> = RingBuf::new();

#[btf_map]
static COUNTERS: PerCpuArray<ProgramCounters, { SLOTS as usize }> = PerCpuArray::new();

/// What is left of each source's budget on this CPU, by lane.
#[btf_map]
static BUDGETS: PerCpuArray<u64, { (Source::COUNT * LANES) as usize }> = PerCpuArray::new();

/// `BPF_F_MMAPABLE` (Linux 5.5): the agent writes its wish without a system call.
#[btf_map]
static CONTROL: Array<Control, 1, 1024> = Array::new();

/// The address of a ring's map, for helpers.
#[inline(always)]
fn map(ring: Ring) -> *mut c_void {
    match ring {
        Ring::Lifecycle => (&raw const LIFECYCLE).cast_mut().cast(),
        Ring::Audit => (&raw const AUDIT).cast_mut().cast(),
        Ring::Rare => (&raw const RARE).cast_mut().cast(),
        Ring::Busy => (&raw const BUSY).cast_mut().cast(),
    }
}

/// The head of a record of this type, of now.
#[inline(always)]
pub(crate) fn header<T: Act>() -> Header {
    // SAFETY: takes nothing.
    let time = unsafe { bpf_ktime_get_boot_ns() };
    Header { layout: LAYOUT_VERSION, kind: T::KIND, len: size_of::<T>() as u32, time }
}

/// One run of a program, counted as seen; ends in exactly one of the methods that take `self`.
#[derive(Clone, Copy)]
pub(crate) struct Run(*mut ProgramCounters);

/// Counts that the n-th program of its place does what the ones before it were kept from.
#[inline(always)]
pub(super) fn count_made_good<const N: u32>(source: Source) {
    if let Some(counters) = COUNTERS.get_ptr_mut(slot(source, N)) {
        // SAFETY: as in `Run::begin`.
        unsafe { (*counters).made_good += 1 };
    }
}

impl Run {
    /// Of the n-th program of its place, from zero.
    #[inline(always)]
    pub(crate) fn begin<const N: u32>(source: Source) -> Option<Self> {
        Self::begin_nth(source, N)
    }

    /// The same for a function that several programs have in common.
    #[inline(always)]
    pub(super) fn begin_nth(source: Source, n: u32) -> Option<Self> {
        let counters = COUNTERS.get_ptr_mut(slot(source, n))?;
        // SAFETY: this CPU's slot; the kernel keeps a program from nesting in itself.
        unsafe { (*counters).seen += 1 };
        Some(Self(counters))
    }

    /// An event that is none of ours.
    #[inline(always)]
    pub(crate) fn filtered(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).filtered += 1 };
    }

    /// Something indispensable could not be read.
    #[inline(always)]
    pub(crate) fn failed(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).failed += 1 };
    }

    /// Some part of the record could not be read. Not an end.
    #[inline(always)]
    pub(crate) fn partial(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).partial += 1 };
    }

    /// Handed over by other means than the ring.
    #[inline(always)]
    pub(crate) fn submitted(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).submitted += 1 };
    }

    /// Counted again by the kernel's retry of the same event: undo the count of this one.
    #[inline(always)]
    pub(crate) fn retried(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).seen -= 1 };
    }

    /// The kernel refused what this run is about. Not an end.
    #[inline(always)]
    pub(crate) fn refused(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).refused += 1 };
    }

    /// Whether there is room for what the task at hand does, and anybody can repeat at will: in the ring, and in the budget of
    /// its source. If not, this run ends here.
    #[inline(always)]
    pub(crate) fn has_room(self, source: Source) -> bool {
        self.has_room_in(source, lanes::of_task())
    }

    /// The same for what somebody else did, who has this lane.
    #[inline(always)]
    pub(crate) fn has_room_in(self, source: Source, lane: Lane) -> bool {
        let room = room(source, lane);
        // SAFETY: as in `begin`.
        unsafe {
            match room {
                Room::Given => return true,
                Room::RingFull => (*self.0).ring_full += 1,
                Room::OverBudget => (*self.0).over_budget += 1,
            }
        }
        false
    }

    /// Room for a record in a ring, zeroed, to be filled in and committed: for records of one size, which need no area to be
    /// built in. If there is none, this run ends here.
    #[inline(always)]
    pub(crate) fn reserve<T>(self, ring: Ring) -> Option<*mut T> {
        // SAFETY: the address of a ring.
        let record = unsafe { bpf_ringbuf_reserve(map(ring), size_of::<T>() as u64, 0) };
        if record.is_null() {
            // SAFETY: as in `begin`.
            unsafe { (*self.0).ring_full += 1 };
            return None;
        }
        // SAFETY: as long as the record. What cannot be read, as the address zero cannot, the helper fills with zeroes.
        unsafe { bpf_probe_read_kernel(record, size_of::<T>() as u32, core::ptr::null()) };
        Some(record.cast())
    }

    /// Hands over a record that was made in a ring.
    ///
    /// # Safety
    ///
    /// `record` must be what [`Self::reserve`] gave for this ring.
    #[inline(always)]
    pub(crate) unsafe fn commit<T>(self, ring: Ring, record: *mut T) {
        // SAFETY: the caller; the counters as in `begin`.
        unsafe {
            bpf_ringbuf_submit(record.cast(), u64::from(BPF_RB_NO_WAKEUP));
            (*self.0).submitted += 1;
        }
        wake(ring);
    }

    /// Copies a record into a ring. True if the ring took it.
    #[inline(always)]
    pub(crate) fn submit(self, ring: Ring, record: *const u8, len: u64) -> bool {
        // SAFETY: the address of a ring; the verifier checks the record's bounds.
        let taken =
            unsafe { bpf_ringbuf_output(map(ring), record.cast_mut().cast(), len, u64::from(BPF_RB_NO_WAKEUP)) == 0 };
        // SAFETY: as in `begin`.
        unsafe {
            if taken {
                (*self.0).submitted += 1;
                wake(ring);
            } else {
                (*self.0).ring_full += 1;
            }
        }
        taken
    }
}

/// Whether something is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Given,
    RingFull,
    OverBudget,
}

/// Whether there is room for one more of what anybody can repeat at will, which is spent then: of what is sure to the lane, or
/// of what all have together.
#[inline(always)]
pub(crate) fn room(source: Source, lane: Lane) -> Room {
    room_in(source.ring(), source, lane, source.budget())
}

/// See [`room`]: in a function of its own, so that it is in the object once and not in every program.
#[inline(never)]
fn room_in(ring: Ring, source: Source, lane: Lane, budget: Option<Budget>) -> Room {
    // SAFETY: the address of a ring.
    let (unread, size) = unsafe {
        (
            bpf_ringbuf_query(map(ring), u64::from(BPF_RB_AVAIL_DATA)),
            bpf_ringbuf_query(map(ring), u64::from(BPF_RB_RING_SIZE)),
        )
    };
    if ring.is_crowded(unread, size) {
        return Room::RingFull;
    }
    let Some(budget) = budget else { return Room::Given };
    // SAFETY: takes nothing.
    let now = unsafe { bpf_ktime_get_boot_ns() };
    if spend(source, lane, budget, now) {
        return Room::Given;
    }
    if Ring::is_pressed(unread, size) {
        return Room::RingFull;
    }
    if spend(source, Lane::TOGETHER, budget, now) { Room::Given } else { Room::OverBudget }
}

/// Whether a lane has room for one more on this CPU, which is spent then.
#[inline(always)]
fn spend(source: Source, lane: Lane, budget: Budget, now: u64) -> bool {
    let Some(state) = BUDGETS.get_ptr_mut(source as u32 * LANES + lane.place()) else { return false };
    // SAFETY: this CPU's slot. Who takes the CPU over in between can spend the same share: a few more are told.
    unsafe {
        match lane.part(budget).spend(state.read_volatile(), now) {
            Some(spent) => {
                state.write_volatile(spent);
                true
            }
            None => false,
        }
    }
}

/// Whether anybody asks for execs that fail with this error, a negative errno.
#[inline(always)]
pub(crate) fn is_asked_for(error: i32) -> bool {
    /// `ENOEXEC` of Linux.
    const NO_PROGRAM: i32 = -8;
    let Some(control) = CONTROL.get_ptr_mut(0) else { return false };
    // SAFETY: the map's one value; the word is read whole.
    match unsafe { (&raw const (*control).failed_execs).read_volatile() } {
        FAILED_ALL => true,
        FAILED_FORMAT => error == NO_PROGRAM,
        _ => false,
    }
}

/// The sensor's process id, in the initial pid namespace; zero if that is not known.
#[inline(always)]
pub(crate) fn sensor() -> u32 {
    let Some(control) = CONTROL.get_ptr_mut(0) else { return 0 };
    // SAFETY: the map's one value; the word is read whole.
    unsafe { (&raw const (*control).sensor).read_volatile() }
}

/// The agent's word on which files of this sort are told of.
#[inline(always)]
pub(super) fn watched(sort: usize) -> Option<*const Watched> {
    let control = CONTROL.get_ptr_mut(0)?;
    // SAFETY: within the map's one value; `sort` is one of the constants.
    Some(unsafe { (&raw const (*control).watched).cast::<Watched>().add(sort) })
}

/// Wakes the drain thread if it asked for it, see [`crate::control`].
#[inline(always)]
fn wake(ring: Ring) {
    let Some(control) = CONTROL.get_ptr_mut(0) else {
        return;
    };
    // SAFETY: the map's one value, and the address of a ring; the words are read and written whole.
    unsafe {
        let wish = &raw mut (*control).wake;
        match wish.read_volatile() {
            WAKE_AT_ONCE => {}
            WAKE_AT_WATERMARK
                if bpf_ringbuf_query(map(ring), u64::from(BPF_RB_AVAIL_DATA))
                    >= control.byte_add(Control::watermark(ring)).cast::<u64>().read_volatile() => {}
            _ => return,
        }
        // An empty record that is discarded at once carries the wake-up.
        let nudge = bpf_ringbuf_reserve(map(ring), 8, 0);
        if !nudge.is_null() {
            wish.write_volatile(WAKE_NEVER);
            bpf_ringbuf_discard(nudge, u64::from(BPF_RB_FORCE_WAKEUP));
        }
    }
}
