//! Where a record is built: a per-CPU area, as a program's stack has 512 bytes only.
//!
//! Each program that builds large records has an area of its own, since programs of different kinds may interleave
//! on one CPU. All are in one map, so that a function that every program calls finds the area by a number. Nothing is
//! cleared: a record is written without gaps, and only its bytes leave.
//!
//! The write position and the state of the walks live in the area too, and are read and written as volatile: what the
//! verifier loads from a map is an unknown number to it, so the rounds of a loop look all alike and are
//! verified once instead of once per history.

use crate::areas::{self, area};
use crate::record::ExecRecord;
use crate::record::exec::{
    ARGS_HEAD, ARGS_TAIL, CGROUP_DEPTH, CGROUP_MAX, FILENAME_MAX, INTERPRETER_MAX, PATH_MAX, ROOT_MAX,
};
use aya_ebpf::bindings::bpf_map_type;
use aya_ebpf::btf_maps::PerCpuArray;
use aya_ebpf::macros::btf_map;

use super::load::at_most;
use super::name;

/// Largest per-CPU value that the kernel grants.
const AREA: usize = 32 * 1024;
const STATE: usize = (21 + name::WORDS + CGROUP_DEPTH) * 8;
const RECORD: usize = AREA - STATE;

const _: () = assert!(bpf_map_type::BPF_MAP_TYPE_PERCPU_ARRAY == 6 && size_of::<Scratch>() == AREA);

#[repr(C)]
pub(crate) struct Scratch {
    /// Bytes of the record written so far.
    at: u64,
    /// The walk's current place.
    pub(super) dentry: u64,
    pub(super) mount: u64,
    pub(super) mount_root: u64,
    /// Where small reads land.
    pub(super) word: u64,
    pub(super) header: [u64; 2],
    pub(super) name: [u64; name::WORDS],
    /// Flags gathered on the way, [`crate::record::exec_flags`].
    flags: u64,
    /// Not zero while a record is built, in areas that two programs share.
    busy: u64,
    /// A datagram: its bytes, how many there are, and where the next message begins.
    pub(super) datagram: u64,
    pub(super) datagram_len: u64,
    pub(super) next: u64,
    /// Why the kernel refuses its messages, a `Refusal` or zero, and the control group of its sender.
    pub(super) refused: u64,
    pub(super) cgroup: u64,
    /// Where the section that a walk writes began, and how long it may become.
    pub(super) start: u64,
    pub(super) longest: u64,
    /// Where in the record a walk left the mount that it began in; zero until it does.
    pub(super) left: u64,
    /// Addresses of the mount namespaces of the task and of the host, see `mounts`.
    pub(super) own_mounts: u64,
    pub(super) host_mounts: u64,
    /// The file that a script was found to be.
    pub(super) script: u64,
    /// What the names of a walk are looked for in, and whether one was found, see `watched`.
    pub(super) watched: u64,
    /// The control groups on the way up, in turn.
    pub(super) nodes: [u64; CGROUP_DEPTH],
    record: [u8; RECORD],
}

/// Most bytes that one read may append; every append leaves room for it by construction.
const APPEND_MAX: usize = 12 * 1024;
const AT_MAX: u64 = (RECORD - APPEND_MAX - 8) as u64;

/// All sections of an exec at their longest: the last one, the arguments, begins where there is room for them. Behind a path
/// stands a separator, until its end is known.
const _: () = {
    let sections = 3 * (PATH_MAX + 1) + ROOT_MAX + 1 + FILENAME_MAX + INTERPRETER_MAX + CGROUP_MAX + 256;
    assert!(size_of::<ExecRecord>() + sections <= AT_MAX as usize);
    assert!(ARGS_HEAD + ARGS_TAIL <= APPEND_MAX);
};

#[btf_map]
static SCRATCH: PerCpuArray<Scratch, { areas::COUNT as usize }> = PerCpuArray::new();

/// A program's scratch area, and its number.
#[derive(Clone, Copy)]
pub(crate) struct Area(pub(super) *mut Scratch, u32);

impl Area {
    /// The area of this number. The agent makes only as many as programs are loaded for.
    #[inline(always)]
    pub(super) fn numbered(number: u32) -> Option<Self> {
        SCRATCH.get_ptr_mut(number).map(|scratch| Self(scratch, number))
    }

