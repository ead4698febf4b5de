//! Sockets that connect, listen and take connections, and datagrams that are sent.
//!
//! `inet_sock_set_state` fires where a socket of TCP takes on another state (`inet_sk_set_state` and the like, net/ipv4/af_inet.c;
//! Linux 4.16). Arguments: the `struct sock`, its old and its new state.
//!
//! | old state | new state | what it is | in the context of |
//! | --- | --- | --- | --- |
//! | any | `SYN_SENT` | an attempt to connect: connect(2), io_uring, fast open, Multipath TCP | whoever connects |
//! | `SYN_SENT` | any other | its result; why it failed is in `sk_err` | whatever task the packet interrupts |
//! | any | `LISTEN` | the socket listens | whoever listens |
//! | `SYN_RECV` | `ESTABLISHED` | a connection that a listener may take | whatever task the packet interrupts |
//!
//! So who connects and who listens is remembered: by the socket, and by the place that it listens at. Who listened before is found
//! by a walk over the files of all tasks (`iter/task_file`).
//!
//! Of UDP there are no such states. `sock_send_length` (Linux 6.3) fires at the end of each send of any socket, in the call of whoever
//! sends; `fib_table_lookup` (Linux 4.3) and `fib6_table_lookup` (Linux 4.5) where the kernel searches a route: see [`udp`].
//!
//! Where the kernel allows programs at functions, `inet_csk_accept` (net/ipv4/inet_connection_sock.c) tells who takes a connection,
//! and `__inet_bind` and `__inet6_bind` (net/ipv4/af_inet.c, net/ipv6/af_inet6.c) which address a socket is given: see [`calls`].
//!
//! A socket of Multipath TCP has ordinary ones below it, and those are told.
//!
//! Minimum: Linux 5.10.

#[cfg(target_arch = "bpf")]
mod calls;
#[cfg(target_arch = "bpf")]
mod flow;
#[cfg(target_arch = "bpf")]
mod listeners;
#[cfg(target_arch = "bpf")]
mod tcp;
#[cfg(target_arch = "bpf")]
mod udp;

use crate::budget::Budget;
use crate::class::{Described, SourceSpec};
use crate::classes::Source;
use crate::hooks::{Hook, point};
use crate::offsets::facts;
use crate::record::{Act as _, act, any_bits};
use crate::rings::Ring;

pub(crate) const CLASS: Described = Described {
    name: "network",
    ring: Ring::Busy,
    // As many as loopback can do; more cost whoever makes them more than they cost the sensor.
    sources: &[
        SourceSpec::new("accept").budget(Budget::per_second(50_000)),
        SourceSpec::new("connection").budget(Budget::per_second(100_000)),
        SourceSpec::new("listener"),
        SourceSpec::new("datagram").budget(Budget::per_second(10_000)),
        SourceSpec::new("route"),
        SourceSpec::new("route6"),
        SourceSpec::new("bind").budget(Budget::per_second(10_000)),
        SourceSpec::new("bind6").budget(Budget::per_second(10_000)),
    ],
    hooks: &[
        Hook::new(Source::Accept, "accept_call", point!(fexit "inet_csk_accept"))
            .needs(&["inet_csk_accept_parameters"])
            .missed(
                "connections that are taken are told of the process that listened, which may have left them to another",
            ),
        // Before the other one, which forgets who connects.
        Hook::new(Source::Accept, "accept_state", point!(tp_btf "inet_sock_set_state"))
            .rung(2)
            .missed("connections that are taken are not seen"),
        Hook::new(Source::Connection, "connection_state", point!(tp_btf "inet_sock_set_state"))
            .missed("connections, and sockets that listen, are not seen"),
        Hook::new(Source::Listener, LISTENERS, point!(iter "task_file"))
            .needs(&["socket_sk"])
            .missed("connections are not seen that are taken of sockets that listened before"),
        Hook::new(Source::Route, "route", point!(tp_btf "fib_table_lookup"))
            .needs(&[
                "flow4_protocol",
                "flow4_device",
                "flow4_address",
                "flow4_own_port",
                "flow4_port",
                "sock_send_length_parameters",
            ])
            .missed("where IPv4 datagrams go is known of connected sockets alone"),
        Hook::new(Source::Route6, "route6", point!(tp_btf "fib6_table_lookup"))
            .needs(&[
                "flow6_protocol",
                "flow6_device",
                "flow6_address",
                "flow6_own_port",
                "flow6_port",
                "sock_send_length_parameters",
            ])
            .missed("where IPv6 datagrams go is known of connected sockets alone"),
        Hook::new(Source::Bind, "bind_call", point!(fexit "__inet_bind"))
            .needs(&["inet_bind_parameters"])
            .missed("sockets of IPv4 that are given an address are not seen, unless they listen"),
        Hook::new(Source::Bind6, "bind6_call", point!(fexit "__inet6_bind"))
            .needs(&["inet6_bind_parameters"])
            .missed("sockets of IPv6 that are given an address are not seen, unless they listen"),
        // After those that tell it where a datagram goes.
        Hook::new(Source::Datagram, "datagram", point!(tp_btf "sock_send_length"))
            .needs(&["sock_send_length_parameters"])
            .missed("datagrams that are sent are not seen"),
    ],
    facts: FACTS,
    records: &[
        ConnectAttemptRecord::KIND,
        ConnectResultRecord::KIND,
        BindRecord::KIND,
        ListenRecord::KIND,
        AcceptRecord::KIND,
        SendToRecord::KIND,
    ],
};

