//! Addresses of a socket.

use super::{Flow, INET, INET6};
use crate::kernel::load::{Address, Memory, offset, present};

/// Which end of a connection a socket is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Destination,
}

/// The third word of an IPv4 address within IPv6: `::ffff:0:0/96`.
const MAPPED: u32 = u32::from_ne_bytes([0, 0, 0xff, 0xff]);

/// Where a socket is from, and where it goes to. Without a peer, as one that listens, it has no other end.
///
/// # Safety
///
/// `sock` must be a `struct sock` pointer that `M` can read, `flow` within its record, which is zeroed.
#[inline(always)]
pub(super) unsafe fn describe<M: Memory>(sock: Address, end: End, has_peer: bool, flow: *mut Flow) {
    // SAFETY: the caller.
    unsafe {
        let (own, peer, own_port, peer_port) = match end {
            End::Source => (
                &raw mut (*flow).source,
                &raw mut (*flow).destination,
                &raw mut (*flow).source_port,
                &raw mut (*flow).destination_port,
            ),
            End::Destination => (
                &raw mut (*flow).destination,
                &raw mut (*flow).source,
                &raw mut (*flow).destination_port,
                &raw mut (*flow).source_port,
            ),
        };
        (*flow).protocol = M::member(sock, offset!(sock_protocol));
        *own_port = M::member(sock, offset!(network.sock_port));
        if has_peer {
            *peer_port = u16::from_be(M::member(sock, offset!(network.sock_peer_port)));
        }
        let of_six = M::member::<u16>(sock, offset!(sock_family)) == INET6
            && present!(network.sock_address6)
            && present!(network.sock_peer_address6);
        let ends = if of_six { (offset!(network.sock_address6), offset!(network.sock_peer_address6)) } else { (0, 0) };
        // IPv4 within IPv6 has the addresses of IPv4 as well, and these sooner.
        let mapped = if !of_six {
            true
        } else if has_peer {
            M::member::<u32>(sock, ends.1 + 8) == MAPPED
        } else {
            M::member::<u32>(sock, ends.0 + 8) == MAPPED
        };
        if mapped {
            (*flow).family = INET;
            own.cast::<u32>().write(M::member(sock, offset!(network.sock_address)));
            if has_peer {
                peer.cast::<u32>().write(M::member(sock, offset!(network.sock_peer_address)));
            }
        } else {
            (*flow).family = INET6;
            copy::<M>(sock, ends.0, own);
            if has_peer {
                copy::<M>(sock, ends.1, peer);
            }
        }
    }
}

#[inline(always)]
unsafe fn copy<M: Memory>(sock: Address, from: u32, to: *mut [u8; 16]) {
    // SAFETY: the caller. Word by word, as the kernel aligns them.
    unsafe {
        let to = to.cast::<u32>();
        to.write(M::member(sock, from));
        to.add(1).write(M::member(sock, from + 4));
        to.add(2).write(M::member(sock, from + 8));
        to.add(3).write(M::member(sock, from + 12));
    }
}
