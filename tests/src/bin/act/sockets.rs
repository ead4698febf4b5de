//! Makes sockets that take whole packets, and connects to others of this host, in each way that there is.

use std::ffi::OsString;
use std::io::Error;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::ExitCode;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, UnixAddr};

use super::Outcome;
use super::trace::{OTHER, compat};

/// `ETH_P_ALL` of Linux, as it goes over the network.
const ALL: libc::c_int = (libc::ETH_P_ALL as u16).to_be() as libc::c_int;

/// `WAY`.
pub(super) fn raw(words: &[OsString]) -> Outcome {
    let way = words.first().ok_or("which way?")?.to_string_lossy();
    match &*way {
        "icmp" => made(libc::AF_INET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::IPPROTO_ICMP)?,
        "icmp6" => made(libc::AF_INET6, libc::SOCK_RAW, libc::IPPROTO_ICMPV6)?,
        "packet" => made(libc::AF_PACKET, libc::SOCK_RAW, ALL)?,
        "packet-dgram" => made(libc::AF_PACKET, libc::SOCK_DGRAM, ALL)?,
        "compat-icmp" => compat(359, [libc::AF_INET.into(), libc::SOCK_RAW.into(), libc::IPPROTO_ICMP.into(), 0])?,
        "refused" => {
            // SAFETY: takes numbers.
            unsafe { libc::syscall(libc::SYS_setresuid, OTHER, OTHER, OTHER) };
            assert!(made(libc::AF_PACKET, libc::SOCK_RAW, ALL).is_err(), "everybody gets it");
        }
        // What is called so, or is of the same families, and is none.
        "others" => {
            made(libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE)?;
            made(libc::AF_UNIX, libc::SOCK_RAW, 0)?;
            made(libc::AF_INET, libc::SOCK_DGRAM, 0)?;
            made(libc::AF_INET6, libc::SOCK_STREAM, 0)?;
        }
        // One that no module is loaded for: the kernel looks for one.
        "module" => assert!(made(libc::AF_X25, libc::SOCK_SEQPACKET, 0).is_err(), "the kernel has it"),
        _ => return Err("unknown; see src/bin/act/sockets.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}

fn made(family: libc::c_int, socket_type: libc::c_int, protocol: libc::c_int) -> Outcome<()> {
    // SAFETY: takes numbers.
    let returned = unsafe { libc::socket(family, socket_type, protocol) };
    if returned < 0 {
        return Err(Error::last_os_error().into());
    }
    // SAFETY: it is new, and nobody else's.
    drop(unsafe { OwnedFd::from_raw_fd(returned) });
    Ok(())
}

/// `WAY PATH`: somebody listens there, unless that is not wanted.
pub(super) fn local(words: &[OsString]) -> Outcome {
    let [way, path, ..] = words else { return Err("which way, and where?".into()) };
    match &*way.to_string_lossy() {
        "stream" => {
            let _listener = UnixListener::bind(path)?;
            UnixStream::connect(path)?;
        }
        "elsewhere" => {
            let _listener = UnixListener::bind(path)?;
            let link = std::path::Path::new(path).with_extension("link");
            std::os::unix::fs::symlink(path, &link)?;
            UnixStream::connect(link)?;
        }
        "abstract" => {
            let name = SocketAddr::from_abstract_name(path.as_bytes())?;
            let _listener = UnixListener::bind_addr(&name)?;
            UnixStream::connect_addr(&name)?;
        }
        "dgram" => {
            let _listener = UnixDatagram::bind(path)?;
            UnixDatagram::unbound()?.connect(path)?;
        }
        "seqpacket" => {
            let new = || socket::socket(AddressFamily::Unix, SockType::SeqPacket, SockFlag::empty(), None);
            let (listener, at) = (new()?, UnixAddr::new(std::path::Path::new(path))?);
            socket::bind(listener.as_raw_fd(), &at)?;
            socket::listen(&listener, socket::Backlog::new(1)?)?;
            socket::connect(new()?.as_raw_fd(), &at)?;
        }
        "nobody" => assert!(UnixStream::connect(path).is_err(), "somebody listens there"),
        // What is no such socket, and what has no peer.
        "others" => {
            let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
            std::net::TcpStream::connect(listener.local_addr()?)?;
            let _pair = UnixStream::pair()?;
        }
        _ => return Err("unknown; see src/bin/act/sockets.rs".into()),
    }
    Ok(ExitCode::SUCCESS)
}
