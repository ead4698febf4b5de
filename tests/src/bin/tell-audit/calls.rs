//! The system calls that send, and the kernel's answers.

use std::io;
use std::mem::{size_of, zeroed};
use std::ptr::null_mut;

use super::HEADER;

/// The kernel's netlink address.
pub(super) fn kernel() -> libc::sockaddr_nl {
    // SAFETY: zeroes are an address: port 0 is the kernel's.
    let mut address: libc::sockaddr_nl = unsafe { zeroed() };
    address.nl_family = libc::AF_NETLINK as u16;
    address
}

const ADDRESS_LEN: u32 = size_of::<libc::sockaddr_nl>() as u32;

fn outcome(returned: isize) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The kernel refuses with an answer on the socket; it tells `ECONNREFUSED` and the like so, not from the call.
pub(super) fn sendto(fd: i32, message: &[u8]) -> io::Result<()> {
    let address = kernel();
    // SAFETY: both buffers are alive.
    outcome(unsafe {
        libc::sendto(fd, message.as_ptr().cast(), message.len(), 0, (&raw const address).cast(), ADDRESS_LEN)
    })
}

pub(super) fn connect(fd: i32) -> io::Result<()> {
    let address = kernel();
    // SAFETY: the address is alive.
    outcome(unsafe { libc::connect(fd, (&raw const address).cast(), ADDRESS_LEN) } as isize)
}

pub(super) fn send(fd: i32, message: &[u8]) -> io::Result<()> {
    connect(fd)?;
    // SAFETY: the buffer is alive.
    outcome(unsafe { libc::send(fd, message.as_ptr().cast(), message.len(), 0) })
}

pub(super) fn write(fd: i32, message: &[u8]) -> io::Result<()> {
    connect(fd)?;
    // SAFETY: the buffer is alive.
    outcome(unsafe { libc::write(fd, message.as_ptr().cast(), message.len()) })
}

pub(super) fn writev(fd: i32, message: &[u8]) -> io::Result<()> {
    connect(fd)?;
    let parts = parts(message);
    // SAFETY: the parts are alive.
    outcome(unsafe { libc::writev(fd, parts.as_ptr(), 2) })
}

pub(super) fn sendmsg(fd: i32, message: &[u8]) -> io::Result<()> {
    with_header(message, |header| {
        // SAFETY: what the header points to is alive.
        outcome(unsafe { libc::sendmsg(fd, header, 0) })
    })
}

pub(super) fn sendmmsg(fd: i32, message: &[u8]) -> io::Result<()> {
    with_header(message, |header| {
        let mut many = [libc::mmsghdr { msg_hdr: *header, msg_len: 0 }];
        // SAFETY: what the headers point to is alive.
        outcome(unsafe { libc::sendmmsg(fd, many.as_mut_ptr(), 1, 0) } as isize)
    })
}

/// Header and text apart.
fn parts(message: &[u8]) -> [libc::iovec; 2] {
    let (header, text) = message.split_at(HEADER);
    [header, text].map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() })
}

/// A `msghdr` with the message in two parts and the kernel's address.
pub(super) fn with_header<T>(message: &[u8], then: impl FnOnce(&libc::msghdr) -> T) -> T {
    let (mut address, mut parts) = (kernel(), parts(message));
    // SAFETY: zeroes are a header.
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_name = (&raw mut address).cast();
    header.msg_namelen = ADDRESS_LEN;
    header.msg_iov = parts.as_mut_ptr();
    header.msg_iovlen = 2;
    then(&header)
}

/// What the kernel answered so far: it does so before the call that sends returns.
pub(super) fn answers(fd: i32) -> io::Result<Vec<i32>> {
    let mut answers = Vec::new();
    loop {
        let mut bytes = [0_u8; 16384];
        // SAFETY: the buffer is alive.
        let len = unsafe {
            libc::recvfrom(fd, bytes.as_mut_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT, null_mut(), null_mut())
        };
        match usize::try_from(len) {
            Ok(len) if len >= HEADER + 4 => {
                let code = bytes[HEADER..].first_chunk().map_or(0, |code| i32::from_ne_bytes(*code));
                answers.push(-code);
            }
            Ok(_) => {}
            Err(_) => {
                let error = io::Error::last_os_error();
                return if error.kind() == io::ErrorKind::WouldBlock { Ok(answers) } else { Err(error) };
            }
        }
    }
}
