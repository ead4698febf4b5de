//! Connections of TCP, by the states of their sockets.

use aya_ebpf::EbpfContext;
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::macros::{btf_map, btf_tracepoint};
use aya_ebpf::programs::BtfTracePointContext;

use super::flow::{self, End};
use super::{
    AcceptRecord, CONNECTED, ConnectAttemptRecord, ConnectResultRecord, GIVEN_UP, INET6, KNOWN, ListenRecord, TCP,
};
use crate::budget::Lane;
use crate::classes::Source;
use crate::kernel::actor;
use crate::kernel::emit::{Run, header};
use crate::kernel::lanes;
use crate::kernel::load::{Address, Memory, Typed, copy, offset, present, word};
use crate::kernel::replicas::{replicas, run_once};
use crate::record::Actor;

/// States of Linux (include/net/tcp_states.h).
pub(super) mod state {
    pub(in crate::classes::network) const ESTABLISHED: i32 = 1;
    pub(in crate::classes::network) const SYN_SENT: i32 = 2;
    pub(in crate::classes::network) const SYN_RECV: i32 = 3;
    pub(in crate::classes::network) const CLOSE: i32 = 7;
    pub(in crate::classes::network) const LISTEN: i32 = 10;
}

/// Who connects.
#[repr(C)]
#[derive(Clone, Copy)]
struct Connecting {
    actor: Actor,
    lane: Lane,
    reserved: u32,
}

/// Who connects, by the address of the socket, until the result is there.
#[btf_map]
static CONNECTING: LruHashMap<u64, Connecting, KNOWN> = LruHashMap::new();

/// Where a socket listens.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The network namespace's address.
    net: u64,
    address: [u32; 4],
    port: u32,
    family: u32,
}

/// Whose socket listens there.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Listener {
    pub(super) actor: Actor,
    pub(super) lane: Lane,
    pub(super) reserved: u32,
    /// The address of the socket: another one can listen at the same place.
    pub(super) sock: u64,
}

/// Who listens. Of several at one place, the last one.
#[btf_map]
pub(super) static LISTENERS: LruHashMap<Place, Listener, KNOWN> = LruHashMap::new();

replicas! {
    btf_tracepoint, "inet_sock_set_state", BtfTracePointContext, at_accept:
    accept_state = 0, accept_state_2 = 1, accept_state_3 = 2, accept_state_4 = 3
}

replicas! {
    btf_tracepoint, "inet_sock_set_state", BtfTracePointContext, at_state:
    connection_state = 0, connection_state_2 = 1, connection_state_3 = 2, connection_state_4 = 3
}

/// The arguments.
#[inline(always)]
fn arguments(ctx: &BtfTracePointContext) -> (Address, i32, i32) {
    // SAFETY: see the module above.
    unsafe { (word::<0>(ctx.as_ptr()) as Address, word::<1>(ctx.as_ptr()) as i32, word::<2>(ctx.as_ptr()) as i32) }
}

#[inline(always)]
fn at_accept<const N: u32>(ctx: &BtfTracePointContext) {
    let (sock, old, new) = arguments(ctx);
    if old != state::SYN_RECV || new != state::ESTABLISHED {
        return;
    }
    // SAFETY: the socket is typed.
    unsafe {
        if is_of_tcp(sock) && !is_connecting(sock) {
            run_once::<N>(Source::Accept, sock, |run| accepted(run, sock));
        }
    }
}

#[inline(always)]
fn at_state<const N: u32>(ctx: &BtfTracePointContext) {
    let (sock, old, new) = arguments(ctx);
    // SAFETY: the socket is typed.
    unsafe {
        match (old, new) {
            (_, state::SYN_SENT) if is_of_tcp(sock) => {
                run_once::<N>(Source::Connection, sock, |run| attempted(run, sock));
            }
            // Both ends connected to each other: the result is yet to come.
            (state::SYN_SENT, state::SYN_RECV) => {}
            (state::SYN_SENT, _) if is_of_tcp(sock) => {
                run_once::<N>(Source::Connection, sock, |run| ended(run, sock, new));
            }
            (state::SYN_RECV, _) if is_of_tcp(sock) && is_connecting(sock) => {
                run_once::<N>(Source::Connection, sock, |run| ended(run, sock, new));
            }
            (_, state::LISTEN) if is_of_tcp(sock) => {
                run_once::<N>(Source::Connection, sock, |run| listens(run, sock));
            }
            (state::LISTEN, state::CLOSE) if is_of_tcp(sock) => listens_no_more(sock),
            _ => {}
        }
    }
}

#[inline(always)]
unsafe fn is_of_tcp(sock: Address) -> bool {
    // SAFETY: the verifier.
    unsafe { Typed::member::<u16>(sock, offset!(sock_protocol)) == TCP }
}

/// Whether this socket, which may be one that a listener made, is one that connects. Those of listeners are no process's yet,
/// unless they were taken early, by fast open.
#[inline(always)]
unsafe fn is_connecting(sock: Address) -> bool {
    // SAFETY: the verifier.
    let socket: Address = unsafe { Typed::member(sock, offset!(sock_socket)) };
    !socket.is_null() && CONNECTING.get_ptr(&(sock as u64)).is_some()
}

