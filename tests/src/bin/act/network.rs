//! Connects, and is connected to, in each way that there is.

use std::ffi::OsString;
use std::io::{Error, ErrorKind, Write as _};
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::process::ExitCode;

use io_uring::{IoUring, opcode, types::Fd};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

use super::{Outcome, number};

/// `IPPROTO_MPTCP` of Linux.
const MULTIPATH: libc::c_int = 262;
/// `MSG_FASTOPEN` of Linux.
const FAST_OPEN: libc::c_int = 0x2000_0000;

/// What the first word says, with the address that is the second one. What fails with an error of the network is done.
pub(super) fn go(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    let to: SocketAddr = words.get(1).and_then(|word| word.to_str()).ok_or("an address is missing")?.parse()?;
    let done = match &*way {
        "take" => return take(to, number(words, 2)?),
        "take-by-child" => return take_by_child(to),
        "connect" => connect(&stream(to, 0, 0)?, to),
        "later" => later(to),
        "give-up" => give_up(to),
        "mapped" => mapped(to),
        "multipath" => connect(&stream(to, 0, MULTIPATH)?, to),
        "fast-open" => fast_open(to),
        "ring" => ring(to),
        "self" => itself(to),
        "bind-twice" => bind_twice(to),
        "send" => send(&datagrams(to)?, to, 1),
        "send-often" => send(&datagrams(to)?, to, 100),
        "send-connected" => send_connected(to),
        "send-message" => send_messages(to, 1),
        "send-messages" => send_messages(to, 2),
        "send-mapped" => send_mapped(to),
        "send-ring" => send_by_ring(to),
        _ => return Err("unknown; see src/bin/act/network.rs".into()),
    };
    match done {
        Err(error) if error.kind() == ErrorKind::Unsupported => Err(error.into()),
        Err(error) => {
            eprintln!("{way} {to}: {error}");
            Ok(ExitCode::SUCCESS)
        }
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

/// Listens there, says where, and takes so many connections.
fn take(at: SocketAddr, count: u32) -> Outcome {
    let listener = TcpListener::bind(at)?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    for _ in 0..count {
        drop(listener.accept()?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Listens there and connects to itself; a child of it takes the connection.
fn take_by_child(at: SocketAddr) -> Outcome {
    let listener = TcpListener::bind(at)?;
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Child => drop(listener.accept()?),
        ForkResult::Parent { child } => {
            let to = listener.local_addr()?;
            connect(&stream(to, 0, 0)?, to)?;
            waitpid(child, None)?;
            println!("{child}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Two sockets for datagrams at one place, of which the second one cannot have it.
fn bind_twice(at: SocketAddr) -> std::io::Result<()> {
    let (first, second) = (datagrams(at)?, datagrams(at)?);
    let (address, len) = raw(at);
    // SAFETY: the address is as long as that.
    let bind = |socket: &OwnedFd| done(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) });
    bind(&first)?;
    bind(&second)
}

fn connect(socket: &OwnedFd, to: SocketAddr) -> std::io::Result<()> {
    let (address, len) = raw(to);
    // SAFETY: the address is as long as that.
    done(unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), len) })
}

/// Does not wait for the result, and looks for it afterwards.
fn later(to: SocketAddr) -> std::io::Result<()> {
    let socket = stream(to, libc::SOCK_NONBLOCK, 0)?;
    match connect(&socket, to) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        other => return other,
    }
    let mut wait = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one structure.
    done(unsafe { libc::poll(&raw mut wait, 1, -1) })
}

/// Does not wait for it at all.
fn give_up(to: SocketAddr) -> std::io::Result<()> {
    connect(&stream(to, libc::SOCK_NONBLOCK, 0)?, to)
}

/// To an IPv4 address by a socket of IPv6.
fn mapped(to: SocketAddr) -> std::io::Result<()> {
    let IpAddr::V4(address) = to.ip() else { return Err(ErrorKind::InvalidInput.into()) };
    let to = SocketAddr::new(address.to_ipv6_mapped().into(), to.port());
    connect(&stream(to, 0, 0)?, to)
}

/// Sends at once, by which it connects.
fn fast_open(to: SocketAddr) -> std::io::Result<()> {
    let socket = stream(to, 0, 0)?;
    let (address, len) = raw(to);
    // SAFETY: one byte, and an address that is as long as that.
    let sent = unsafe {
        libc::sendto(socket.as_raw_fd(), b"x".as_ptr().cast(), 1, FAST_OPEN, (&raw const address).cast(), len)
    };
    if sent < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// By io_uring, in one of its own threads.
fn ring(to: SocketAddr) -> std::io::Result<()> {
    let socket = stream(to, 0, 0)?;
    let (address, len) = raw(to);
    let mut ring = IoUring::new(1)?;
    let entry = opcode::Connect::new(Fd(socket.as_raw_fd()), (&raw const address).cast(), len)
        .build()
        .flags(io_uring::squeue::Flags::ASYNC);
    // SAFETY: the address and the socket are there until it is done.
    unsafe { ring.submission().push(&entry) }.map_err(|_| ErrorKind::OutOfMemory)?;
    ring.submit_and_wait(1)?;
    let result = ring.completion().next().ok_or(ErrorKind::UnexpectedEof)?.result();
    if result < 0 { Err(Error::from_raw_os_error(-result)) } else { Ok(()) }
}

/// To its own port, so that both ends are one socket.
fn itself(at: SocketAddr) -> std::io::Result<()> {
    let socket = stream(at, 0, 0)?;
    let (mut address, mut len) = raw(at);
    // SAFETY: the address is as long as that, and there is room for another.
    let own = unsafe {
        done(libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len))?;
        done(libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut len))?;
        (&raw const address).cast::<libc::sockaddr_in>().read()
    };
    connect(&socket, SocketAddr::new(at.ip(), u16::from_be(own.sin_port)))
}

/// So many datagrams by a socket that is not connected.
fn send(socket: &OwnedFd, to: SocketAddr, count: u32) -> std::io::Result<()> {
    let (address, len) = raw(to);
    for _ in 0..count {
        // SAFETY: one byte, and an address that is as long as that.
        let sent =
            unsafe { libc::sendto(socket.as_raw_fd(), b"x".as_ptr().cast(), 1, 0, (&raw const address).cast(), len) };
        if sent < 0 {
            return Err(Error::last_os_error());
        }
    }
    Ok(())
}

fn send_connected(to: SocketAddr) -> std::io::Result<()> {
    let socket = datagrams(to)?;
    connect(&socket, to)?;
    // SAFETY: one byte.
    if unsafe { libc::send(socket.as_raw_fd(), b"x".as_ptr().cast(), 1, 0) } < 0 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

/// By sendmsg, or several at once by sendmmsg.
fn send_messages(to: SocketAddr, count: usize) -> std::io::Result<()> {
    let socket = datagrams(to)?;
    let (mut address, len) = raw(to);
    let mut part = libc::iovec { iov_base: b"x".as_ptr().cast_mut().cast(), iov_len: 1 };
    // SAFETY: zeroes are a message without anything; what it points to is there while it is sent.
    let sent = unsafe {
        let mut message: libc::msghdr = zeroed();
        message.msg_name = (&raw mut address).cast();
        message.msg_namelen = len;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        if count == 1 {
            libc::sendmsg(socket.as_raw_fd(), &raw const message, 0)
        } else {
            let mut all = vec![libc::mmsghdr { msg_hdr: message, msg_len: 0 }; count];
            libc::sendmmsg(socket.as_raw_fd(), all.as_mut_ptr(), count as libc::c_uint, 0) as isize
        }
    };
    if sent < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// To an IPv4 address by a socket of IPv6.
fn send_mapped(to: SocketAddr) -> std::io::Result<()> {
    let IpAddr::V4(address) = to.ip() else { return Err(ErrorKind::InvalidInput.into()) };
    let to = SocketAddr::new(address.to_ipv6_mapped().into(), to.port());
    send(&datagrams(to)?, to, 1)
}

/// By io_uring, in one of its own threads.
fn send_by_ring(to: SocketAddr) -> std::io::Result<()> {
    let socket = datagrams(to)?;
    let (mut address, len) = raw(to);
    let mut part = libc::iovec { iov_base: b"x".as_ptr().cast_mut().cast(), iov_len: 1 };
    // SAFETY: as above; all of it is there until it is done.
    let message = unsafe {
        let mut message: libc::msghdr = zeroed();
        message.msg_name = (&raw mut address).cast();
        message.msg_namelen = len;
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message
    };
    let mut ring = IoUring::new(1)?;
    let entry =
        opcode::SendMsg::new(Fd(socket.as_raw_fd()), &raw const message).build().flags(io_uring::squeue::Flags::ASYNC);
    // SAFETY: as above.
    unsafe { ring.submission().push(&entry) }.map_err(|_| ErrorKind::OutOfMemory)?;
    ring.submit_and_wait(1)?;
    let result = ring.completion().next().ok_or(ErrorKind::UnexpectedEof)?.result();
    if result < 0 { Err(Error::from_raw_os_error(-result)) } else { Ok(()) }
}

fn datagrams(to: SocketAddr) -> std::io::Result<OwnedFd> {
    socket(to, libc::SOCK_DGRAM, 0)
}

fn stream(to: SocketAddr, flags: libc::c_int, protocol: libc::c_int) -> std::io::Result<OwnedFd> {
    socket(to, libc::SOCK_STREAM | flags, protocol)
}

fn socket(to: SocketAddr, kind: libc::c_int, protocol: libc::c_int) -> std::io::Result<OwnedFd> {
    let family = if to.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: numbers alone; the descriptor is this function's.
    let fd: RawFd = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) };
    match fd {
        -1 if protocol == MULTIPATH => Err(ErrorKind::Unsupported.into()),
        -1 => Err(Error::last_os_error()),
        // SAFETY: as above.
        fd => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
    }
}

/// As the kernel takes it, and how long that is.
fn raw(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: zeroes are an address, of no family; each sort has room in it.
    unsafe {
        let mut storage: libc::sockaddr_storage = zeroed();
        let len = match address {
            SocketAddr::V4(v4) => {
                let to = (&raw mut storage).cast::<libc::sockaddr_in>();
                (*to).sin_family = libc::AF_INET as libc::sa_family_t;
                (*to).sin_port = v4.port().to_be();
                (*to).sin_addr.s_addr = u32::from_ne_bytes(v4.ip().octets());
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(v6) => {
                let to = (&raw mut storage).cast::<libc::sockaddr_in6>();
                (*to).sin6_family = libc::AF_INET6 as libc::sa_family_t;
                (*to).sin6_port = v6.port().to_be();
                (*to).sin6_addr.s6_addr = v6.ip().octets();
                size_of::<libc::sockaddr_in6>()
            }
        };
        (storage, len as libc::socklen_t)
    }
}

fn done(result: libc::c_int) -> std::io::Result<()> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}
