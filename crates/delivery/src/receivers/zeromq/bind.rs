//! Where a ZeroMQ socket listens, made before anything is sent, so that what is wrong shows at the start.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, TcpListener},
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt as _, MetadataExt as _},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
};

use private_folder::make_for_file;
use rustix::{
    fs::Mode,
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType},
};
use settings::HostPort;

use super::ZeromqEndpoint;

/// A socket that listens.
pub(super) enum Listener {
    Tcp(TcpListener),
    Ipc(UnixListener),
}

/// The file of a Unix socket, gone when this is dropped, unless another has taken its name.
pub(super) struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens there. `*` stands for all interfaces, the name of one for its address, as ZeroMQ has it (zmq_tcp(7)).
///
/// # Errors
///
/// If it is taken or not to be had.
pub(super) fn listen(endpoint: &ZeromqEndpoint) -> io::Result<(Listener, Option<SocketFile>)> {
    match endpoint {
        ZeromqEndpoint::Tcp(HostPort { host, port }) => {
            let listener = match address_of(host) {
                Some(address) => TcpListener::bind((address, *port))?,
                None => TcpListener::bind((host.as_str(), *port)).map_err(|error| no_such_place(host, error))?,
            };
            listener.set_nonblocking(true)?;
            Ok((Listener::Tcp(listener), None))
        }
        ZeromqEndpoint::Ipc(path) => {
            let listener = listen_at(path)?;
            let inode = fs::symlink_metadata(path)?.ino();
            Ok((Listener::Ipc(listener), Some(SocketFile { path: path.clone(), inode })))
        }
    }
}

/// The address that stands for all interfaces, or that of the interface of this name: the first of IPv4, else of IPv6.
fn address_of(host: &str) -> Option<IpAddr> {
    if host == "*" {
        return Some(Ipv4Addr::UNSPECIFIED.into());
    }
    let all: Vec<_> = nix::ifaddrs::getifaddrs().ok()?.collect();
    // Host names come in lower case.
    let named = || all.iter().filter(|interface| interface.interface_name.eq_ignore_ascii_case(host));
    let addresses = || named().filter_map(|interface| interface.address.as_ref());
    let v4 = addresses().find_map(|address| address.as_sockaddr_in()).map(|address| address.ip().into());
    v4.or_else(|| addresses().find_map(|address| address.as_sockaddr_in6()).map(|address| address.ip().into()))
}

fn no_such_place(host: &str, error: io::Error) -> io::Error {
    if host.parse::<IpAddr>().is_ok() || error.kind() == io::ErrorKind::AddrInUse {
        return error;
    }
    io::Error::new(error.kind(), format!("no interface and no host of the name {host} has an address here: {error}"))
}

/// Only root and the own user can connect there.
fn listen_at(path: &Path) -> io::Result<UnixListener> {
    let address = SocketAddrUnix::new(path)?;
    let directory = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    make_for_file(directory)?;
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "what is there is not a socket"));
        }
        Ok(_) if listens(&address)? => {
            return Err(io::Error::new(io::ErrorKind::AddrInUse, "another program listens there"));
        }
        Ok(_) => fs::remove_file(path)?,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    // The file gets the mode that the socket has when it is bound: there is no moment in which it is open to others.
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(0o600))?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, 64)?;
    Ok(UnixListener::from(socket))
}

/// Whether someone listens there; otherwise it is what a dead one left.
fn listens(address: &SocketAddrUnix) -> io::Result<bool> {
    let socket = socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    Ok(!matches!(rustix::net::connect(&socket, address), Err(Errno::CONNREFUSED | Errno::NOENT)))
}

fn socket(flags: SocketFlags) -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_socket_is_for_its_owner_and_replaces_a_dead_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/alerts.sock");
        let endpoint = ZeromqEndpoint::Ipc(path.clone());
        let first = listen(&endpoint).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(listen(&endpoint).err().unwrap().kind(), io::ErrorKind::AddrInUse);
        let (listener, file) = first;
        drop(listener);
        // Left behind, as after a kill.
        std::mem::forget(file);
        let (_listener, file) = listen(&endpoint).unwrap();
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_in_the_way_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious");
        fs::write(&path, "x").unwrap();
        assert_eq!(listen(&ZeromqEndpoint::Ipc(path.clone())).err().unwrap().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(path).unwrap(), "x");
    }
}