    /// The area of the n-th program for execs.
    #[inline(always)]
    pub(super) fn exec(n: u32) -> Option<Self> {
        Self::numbered(area::exec(n))
    }

    #[inline(always)]
    pub(super) fn baseline() -> Option<Self> {
        Self::numbered(area::BASELINE)
    }

    /// The area of the n-th programs for failed execs; `None` if a task that was preempted on this CPU is using it, as later
    /// programs share one. To be released.
    #[inline(always)]
    pub(super) fn failed(n: u32) -> Option<Self> {
        Self::numbered(area::failed(n))?.acquire()
    }

    /// The area of the n-th programs for audit messages; like that of the failed execs.
    #[inline(always)]
    pub(super) fn audit(n: u32) -> Option<Self> {
        Self::numbered(area::audit(n))?.acquire()
    }

    /// The area of the n-th programs for mounts, which is that of the failed execs; likewise.
    #[inline(always)]
    pub(crate) fn mount(n: u32) -> Option<Self> {
        Self::failed(n)
    }

    /// The area of the n-th programs for files, or that of later programs if a task that was preempted on this CPU is using it.
    /// To be released.
    #[inline(always)]
    pub(crate) fn file(n: u32) -> Option<Self> {
        if let Some(area) = Self::numbered(area::file(n))?.acquire() {
            return Some(area);
        }
        Self::numbered(area::file(1))?.acquire()
    }

    #[inline(always)]
    pub(super) fn number(self) -> u32 {
        self.1
    }

    #[inline(always)]
    fn acquire(self) -> Option<Self> {
        // SAFETY: in bounds; programs keep to their CPU from start to end.
        unsafe {
            let busy = &raw mut (*self.0).busy;
            if busy.read_volatile() != 0 {
                return None;
            }
            busy.write_volatile(1);
        }
        Some(self)
    }

    #[inline(always)]
    pub(crate) fn release(self) {
        // SAFETY: in bounds.
        unsafe { (&raw mut (*self.0).busy).write_volatile(0) }
    }

    /// Starts a record whose fixed part is an [`ExecRecord`].
    #[inline(always)]
    pub(super) fn begin(self) -> *mut ExecRecord {
        self.begin_as()
    }

    /// Starts a record with this fixed part.
    #[inline(always)]
    pub(crate) fn begin_as<T>(self) -> *mut T {
        self.set_at(size_of::<T>() as u64);
        // SAFETY: in bounds.
        unsafe { (&raw mut (*self.0).flags).write_volatile(0) };
        self.begun()
    }

    /// The record that was started.
    #[inline(always)]
    pub(super) fn begun<T>(self) -> *mut T {
        // SAFETY: in bounds; the record is eight-byte aligned within the area.
        unsafe { (&raw mut (*self.0).record).cast() }
    }

    #[inline(always)]
    pub(crate) fn at(self) -> u64 {
        // SAFETY: in bounds.
        unsafe { (&raw const (*self.0).at).read_volatile() }
    }

    #[inline(always)]
    pub(crate) fn set_at(self, at: u64) {
        // SAFETY: in bounds.
        unsafe { (&raw mut (*self.0).at).write_volatile(at) }
    }

    /// Where the next byte goes, with at least [`APPEND_MAX`] bytes of room.
    #[inline(always)]
    pub(crate) fn end(self) -> *mut u8 {
        // SAFETY: bounded by `at_most`.
        unsafe { (&raw mut (*self.0).record).cast::<u8>().add(at_most::<AT_MAX>(self.at()) as usize) }
    }

    /// The record, and its length bounded so that the verifier sees it within the area.
    #[inline(always)]
    pub(crate) fn record(self) -> (*const u8, u64) {
        // SAFETY: in bounds.
        let start = unsafe { (&raw const (*self.0).record).cast::<u8>() };
        (start, at_most::<{ RECORD as u64 }>(self.at()))
    }

    /// Adds bits of [`crate::record::exec_flags`].
    #[inline(always)]
    pub(super) fn flag(self, bits: u32) {
        // SAFETY: in bounds.
        unsafe {
            let flags = &raw mut (*self.0).flags;
            flags.write_volatile(flags.read_volatile() | u64::from(bits));
        }
    }

    #[inline(always)]
    pub(super) fn flags(self) -> u32 {
        // SAFETY: in bounds.
        unsafe { (&raw const (*self.0).flags).read_volatile() as u32 }
    }
}
