//! Sending through io_uring: no system call of the sender names the socket.

use std::io;

use io_uring::{IoUring, opcode, squeue, types::Fd};

use super::calls;

pub(super) fn send(fd: i32, message: &[u8]) -> io::Result<()> {
    calls::connect(fd)?;
    submit(&opcode::Send::new(Fd(fd), message.as_ptr(), len(message)).build())
}

pub(super) fn write(fd: i32, message: &[u8]) -> io::Result<()> {
    calls::connect(fd)?;
    submit(&opcode::Write::new(Fd(fd), message.as_ptr(), len(message)).build())
}

pub(super) fn sendmsg(fd: i32, message: &[u8]) -> io::Result<()> {
    calls::with_header(message, |header| submit(&opcode::SendMsg::new(Fd(fd), header).build()))
}

fn len(message: &[u8]) -> u32 {
    u32::try_from(message.len()).unwrap_or(u32::MAX)
}

fn submit(entry: &squeue::Entry) -> io::Result<()> {
    let mut ring = IoUring::new(2)?;
    // SAFETY: what the entry points to outlives the wait below.
    unsafe { ring.submission().push(entry) }.map_err(io::Error::other)?;
    ring.submit_and_wait(1)?;
    let done = ring.completion().next().ok_or_else(|| io::Error::other("io_uring says nothing"))?;
    if done.result() < 0 { Err(io::Error::from_raw_os_error(-done.result())) } else { Ok(()) }
}
