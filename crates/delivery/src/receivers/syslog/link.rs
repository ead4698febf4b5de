//! A connection to a syslog receiver, of whatever sort.

mod unsent;

use std::{
    fs,
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket},
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::{
            fs::FileTypeExt as _,
            net::{UnixDatagram, UnixStream},
        },
    },
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};
use settings::HostPort;

use super::{SyslogAddress, SyslogReceiver};
use crate::tls;

/// To connect, and for each write.
const PATIENCE: Duration = Duration::from_secs(15);

/// See the module.
pub(super) enum Link {
    Datagrams(UnixDatagram),
    Udp(UdpSocket),
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// System loggers take datagrams, others a stream.
fn connect_unix(path: &Path) -> io::Result<Link> {
    let socket = UnixDatagram::unbound()?;
    match socket.connect(path) {
        Ok(()) => {
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok(Link::Datagrams(socket))
        }
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => {
            let stream = UnixStream::connect(path)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(Link::Unix(stream))
        }
        // What the kernel says of a file or a folder is that it refused the connection.
        Err(_) if fs::metadata(path).is_ok_and(|there| !there.file_type().is_socket()) => {
            Err(io::Error::new(ErrorKind::InvalidInput, "what is there is not a socket"))
        }
        Err(error) => Err(error),
    }
}

fn connect_tcp(to: &HostPort) -> io::Result<TcpStream> {
    let mut last = None;
    for address in resolve(to)? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| ErrorKind::AddrNotAvailable.into()))
}

fn resolve(HostPort { host, port }: &HostPort) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = (host.as_str(), *port).to_socket_addrs()?.collect();
    if found.is_empty() { Err(ErrorKind::AddrNotAvailable.into()) } else { Ok(found) }
}

impl Link {
    pub(super) fn connect(settings: &SyslogReceiver) -> io::Result<Self> {
        match &settings.address {
            SyslogAddress::Unix(path) => connect_unix(path),
            SyslogAddress::Udp(to) => {
                let address = resolve(to)?.remove(0);
                let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
                let socket = UdpSocket::bind(any)?;
                // For an address of all hosts of a network.
                socket.set_broadcast(true)?;
                socket.connect(address)?;
                Ok(Link::Udp(socket))
            }
            SyslogAddress::Tcp(to) => Ok(Link::Tcp(connect_tcp(to)?)),
            SyslogAddress::Tls(to) => {
                let config = tls::config(&settings.tls, true)?;
                let name = ServerName::try_from(settings.server_name.clone().unwrap_or_else(|| to.host.clone()))
                    .map_err(|_| {
                        io::Error::new(ErrorKind::InvalidData, "this host's name cannot be in a certificate")
                    })?;
                let connection = ClientConnection::new(Arc::new(config), name)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                let mut stream = StreamOwned::new(connection, connect_tcp(to)?);
                // Here, so that a refusal is told as such.
                while stream.conn.is_handshaking() {
                    stream.conn.complete_io(&mut stream.sock)?;
                }
                Ok(Link::Tls(Box::new(stream)))
            }
        }
    }

    pub(super) const fn is_stream(&self) -> bool {
        matches!(self, Self::Unix(_) | Self::Tcp(_) | Self::Tls(_))
    }

    pub(super) fn send(&self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Datagrams(socket) => socket.send(message).map(drop),
            // Word that an earlier message was refused comes with a later one, and this is that.
            Self::Udp(socket) => socket.send(message).map(drop),
            Self::Unix(_) | Self::Tcp(_) | Self::Tls(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Waits for word that nobody listens at a port of UDP (ICMP), and returns it.
    pub(super) fn refused(&self, within: Duration) -> Option<io::Error> {
        let Self::Udp(socket) = self else { return None };
        let _ = happens(socket.as_fd(), PollFlags::ERR, within);
        socket.take_error().ok().flatten()
    }

    /// Whether the other end closes a stream.
    pub(super) fn closes(&self, within: Duration) -> io::Result<bool> {
        let socket = match self {
            Self::Unix(stream) => stream.as_fd(),
            Self::Tcp(stream) => stream.as_fd(),
            Self::Tls(stream) => stream.sock.as_fd(),
            Self::Datagrams(_) | Self::Udp(_) => return Ok(false),
        };
        happens(socket, PollFlags::RDHUP, within)
    }

    /// Writes to a stream, and waits until the other host has it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => {
                stream.write_all(bytes)?;
                acknowledged(stream)
            }
            Self::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()?;
                acknowledged(&stream.sock)
            }
            Self::Datagrams(_) | Self::Udp(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Whether the other end has closed a stream: what is written to it then is lost without an error.
    pub(super) fn has_ended(&mut self) -> bool {
        let look = |socket: &dyn Fn(bool) -> io::Result<()>, mut read: Box<dyn FnMut() -> io::Result<usize> + '_>| {
            let found = socket(true).and_then(|()| read());
            let _ = socket(false);
            !matches!(found, Err(error) if error.kind() == ErrorKind::WouldBlock)
        };
        match self {
            Self::Datagrams(_) | Self::Udp(_) => false,
            Self::Unix(stream) => {
                let (set, mut reader) = (stream.try_clone(), &*stream);
                let Ok(set) = set else { return true };
                look(&|on| set.set_nonblocking(on), Box::new(move || reader.read(&mut [0])))
            }
            Self::Tcp(stream) => {
                let mut reader = &*stream;
                look(&|on| stream.set_nonblocking(on), Box::new(move || reader.read(&mut [0])))
            }
            Self::Tls(stream) => {
                // Receivers send session tickets; reading takes them in.
                let Ok(set) = stream.sock.try_clone() else { return true };
                look(&|on| set.set_nonblocking(on), Box::new(move || stream.read(&mut [0])))
            }
        }
    }
}

/// Waits until the other host has acknowledged everything.
fn acknowledged(stream: &TcpStream) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(50);
    while unsent::bytes(stream)? > 0 {
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        if Instant::now() > until {
            return Err(io::Error::new(ErrorKind::TimedOut, "the receiver does not acknowledge what was sent"));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    // What was in flight when the connection broke is gone from the queue too.
    stream.take_error()?.map_or(Ok(()), Err)
}

/// Waits for such an event at a socket, or its end; whether there is one.
fn happens(socket: BorrowedFd<'_>, what: PollFlags, within: Duration) -> io::Result<bool> {
    let within = Timespec::try_from(within).map_err(io::Error::other)?;
    let mut poll_for = [PollFd::from_borrowed_fd(socket, what)];
    match poll(&mut poll_for, Some(&within)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