/// The program that finds who listens already.
const LISTENERS: &str = "listeners";

facts! {
    required sock_port = Member("sock", "__sk_common.skc_num");
    required sock_peer_port = Member("sock", "__sk_common.skc_dport");
    required sock_address = Member("sock", "__sk_common.skc_rcv_saddr");
    required sock_peer_address = Member("sock", "__sk_common.skc_daddr");
    // CONFIG_IPV6.
    optional sock_address6 = Member("sock", "__sk_common.skc_v6_rcv_saddr");
    optional sock_peer_address6 = Member("sock", "__sk_common.skc_v6_daddr");
    // CONFIG_NET_NS.
    optional sock_net = Member("sock", "__sk_common.skc_net.net");
    required sock_state = Member("sock", "__sk_common.skc_state");
    required sock_err = Member("sock", "sk_err");
    optional flow4_protocol = Member("flowi4", "__fl_common.flowic_proto");
    optional flow4_device = Member("flowi4", "__fl_common.flowic_iif");
    optional flow4_address = Member("flowi4", "daddr");
    optional flow4_own_port = Member("flowi4", "uli.ports.sport");
    optional flow4_port = Member("flowi4", "uli.ports.dport");
    optional flow6_protocol = Member("flowi6", "__fl_common.flowic_proto");
    optional flow6_device = Member("flowi6", "__fl_common.flowic_iif");
    optional flow6_address = Member("flowi6", "daddr");
    optional flow6_own_port = Member("flowi6", "uli.ports.sport");
    optional flow6_port = Member("flowi6", "uli.ports.dport");
    // Linux 6.3.
    optional sock_send_length_parameters = Parameters("__traceiter_sock_send_length");
    // `(sk, flags, err, kern)` until Linux 6.9, then `(sk, arg)`.
    optional inet_csk_accept_parameters = Parameters("inet_csk_accept");
    optional inet_bind_parameters = Parameters("__inet_bind");
    optional inet6_bind_parameters = Parameters("__inet6_bind");
    optional socket_sk = Member("socket", "sk");
}

/// Sockets under way to a peer of which it is kept whose they are, and places that are listened at likewise.
pub const KNOWN: usize = 8192;

/// Parameters of `inet_csk_accept` where all but the first one are in a structure.
pub const ACCEPT_TAKES_ARGUMENT: u32 = 2;

/// `AF_INET` and `AF_INET6` of Linux.
pub const INET: u16 = 2;
pub const INET6: u16 = 10;
/// `IPPROTO_TCP` and `IPPROTO_UDP` of Linux.
pub const TCP: u16 = 6;
pub const UDP: u16 = 17;
/// `IPPROTO_MPTCP` of Linux: its sockets have others of TCP below them.
pub const MULTIPATH: u16 = 262;

/// From where to where: whoever opens a connection is its source. Of what listens there is a destination alone.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// By [`Self::family`]: of [`INET`] the first four bytes.
    pub source: [u8; 16],
    pub destination: [u8; 16],
    /// Zero while it has none.
    pub source_port: u16,
    pub destination_port: u16,
    /// [`INET`], also of IPv4 within IPv6; or [`INET6`].
    pub family: u16,
    /// `IPPROTO_` of Linux.
    pub protocol: u16,
}

any_bits! { Flow }

act! {
    10 =>
    /// Somebody connects. The socket has no port of its own yet, unless it was bound.
    pub struct ConnectAttemptRecord {
        pub flow: Flow,
    }
}

/// No error: the connection is there.
pub const CONNECTED: i32 = 0;
/// It is not, and there is no errno: the process gave it up.
pub const GIVEN_UP: i32 = -1;

act! {
    11 =>
    /// What became of it. Who did it is as it was at the attempt.
    pub struct ConnectResultRecord {
        pub flow: Flow,
        /// [`CONNECTED`], [`GIVEN_UP`], or the errno.
        pub error: i32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
    }
}

act! {
    12 =>
    /// A socket is given an address of its own, or could not be.
    pub struct BindRecord {
        /// What it got, or what it was asked for.
        pub flow: Flow,
        /// Zero, or the errno.
        pub error: i32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
    }
}

act! {
    13 =>
    /// A socket listens.
    pub struct ListenRecord {
        pub flow: Flow,
    }
}

act! {
    14 =>
    /// A connection is there, of a socket that listens.
    pub struct AcceptRecord {
        pub flow: Flow,
    }
}

act! {
    15 =>
    /// A datagram was sent, or could not be: the first one of its process to there.
    pub struct SendToRecord {
        /// Without a destination if that is not known.
        pub flow: Flow,
        /// Zero, or the errno.
        pub error: i32,
        /// Always zero: makes the padding explicit.
        pub reserved: u32,
    }
}
