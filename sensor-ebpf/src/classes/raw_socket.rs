//! Raw and packet sockets: who may make up packets, and read those of others.
//!
//! Sockets of `AF_INET` and `AF_INET6` of the type `SOCK_RAW`, all of `AF_PACKET`, and all of `AF_XDP`; no others, such as those of
//! netlink, which are called raw as well. The first rung that can be had serves:
//!
//! 1. the return of `__sock_create` (net/socket.c), which all of them are made by, those of io_uring too. The kernel's own are none.
//! 2. `cap_capable` (Linux 6.14), on kernels that allow no programs at functions: who asks for such a socket is asked for
//!    `CAP_NET_RAW` in that very call, whose registers say what is asked for. What the kernel may refuse behind that, for lack of
//!    memory say, is told as made. It fires for each question for a capability, and costs system calls that ask none nothing.
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
    name: "raw_socket",
    ring: Ring::Rare,
    // Anybody may be refused it.
    sources: &[SourceSpec::new("raw_socket").budget(Budget::per_second(500))],
    hooks: &[
        Hook::new(Source::RawSocket, "sock_create", point!(fexit "__sock_create"))
            .needs(&["sock_create_parameters"])
            .missed("raw sockets that are made by way of io_uring are not seen"),
        Hook::new(Source::RawSocket, "cap_capable_of_socket", point!(tp_btf "cap_capable"))
            .rung(2)
            .needs(&["cap_capable_parameters", "current_task_helper", "regs_number", "thread_info_status"])
            .missed("raw and packet sockets are not seen"),
    ],
    facts: FACTS,
    records: &[RawSocketRecord::KIND],
};

facts! {
    optional sock_create_parameters = Parameters("__sock_create");
    // Linux 6.14.
    optional cap_capable_parameters = Parameters("__traceiter_cap_capable");
}

/// `AF_INET`, `AF_INET6`, `AF_PACKET` and `AF_XDP` of Linux.
pub const INET: u32 = 2;
pub const INET6: u32 = 10;
pub const PACKET: u32 = 17;
pub const XDP: u32 = 44;

act! {
    55 =>
    /// Such a socket was made, or refused.
    pub struct RawSocketRecord {
        pub family: u32,
        /// `SOCK_…` of Linux.
        pub socket_type: u32,
        /// As the caller has it: of [`PACKET`] with the bytes of the network.
        pub protocol: u32,
        /// Zero, or a negative errno.
        pub error: i32,
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_user};
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::{INET, INET6, PACKET, RawSocketRecord, XDP};
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::Call;
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, present, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `SOCK_RAW` and `SOCK_PACKET` of Linux, and the part of a type that is not flags.
    const RAW: u32 = 3;
    const OLD_PACKET: u32 = 10;
    const TYPE: u32 = 0xf;
    /// `CAP_NET_RAW` of Linux.
    const NET_RAW: u32 = 13;

    /// What is asked for.
    #[derive(Clone, Copy)]
    struct Asked {
        family: u32,
        socket_type: u32,
        protocol: u32,
    }

    impl Asked {
        /// The same, if it is such a socket.
        #[inline(always)]
        fn of_note(self) -> Option<Self> {
            match self.family {
                // As it was asked for before Linux 2.2.
                INET if self.socket_type == OLD_PACKET => Some(Self { family: PACKET, ..self }),
                INET | INET6 if self.socket_type == RAW => Some(self),
                PACKET | XDP => Some(self),
                _ => None,
            }
        }
    }

    replicas! {
        fexit, "__sock_create", FExitContext, at_create:
        sock_create = 0, sock_create_2 = 1, sock_create_3 = 2, sock_create_4 = 3
    }

    #[inline(always)]
    fn at_create<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the namespace, the family, the type, the protocol, where it goes, and whether it is the kernel's
        // own; then comes what was returned.
        unsafe {
            let asked = Asked {
                family: word::<1>(ctx) as u32,
                socket_type: word::<2>(ctx) as u32 & TYPE,
                protocol: word::<3>(ctx) as u32,
            };
            if word::<5>(ctx) as u32 != 0 {
                return;
            }
            if let Some(asked) = asked.of_note() {
                let task = bpf_get_current_task() as Address;
                run_once::<N>(Source::RawSocket, task, |run| tell(run, asked, word::<6>(ctx) as i32));
            }
        }
    }

    replicas! {
        btf_tracepoint, "cap_capable", BtfTracePointContext, at_question:
        cap_capable_of_socket = 0, cap_capable_of_socket_2 = 1, cap_capable_of_socket_3 = 2, cap_capable_of_socket_4 = 3
    }

    #[inline(always)]
    fn at_question<const N: u32>(ctx: &BtfTracePointContext) {
        let ctx = ctx.as_ptr();
        if !present!(regs_number) || !present!(raw_socket.cap_capable_parameters) {
            return;
        }
        // SAFETY: the arguments are the credentials, two namespaces, the capability and the answer.
        unsafe {
            if word::<3>(ctx) as u32 != NET_RAW {
                return;
            }
            let answer = word::<4>(ctx) as i32;
            let Some(asked) = asked(Call::current()).and_then(Asked::of_note) else { return };
            let task = bpf_get_current_task() as Address;
            run_once::<N>(Source::RawSocket, task, |run| tell(run, asked, answer));
        }
    }

    /// What a call asks for, if it asks for a socket.
    #[inline(always)]
    unsafe fn asked(call: Call) -> Option<Asked> {
        /// `SYS_SOCKET` of the call that was for all of sockets.
        const SOCKET: u64 = 1;
        // SAFETY: probed.
        unsafe {
            let [family, socket_type, protocol] = match (call.number(), call.is_compat) {
                (41, false) | (359, true) => {
                    [call.argument::<0>() as u32, call.argument::<1>() as u32, call.argument::<2>() as u32]
                }
                // Its arguments are in the caller's memory.
                (102, true) if call.argument::<0>() == SOCKET => {
                    let mut words = [0_u32; 3];
                    bpf_probe_read_user((&raw mut words).cast(), 12, call.argument::<1>() as Address);
                    words
                }
                _ => return None,
            };
            Some(Asked { family, socket_type: socket_type & TYPE, protocol })
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, asked: Asked, returned: i32) {
        if !run.has_room(Source::RawSocket) {
            return;
        }
        let Some(record) = run.reserve::<RawSocketRecord>(Source::RawSocket.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed.
        unsafe {
            (*record).header = header::<RawSocketRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).family = asked.family;
            (*record).socket_type = asked.socket_type;
            (*record).protocol = asked.protocol;
            (*record).error = if returned < 0 { returned } else { 0 };
            run.commit(Source::RawSocket.ring(), record);
        }
    }
}
