//! Counters, the ring buffer, and when to wake its reader.

use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP, BPF_RB_RING_SIZE};
use aya_ebpf::btf_maps::{Array, PerCpuArray, RingBuf};
use aya_ebpf::helpers::generated::{bpf_ringbuf_discard, bpf_ringbuf_output, bpf_ringbuf_query, bpf_ringbuf_reserve};
use aya_ebpf::macros::btf_map;
use core::ffi::c_void;
use core::mem::offset_of;
use sensor_ebpf::control::{Control, FAILED_ALL, FAILED_FORMAT, WAKE_AT_ONCE, WAKE_AT_WATERMARK, WAKE_NEVER};
use sensor_ebpf::counters::{ProgramCounters, SLOTS};

/// exec, fork and exit have a ring of their own: no flood of other events can blind the process table. The agent sets
/// the size.
#[btf_map]
static LIFECYCLE: RingBuf<u64, 8388608> = RingBuf::new();

/// Audit messages; what floods this ring floods no other.
#[btf_map]
static AUDIT: RingBuf<u64, 1048576> = RingBuf::new();

#[btf_map]
static COUNTERS: PerCpuArray<ProgramCounters, { SLOTS as usize }> = PerCpuArray::new();

/// `BPF_F_MMAPABLE` (Linux 5.5): the agent writes its wish without a system call.
#[btf_map]
static CONTROL: Array<Control, 1, 1024> = Array::new();

/// One run of a program, counted as seen; ends in exactly one of the methods that take `self`.
#[derive(Clone, Copy)]
pub(super) struct Run(*mut ProgramCounters);

impl Run {
    #[inline(always)]
    pub(super) fn begin(slot: u32) -> Option<Self> {
        let counters = COUNTERS.get_ptr_mut(slot)?;
        // SAFETY: this CPU's slot; the kernel keeps a program from nesting in itself.
        unsafe { (*counters).seen += 1 };
        Some(Self(counters))
    }

    /// An event that is none of ours.
    #[inline(always)]
    pub(super) fn filtered(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).filtered += 1 };
    }

    /// Something indispensable could not be read.
    #[inline(always)]
    pub(super) fn failed(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).failed += 1 };
    }

    /// Some part of the record could not be read. Not an end.
    #[inline(always)]
    pub(super) fn partial(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).partial += 1 };
    }

    /// Handed over by other means than the ring.
    #[inline(always)]
    pub(super) fn submitted(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).submitted += 1 };
    }

    /// Counted again by the kernel's retry of the same event: undo the count of this one.
    #[inline(always)]
    pub(super) fn retried(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).seen -= 1 };
    }

    /// The kernel refused what this run is about. Not an end.
    #[inline(always)]
    pub(super) fn refused(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).refused += 1 };
    }

    /// The ring has no room to spare for it.
    #[inline(always)]
    pub(super) fn crowded_out(self) {
        // SAFETY: as in `begin`.
        unsafe { (*self.0).ring_full += 1 };
    }

    /// Copies a record into the ring of process events. True if the ring took it.
    #[inline(always)]
    pub(super) fn lifecycle(self, record: *const u8, len: u64) -> bool {
        let ring = (&raw const LIFECYCLE).cast_mut().cast::<c_void>();
        // SAFETY: the address of a ring.
        unsafe { self.submit(ring, offset_of!(Control, lifecycle_watermark), record, len) }
    }

    /// Copies a record into the ring of audit messages. True if the ring took it.
    #[inline(always)]
    pub(super) fn audit(self, record: *const u8, len: u64) -> bool {
        let ring = (&raw const AUDIT).cast_mut().cast::<c_void>();
        // SAFETY: the address of a ring.
        unsafe { self.submit(ring, offset_of!(Control, audit_watermark), record, len) }
    }

    /// # Safety
    ///
    /// `ring` must be the address of a ring, `watermark` the place of its watermark in [`Control`].
    #[inline(always)]
    unsafe fn submit(self, ring: *mut c_void, watermark: usize, record: *const u8, len: u64) -> bool {
        // SAFETY: the verifier checks the record's bounds.
        let taken =
            unsafe { bpf_ringbuf_output(ring, record.cast_mut().cast(), len, u64::from(BPF_RB_NO_WAKEUP)) == 0 };
        // SAFETY: as in `begin`.
        unsafe {
            if taken {
                (*self.0).submitted += 1;
                wake(ring, watermark);
            } else {
                (*self.0).ring_full += 1;
            }
        }
        taken
    }
}

/// Whether at least a quarter of the ring of audit messages is unread.
#[inline(always)]
pub(super) fn audit_is_pressed() -> bool {
    // SAFETY: the address of a ring.
    unsafe { is_pressed((&raw const AUDIT).cast_mut().cast()) }
}

/// Whether at least a quarter of the ring of process events is unread.
#[inline(always)]
pub(super) fn lifecycle_is_pressed() -> bool {
    // SAFETY: the address of a ring.
    unsafe { is_pressed((&raw const LIFECYCLE).cast_mut().cast()) }
}

/// # Safety
///
/// `ring` must be the address of a ring.
#[inline(always)]
unsafe fn is_pressed(ring: *mut c_void) -> bool {
    // SAFETY: the caller.
    unsafe {
        bpf_ringbuf_query(ring, u64::from(BPF_RB_AVAIL_DATA)) * 4
            >= bpf_ringbuf_query(ring, u64::from(BPF_RB_RING_SIZE))
    }
}

/// Whether anybody asks for execs that fail with this error, a negative errno.
#[inline(always)]
pub(super) fn is_asked_for(error: i32) -> bool {
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

/// Wakes the drain thread if it asked for it, see [`sensor_ebpf::control`].
///
/// # Safety
///
/// `ring` must be the address of a ring, `watermark` the place of its watermark in [`Control`].
#[inline(always)]
unsafe fn wake(ring: *mut c_void, watermark: usize) {
    let Some(control) = CONTROL.get_ptr_mut(0) else {
        return;
    };
    // SAFETY: the map's one value; the words are read and written whole.
    unsafe {
        let wish = &raw mut (*control).wake;
        match wish.read_volatile() {
            WAKE_AT_ONCE => {}
            WAKE_AT_WATERMARK
                if bpf_ringbuf_query(ring, u64::from(BPF_RB_AVAIL_DATA))
                    >= control.byte_add(watermark).cast::<u64>().read_volatile() => {}
            _ => return,
        }
        // An empty record that is discarded at once carries the wake-up.
        let nudge = bpf_ringbuf_reserve(ring, 8, 0);
        if !nudge.is_null() {
            wish.write_volatile(WAKE_NEVER);
            bpf_ringbuf_discard(nudge, u64::from(BPF_RB_FORCE_WAKEUP));
        }
    }
}
