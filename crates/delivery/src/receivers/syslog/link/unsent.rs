//! What a TCP connection has not got rid of yet.

use std::{io, net::TcpStream, os::fd::AsRawFd as _};

/// Bytes that were written and that the other host has not acknowledged.
pub(super) fn bytes(stream: &TcpStream) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open, and TIOCOUTQ (SIOCOUTQ on sockets, tcp(7)) writes one int there.
    let result = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    if result == 0 { Ok(usize::try_from(count).unwrap_or(0)) } else { Err(io::Error::last_os_error()) }
}
