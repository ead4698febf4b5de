//! What sockets are asked for, where the kernel allows programs at functions: to be bound, to give a connection away.

use aya_ebpf::EbpfContext;
use aya_ebpf::macros::fexit;
use aya_ebpf::programs::FExitContext;

use super::flow::{self, End};
use super::{ACCEPT_TAKES_ARGUMENT, AcceptRecord, BindRecord, Flow, INET, INET6};
use crate::classes::Source;
use crate::kernel::actor;
use crate::kernel::emit::{Run, header};
use crate::kernel::load::{Address, Memory, Probed, offset, word};
use crate::kernel::replicas::{replicas, run_once};

replicas! {
    fexit, "inet_csk_accept", FExitContext, at_accept:
    accept_call = 0, accept_call_2 = 1, accept_call_3 = 2, accept_call_4 = 3
}

replicas! {
    fexit, "__inet_bind", FExitContext, at_bind:
    bind_call = 0, bind_call_2 = 1, bind_call_3 = 2, bind_call_4 = 3
}

replicas! {
    fexit, "__inet6_bind", FExitContext, at_bind6:
    bind6_call = 0, bind6_call_2 = 1, bind6_call_3 = 2, bind6_call_4 = 3
}

/// Arguments: the socket that listens, and three more until Linux 6.9, one since. Returns the new socket, or null.
#[inline(always)]
fn at_accept<const N: u32>(ctx: &FExitContext) {
    // SAFETY: as above.
    unsafe {
        let sock = if offset!(network.inet_csk_accept_parameters) == ACCEPT_TAKES_ARGUMENT {
            word::<2>(ctx.as_ptr())
        } else {
            word::<4>(ctx.as_ptr())
        } as Address;
        if !sock.is_null() {
            run_once::<N>(Source::Accept, sock, |run| accepted(run, sock));
        }
    }
}

#[inline(always)]
unsafe fn accepted(run: Run, sock: Address) {
    if !run.has_room(Source::Accept) {
        return;
    }
    let Some(record) = run.reserve::<AcceptRecord>(Source::Accept.ring()) else { return };
    // SAFETY: the record is the ring's until it is committed; the socket is probed.
    unsafe {
        (*record).header = header::<AcceptRecord>();
        actor::describe(&raw mut (*record).actor);
        flow::describe::<Probed>(sock, End::Destination, true, &raw mut (*record).flow);
        run.commit(Source::Accept.ring(), record);
    }
}

/// Arguments: the socket, the address that is asked for, its length, flags. Returns zero, or a negative errno.
#[inline(always)]
fn at_bind<const N: u32>(ctx: &FExitContext) {
    // SAFETY: as above.
    unsafe {
        let (sock, asked) = (word::<0>(ctx.as_ptr()) as Address, word::<1>(ctx.as_ptr()) as Address);
        let result = word::<4>(ctx.as_ptr()) as i32;
        run_once::<N>(Source::Bind, sock, |run| bound(run, sock, asked, result));
    }
}

/// The same for sockets of IPv6.
#[inline(always)]
fn at_bind6<const N: u32>(ctx: &FExitContext) {
    // SAFETY: as above.
    unsafe {
        let (sock, asked) = (word::<0>(ctx.as_ptr()) as Address, word::<1>(ctx.as_ptr()) as Address);
        let result = word::<4>(ctx.as_ptr()) as i32;
        run_once::<N>(Source::Bind6, sock, |run| bound(run, sock, asked, result));
    }
}

/// Both sources have one ring and one budget, so that either's will do.
#[inline(always)]
unsafe fn bound(run: Run, sock: Address, asked: Address, result: i32) {
    if !run.has_room(Source::Bind) {
        return;
    }
    let Some(record) = run.reserve::<BindRecord>(Source::Bind.ring()) else { return };
    // SAFETY: the record is the ring's until it is committed; the socket, and the kernel's copy of the address, are probed.
    unsafe {
        (*record).header = header::<BindRecord>();
        actor::describe(&raw mut (*record).actor);
        if result == 0 {
            flow::describe::<Probed>(sock, End::Destination, false, &raw mut (*record).flow);
        } else {
            (*record).error = -result;
            asks_for(asked, &raw mut (*record).flow);
            (*record).flow.protocol = Probed::member(sock, offset!(sock_protocol));
        }
        run.commit(Source::Bind.ring(), record);
    }
}

/// A `struct sockaddr_in` or `sockaddr_in6`.
#[inline(always)]
unsafe fn asks_for(address: Address, flow: *mut Flow) {
    // SAFETY: the caller.
    unsafe {
        let family: u16 = Probed::member(address, 0);
        (*flow).destination_port = u16::from_be(Probed::member(address, 2));
        if family == INET6 {
            (*flow).family = INET6;
            (*flow).destination = Probed::member(address, 8);
        } else {
            (*flow).family = INET;
            (&raw mut (*flow).destination).cast::<u32>().write_unaligned(Probed::member(address, 4));
        }
    }
}
