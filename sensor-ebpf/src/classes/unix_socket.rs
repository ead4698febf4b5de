//! Sockets of this host (`AF_UNIX`) that are connected to others.
//!
//! Where to is the name that whoever listens there was given, as the kernel keeps it; of what was refused it is what was asked for.
//! The first rung that can be had serves:
//!
//! 1. the returns of `unix_stream_connect`, which is that of `SOCK_SEQPACKET` too, and of `unix_dgram_connect` (net/unix/af_unix.c),
//!    those of io_uring too. What was asked for is the kernel's own copy.
//! 2. `sys_exit`, the end of every system call, on kernels that allow no programs at functions; the socket is looked up by the
//!    descriptor that the call took, and what was asked for is as the caller's memory has it by then. While this is attached each
//!    system call of the host takes a longer way.
//!
//! What is sent without being connected is not told.
//!
//! Minimum: Linux 5.10.

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Beside, Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "unix_socket",
    ring: Ring::Busy,
    // Anybody can connect, and whatever looks up a user does.
    sources: &[SourceSpec::new("unix_connect").budget(Budget::per_second(5_000))],
    hooks: &[
        Hook::new(Source::UnixConnect, "unix_stream_connect", point!(fexit "unix_stream_connect"))
            .beside(&[Beside::new("unix_dgram_connect", point!(fexit "unix_dgram_connect"))])
            .needs(&with("unix_connect_parameters"))
            .missed("sockets of this host that are connected by way of io_uring are not seen"),
        Hook::new(Source::UnixConnect, "sys_exit_of_unix", point!(tp_btf "sys_exit"))
            .rung(2)
            .needs(&with("thread_info_status"))
            .missed("sockets of this host that are connected are not seen"),
    ],
    facts: FACTS,
    records: &[UnixConnectRecord::KIND],
};

/// What each of the programs needs.
const NEEDED: &[&str] =
    &["regs_number", "socket_sk", "unix_peer", "unix_addr", "unix_address_len", "unix_address_name", "sock_type"];

const fn with(fact: &'static str) -> [&'static str; NEEDED.len() + 1] {
    crate::concat(&[NEEDED, &[fact]], "")
}

facts! {
    // CONFIG_UNIX.
    optional unix_connect_parameters = Parameters("unix_dgram_connect");
    optional unix_peer = Member("unix_sock", "peer");
    optional unix_addr = Member("unix_sock", "addr");
    optional unix_address_len = Member("unix_address", "len");
    optional unix_address_name = Member("unix_address", "name");
    optional sock_type = Member("sock", "sk_type");
}

/// Room for the longest name that there is (108 bytes).
pub const NAME_LEN: usize = 112;

act! {
    56 =>
    /// A socket was connected, or refused.
    pub struct UnixConnectRecord {
        /// `SOCK_…` of Linux.
        pub socket_type: u32,
        /// Zero, or a negative errno.
        pub error: i32,
        /// Bytes of the name; zero if it has none.
        pub len: u32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
        /// One that begins with a zero is abstract, and that of no file. That of a file may end at a zero.
        pub name: [u8; NAME_LEN],
    }
}

