//! Datagrams of UDP: where each process sends, once for each address.
//!
//! A socket that is not connected does not have the address that it sends to. The kernel's search for a route has it
//! (`struct flowi4`, `struct flowi6`), which comes before, in the same thread: it is kept until the datagram is sent. By the port
//! that the socket has it is known that it was searched for it; of a socket that is being connected a route is searched too, and
//! that goes to where it sends.

use aya_ebpf::EbpfContext;
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::helpers::generated::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{btf_map, btf_tracepoint};
use aya_ebpf::programs::BtfTracePointContext;

use super::flow::{self, End};
use super::{Flow, INET, INET6, KNOWN, SendToRecord, UDP};
use crate::classes::Source;
use crate::kernel::actor;
use crate::kernel::emit::{Run, header};
use crate::kernel::load::{Address, Memory, Typed, offset, word};
use crate::kernel::replicas::{once, replicas, run_once};

/// The device that is told of what this host sends itself: `LOOPBACK_IFINDEX` of Linux.
const OWN: u32 = 1;

/// A route that a thread had searched, for a datagram that it is about to send.
#[repr(C)]
#[derive(Clone, Copy)]
struct Route {
    address: [u32; 4],
    /// Zero once it was sent.
    own_port: u16,
    port: u16,
    family: u32,
}

/// By thread id.
#[btf_map]
static ROUTES: LruHashMap<u32, Route, KNOWN> = LruHashMap::new();

/// Where a process sends.
#[repr(C)]
#[derive(Clone, Copy)]
struct Known {
    start: u64,
    address: [u32; 4],
    tgid: u32,
    port: u32,
}

/// What was told already.
#[btf_map]
static TOLD_FLOWS: LruHashMap<Known, u64, KNOWN> = LruHashMap::new();

replicas! {
    btf_tracepoint, "fib_table_lookup", BtfTracePointContext, at_route:
    route = 0, route_2 = 1, route_3 = 2, route_4 = 3
}

replicas! {
    btf_tracepoint, "fib6_table_lookup", BtfTracePointContext, at_route6:
    route6 = 0, route6_2 = 1, route6_3 = 2, route6_4 = 3
}

replicas! {
    btf_tracepoint, "sock_send_length", BtfTracePointContext, at_send:
    datagram = 0, datagram_2 = 1, datagram_3 = 2, datagram_4 = 3
}

#[inline(always)]
fn at_route<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the second argument is the `struct flowi4`, typed.
    unsafe {
        let search = word::<1>(ctx.as_ptr()) as Address;
        if Typed::member::<u8>(search, offset!(network.flow4_protocol)) != UDP as u8
            || Typed::member::<u32>(search, offset!(network.flow4_device)) != OWN
        {
            return;
        }
        let route = Route {
            address: [Typed::member(search, offset!(network.flow4_address)), 0, 0, 0],
            own_port: u16::from_be(Typed::member(search, offset!(network.flow4_own_port))),
            port: u16::from_be(Typed::member(search, offset!(network.flow4_port))),
            family: INET.into(),
        };
        once::<N>(Source::Route, search, || keep(&route));
    }
}

#[inline(always)]
fn at_route6<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the fourth argument is the `struct flowi6`, typed.
    unsafe {
        let search = word::<3>(ctx.as_ptr()) as Address;
        if Typed::member::<u8>(search, offset!(network.flow6_protocol)) != UDP as u8
            || Typed::member::<u32>(search, offset!(network.flow6_device)) != OWN
        {
            return;
        }
        let at = offset!(network.flow6_address);
        let route = Route {
            address: [
                Typed::member(search, at),
                Typed::member(search, at + 4),
                Typed::member(search, at + 8),
                Typed::member(search, at + 12),
            ],
            own_port: u16::from_be(Typed::member(search, offset!(network.flow6_own_port))),
            port: u16::from_be(Typed::member(search, offset!(network.flow6_port))),
            family: INET6.into(),
        };
        once::<N>(Source::Route6, search, || keep(&route));
    }
}

#[inline(always)]
fn keep(route: &Route) {
    let _ = ROUTES.insert(&thread(), route, 0);
}

#[inline(always)]
fn thread() -> u32 {
    // SAFETY: takes nothing.
    unsafe { bpf_get_current_pid_tgid() as u32 }
}

impl Known {
    #[inline(always)]
    fn of(address: [u32; 4], port: u16) -> Self {
        let process = actor::process();
        Self { start: process.start, address, tgid: process.tgid, port: port.into() }
    }

    #[inline(always)]
    fn is_reported(&self) -> bool {
        TOLD_FLOWS.get_ptr(self).is_some()
    }

    /// From now on it was told.
    #[inline(always)]
    fn tell(&self) {
        let _ = TOLD_FLOWS.insert(self, &0, 0);
    }
}

#[inline(always)]
unsafe fn goes_to(flow: *mut Flow, route: &Route) {
    // SAFETY: the caller.
    unsafe {
        (&raw mut (*flow).destination).cast::<[u32; 4]>().write(route.address);
        (*flow).destination_port = route.port;
        (*flow).family = route.family as u16;
    }
}

#[inline(always)]
fn at_send<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the arguments: the socket, typed, and the bytes sent, or a negative errno.
    unsafe {
        let sock = word::<0>(ctx.as_ptr()) as Address;
        let family: u16 = Typed::member(sock, offset!(sock_family));
        if (family == INET || family == INET6) && Typed::member::<u16>(sock, offset!(sock_protocol)) == UDP {
            let sent = word::<1>(ctx.as_ptr()) as i32;
            run_once::<N>(Source::Datagram, sock, |run| sends(run, sock, sent));
        }
    }
}

#[inline(always)]
unsafe fn sends(run: Run, sock: Address, sent: i32) {
    // SAFETY: the socket is typed; the record is the ring's until it is committed.
    unsafe {
        let own_port: u16 = Typed::member(sock, offset!(network.sock_port));
        let mut flow = Flow::default();
        let peer: u16 = Typed::member(sock, offset!(network.sock_peer_port));
        flow::describe::<Typed>(sock, End::Source, peer != 0, &raw mut flow);
        if let Some(route) = ROUTES.get_ptr_mut(&thread())
            && (*route).own_port == own_port
            && own_port != 0
        {
            let found = *route;
            (*route).own_port = 0;
            if u32::from(flow.family) != found.family {
                flow.source = [0; 16];
            }
            goes_to(&raw mut flow, &found);
        }
        let address = (&raw const flow.destination).cast::<[u32; 4]>().read_unaligned();
        let known = Known::of(address, flow.destination_port);
        if known.is_reported() {
            return run.filtered();
        }
        if !run.has_room(Source::Datagram) {
            return;
        }
        let Some(record) = run.reserve::<SendToRecord>(Source::Datagram.ring()) else { return };
        (*record).header = header::<SendToRecord>();
        actor::describe(&raw mut (*record).actor);
        (*record).flow = flow;
        (*record).error = if sent < 0 { -sent } else { 0 };
        run.commit(Source::Datagram.ring(), record);
        known.tell();
    }
}
