//! What is done with BPF programs once they are loaded: they are attached, and somebody gets at those of the sensor, or at its maps
//! and attachments.
//!
//! Told by the kernel's own objects, which are found by the descriptors that a call returned or took. Only a number that belongs to
//! none, of a call that was refused, and where a program of a control group is attached are as the caller's memory has them. The
//! first rung that can be had serves:
//!
//! 1. the system call `bpf` by both of its entries, and `perf_ioctl` (kernel/events/core.c), by which programs come to probes.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions. While this is attached each system
//!    call of the host takes a longer way.
//!
//! What is attached by netlink (`tc`, `ip link set xdp`), and as a filter of a socket, does not come this way. What the sensor does
//! itself ends here, counted as filtered.
//!
//! Minimum: Linux 5.10.

#[cfg(target_arch = "bpf")]
mod programs;

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub use super::bpf::{NAME_LEN, TARGET_LEN};

pub(crate) const CLASS: Described = Described {
    name: "bpf_calls",
    ring: Ring::Rare,
    // Anybody may be refused it.
    sources: &[SourceSpec::new("bpf_call").budget(Budget::per_second(500))],
    hooks: &[
        Hook::new(Source::BpfCall, "bpf_call", point!(fexit "__x64_sys_bpf"))
            .beside(&[
                Beside::new("bpf_call_compat", point!(fexit "__ia32_sys_bpf")).only_with("compat_calls"),
                Beside::new("perf_ioctl", point!(fexit "perf_ioctl")).only_with("perf_ioctl_of_bpf"),
            ])
            .needs(&with("bpf_call_parameters")),
        Hook::new(Source::BpfCall, "sys_exit_of_bpf", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&with("thread_info_status"))
            .missed("BPF programs that are attached, and who gets at those of the sensor, are not seen"),
    ],
    facts: FACTS,
    records: &[BpfAttachRecord::KIND, SensorObjectRecord::KIND],
};

/// What each of the programs needs.
const NEEDED: &[&str] =
    &["regs_number", "map_id", "map_name", "link_id", "link_prog", "bpf_prog_type", "bpf_prog_aux", "bpf_aux_id"];

const fn with(fact: &'static str) -> [&'static str; NEEDED.len() + 1] {
    crate::concat(&[NEEDED, &[fact]], "")
}

facts! {
    // CONFIG_BPF_SYSCALL.
    optional bpf_call_parameters = Parameters("__x64_sys_bpf");
    // Linux 5.10 lets nothing of the file of `perf_ioctl` be traced; this came with 5.15.
    optional perf_ioctl_of_bpf = Member("bpf_perf_link", "perf_file");
    optional perf_prog = Member("perf_event", "prog");
    optional map_id = Member("bpf_map", "id");
    optional map_name = Member("bpf_map", "name");
    optional link_id = Member("bpf_link", "id");
    optional link_prog = Member("bpf_link", "prog");
    optional link_type = Member("bpf_link", "type");
    optional raw_link_event = Member("bpf_raw_tp_link", "btp");
    optional raw_event_tracepoint = Member("bpf_raw_event_map", "tp");
    optional tracepoint_name = Member("tracepoint", "name");
}

/// What is asked for.
pub mod call {
    pub const PROG_ATTACH: u32 = 1;
    pub const LINK_CREATE: u32 = 2;
    pub const RAW_TRACEPOINT_OPEN: u32 = 3;
    pub const LINK_UPDATE: u32 = 4;
    /// `PERF_EVENT_IOC_SET_BPF`.
    pub const PERF_SET_BPF: u32 = 5;
    pub const GET_FD_BY_ID: u32 = 6;
    pub const MAP_UPDATE: u32 = 7;
    pub const MAP_DELETE: u32 = 8;
    pub const MAP_FREEZE: u32 = 9;
    pub const LINK_DETACH: u32 = 10;
}

/// A sort of object.
pub mod object {
    pub const PROGRAM: u32 = 1;
    pub const MAP: u32 = 2;
    pub const LINK: u32 = 3;
}

/// The sensor's own objects: a sort and an id each, in the map `OWN_OBJECTS`.
#[must_use]
pub const fn own(object: u32, id: u32) -> u64 {
    (object as u64) << 32 | id as u64
}

/// Most objects of the sensor that are kept there.
pub const OWN: usize = 1024;

act! {
    53 =>
    /// A program was attached, or refused.
    pub struct BpfAttachRecord {
        /// One of [`call`].
        pub call: u32,
        /// The kernel's id of the program; zero if there is none.
        pub id: u32,
        /// `enum bpf_prog_type` and `enum bpf_attach_type` of Linux.
        pub program_type: u32,
        pub attach_type: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
        /// As the program's maker called it; ends at the first zero.
        pub name: [u8; NAME_LEN],
        /// The function or tracepoint that it is at, of those types that tell; likewise.
        pub target: [u8; TARGET_LEN],
    }
}

act! {
    54 =>
    /// Somebody got at an object of the sensor, or was refused that.
    pub struct SensorObjectRecord {
        /// One of [`call`].
        pub call: u32,
        /// One of [`object`].
        pub object: u32,
        /// The kernel's id of it.
        pub id: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// As it is called, but for attachments; ends at the first zero.
        pub name: [u8; NAME_LEN],
    }
}