#[cfg(target_arch = "bpf")]
mod programs {
    use aya_ebpf::EbpfContext;
    use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel, bpf_probe_read_user};
    use aya_ebpf::macros::{btf_tracepoint, fexit};
    use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

    use super::UnixConnectRecord;
    use crate::classes::Source;
    use crate::kernel::actor;
    use crate::kernel::call::{self as calls, Ended};
    use crate::kernel::emit::{Run, header};
    use crate::kernel::load::{Address, Memory, Probed, at_most, offset, present, word};
    use crate::kernel::replicas::{replicas, run_once};

    /// `AF_UNIX` of Linux.
    const UNIX: u16 = 1;
    /// Longest name of Linux, and where it is behind its family.
    const LONGEST: u64 = 108;
    const NAME: u64 = 2;

    /// What was asked for: where that stands, and how long it is, the family with it.
    #[derive(Clone, Copy)]
    struct Asked {
        address: u64,
        len: u64,
        is_of_kernel: bool,
    }

    replicas! {
        fexit, "unix_stream_connect", FExitContext, at_stream:
        unix_stream_connect = 0, unix_stream_connect_2 = 1, unix_stream_connect_3 = 2, unix_stream_connect_4 = 3
    }

    replicas! {
        fexit, "unix_dgram_connect", FExitContext, at_dgram:
        unix_dgram_connect = 0, unix_dgram_connect_2 = 1, unix_dgram_connect_3 = 2, unix_dgram_connect_4 = 3
    }

    #[inline(always)]
    fn at_stream<const N: u32>(ctx: &FExitContext) {
        returned::<N>(ctx);
    }

    #[inline(always)]
    fn at_dgram<const N: u32>(ctx: &FExitContext) {
        returned::<N>(ctx);
    }

    #[inline(always)]
    fn returned<const N: u32>(ctx: &FExitContext) {
        let ctx = ctx.as_ptr();
        // SAFETY: the arguments are the socket, the address, its length and flags; then comes what was returned.
        unsafe {
            let socket = word::<0>(ctx) as Address;
            let asked = Asked { address: word::<1>(ctx), len: word::<2>(ctx) as u32 as u64, is_of_kernel: true };
            connected::<N>(socket, asked, word::<4>(ctx) as i32);
        }
    }

    replicas! {
        btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
        sys_exit_of_unix = 0, sys_exit_of_unix_2 = 1, sys_exit_of_unix_3 = 2, sys_exit_of_unix_4 = 3
    }

    #[inline(always)]
    fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
        /// `SYS_CONNECT` of the call that was for all of sockets.
        const CONNECT: u64 = 3;
        // SAFETY: the program's own context.
        unsafe {
            let Some(end) = Ended::at(ctx.as_ptr()) else { return };
            if end.number != 42 && end.number != 362 && end.number != 102 {
                return;
            }
            let call = end.call();
            let words = match (end.number, call.is_compat) {
                (42, false) | (362, true) => [call.argument::<0>(), call.argument::<1>(), call.argument::<2>()],
                (102, true) if call.argument::<0>() == CONNECT => {
                    let mut words = [0_u32; 3];
                    bpf_probe_read_user((&raw mut words).cast(), 12, call.argument::<1>() as Address);
                    [u64::from(words[0]), u64::from(words[1]), u64::from(words[2])]
                }
                _ => return,
            };
            let file = calls::file::<Probed>(bpf_get_current_task() as Address, words[0] as u32);
            if is_socket(file) {
                let asked = Asked { address: words[1], len: words[2] & 0xffff_ffff, is_of_kernel: false };
                connected::<N>(Probed::member(file, offset!(file_private_data)), asked, end.returned as i32);
            }
        }
    }

    #[inline(always)]
    unsafe fn is_socket(file: Address) -> bool {
        /// `S_IFMT` and `S_IFSOCK` of Linux.
        const SORT: u16 = 0xf000;
        const SOCKET: u16 = 0xc000;
        if file.is_null() {
            return false;
        }
        // SAFETY: probed.
        unsafe {
            let inode: Address = Probed::member(file, offset!(file_inode));
            Probed::member::<u16>(inode, offset!(inode_mode)) & SORT == SOCKET
        }
    }

    #[inline(always)]
    unsafe fn connected<const N: u32>(socket: Address, asked: Asked, returned: i32) {
        if !present!(network.socket_sk) || !present!(unix_socket.unix_peer) || !present!(unix_socket.sock_type) {
            return;
        }
        // SAFETY: probed.
        unsafe {
            let sock: Address = Probed::member(socket, offset!(network.socket_sk));
            if sock.is_null() || Probed::member::<u16>(sock, offset!(sock_family)) != UNIX {
                return;
            }
            run_once::<N>(Source::UnixConnect, sock, |run| tell(run, sock, asked, returned));
        }
    }

    #[inline(always)]
    unsafe fn tell(run: Run, sock: Address, asked: Asked, returned: i32) {
        // SAFETY: probed.
        let peer: Address = unsafe { Probed::member(sock, offset!(unix_socket.unix_peer)) };
        // By an address of no family a socket is let go of its peer.
        if returned >= 0 && peer.is_null() {
            return run.filtered();
        }
        if !run.has_room(Source::UnixConnect) {
            return;
        }
        let Some(record) = run.reserve::<UnixConnectRecord>(Source::UnixConnect.ring()) else { return };
        // SAFETY: the record is the ring's until it is committed; the name is as long as it says, and no longer than there is room.
        unsafe {
            (*record).header = header::<UnixConnectRecord>();
            actor::describe(&raw mut (*record).actor);
            (*record).socket_type = u32::from(Probed::member::<u16>(sock, offset!(unix_socket.sock_type)));
            let to = (&raw mut (*record).name).cast();
            if returned < 0 {
                (*record).error = returned;
                let len = at_most::<LONGEST>(asked.len.saturating_sub(NAME));
                (*record).len = len as u32;
                let from = asked.address.wrapping_add(NAME) as Address;
                if asked.is_of_kernel {
                    bpf_probe_read_kernel(to, len as u32, from);
                } else {
                    bpf_probe_read_user(to, len as u32, from);
                }
            } else {
                let address: Address = Probed::member(peer, offset!(unix_socket.unix_addr));
                if !address.is_null() {
                    let len: u32 = Probed::member(address, offset!(unix_socket.unix_address_len));
                    let len = at_most::<LONGEST>(u64::from(len).saturating_sub(NAME));
                    (*record).len = len as u32;
                    let name =
                        address.wrapping_byte_add(offset!(unix_socket.unix_address_name) as usize + NAME as usize);
                    bpf_probe_read_kernel(to, len as u32, name);
                }
            }
            run.commit(Source::UnixConnect.ring(), record);
        }
    }
}