#[inline(always)]
unsafe fn attempted(run: Run, sock: Address) {
    let mut connecting = Connecting { actor: Actor::default(), lane: lanes::of_task(), reserved: 0 };
    // SAFETY: the socket is typed; the record is the ring's until it is committed.
    unsafe {
        actor::describe(&raw mut connecting.actor);
        let is_kept = CONNECTING.insert(&(sock as u64), &connecting, 0).is_ok();
        if !run.has_room_in(Source::Connection, connecting.lane) {
            return;
        }
        let Some(record) = run.reserve::<ConnectAttemptRecord>(Source::Connection.ring()) else { return };
        (*record).header = header::<ConnectAttemptRecord>();
        copy(&raw const connecting.actor, &raw mut (*record).actor);
        flow::describe::<Typed>(sock, End::Source, true, &raw mut (*record).flow);
        if !is_kept {
            run.partial();
        }
        run.commit(Source::Connection.ring(), record);
    }
}

#[inline(always)]
unsafe fn ended(run: Run, sock: Address, new: i32) {
    let key = sock as u64;
    let Some(connecting) = CONNECTING.get_ptr(&key) else {
        // It was under way before anybody asked, or there were too many.
        return run.failed();
    };
    // SAFETY: the entry is this socket's, of which there is one change of state at a time.
    if run.has_room_in(Source::Connection, unsafe { (*connecting).lane })
        && let Some(record) = run.reserve::<ConnectResultRecord>(Source::Connection.ring())
    {
        // SAFETY: as above.
        unsafe {
            (*record).header = header::<ConnectResultRecord>();
            copy(&raw const (*connecting).actor, &raw mut (*record).actor);
            flow::describe::<Typed>(sock, End::Source, true, &raw mut (*record).flow);
            let error: i32 = Typed::member(sock, offset!(network.sock_err));
            (*record).error = match (new, error) {
                (state::ESTABLISHED, _) => CONNECTED,
                (_, 0) => GIVEN_UP,
                (_, error) => error,
            };
            run.commit(Source::Connection.ring(), record);
        }
    }
    let _ = CONNECTING.remove(&key);
}

#[inline(always)]
unsafe fn listens(run: Run, sock: Address) {
    let mut listener = Listener { actor: Actor::default(), lane: lanes::of_task(), reserved: 0, sock: sock as u64 };
    // SAFETY: as above.
    unsafe {
        actor::describe(&raw mut listener.actor);
        let place = place_of::<Typed>(sock);
        let is_kept = LISTENERS.insert(&place, &listener, 0).is_ok();
        if !run.has_room_in(Source::Connection, listener.lane) {
            return;
        }
        let Some(record) = run.reserve::<ListenRecord>(Source::Connection.ring()) else { return };
        (*record).header = header::<ListenRecord>();
        copy(&raw const listener.actor, &raw mut (*record).actor);
        flow::describe::<Typed>(sock, End::Destination, false, &raw mut (*record).flow);
        if !is_kept {
            run.partial();
        }
        run.commit(Source::Connection.ring(), record);
    }
}

#[inline(always)]
unsafe fn listens_no_more(sock: Address) {
    // SAFETY: as above.
    unsafe {
        let place = place_of::<Typed>(sock);
        if LISTENERS.get_ptr(&place).is_some_and(|listener| (*listener).sock == sock as u64) {
            let _ = LISTENERS.remove(&place);
        }
    }
}

#[inline(always)]
unsafe fn accepted(run: Run, sock: Address) {
    // SAFETY: as above.
    unsafe {
        let mut place = place_of::<Typed>(sock);
        let listener = match LISTENERS.get_ptr(&place) {
            None => {
                place.address = [0; 4];
                LISTENERS.get_ptr(&place)
            }
            found => found,
        };
        let Some(listener) = listener else { return run.failed() };
        if !run.has_room_in(Source::Accept, (*listener).lane) {
            return;
        }
        let Some(record) = run.reserve::<AcceptRecord>(Source::Accept.ring()) else { return };
        (*record).header = header::<AcceptRecord>();
        copy(&raw const (*listener).actor, &raw mut (*record).actor);
        flow::describe::<Typed>(sock, End::Destination, true, &raw mut (*record).flow);
        run.commit(Source::Accept.ring(), record);
    }
}

/// Where a socket listens, or the one that it comes of.
#[inline(always)]
pub(super) unsafe fn place_of<M: Memory>(sock: Address) -> Place {
    // SAFETY: the verifier.
    unsafe {
        let family: u16 = M::member(sock, offset!(sock_family));
        let net = if present!(network.sock_net) { M::member(sock, offset!(network.sock_net)) } else { 0 };
        let mut place = Place {
            net,
            address: [0; 4],
            port: M::member::<u16>(sock, offset!(network.sock_port)).into(),
            family: family.into(),
        };
        if family == INET6 && present!(network.sock_address6) {
            let from = offset!(network.sock_address6);
            place.address[0] = M::member(sock, from);
            place.address[1] = M::member(sock, from + 4);
            place.address[2] = M::member(sock, from + 8);
            place.address[3] = M::member(sock, from + 12);
        } else {
            place.address[0] = M::member(sock, offset!(network.sock_address));
        }
        place
    }
}
