//! The `syslog` output: RFC 5424 over a Unix socket, UDP, TCP and TLS (octet counting, RFC 6587 and 5425).
//!
//! Syslog knows no confirmation. What counts as sent is what can be known: over a Unix socket and UDP, that the local
//! system took the message; over TCP and TLS, that the receiver's host has acknowledged every byte of it. What the
//! receiving program loses after that, by a crash say, nobody tells us.

mod unsent;

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _, UdpSocket},
    os::unix::net::{UnixDatagram, UnixStream},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{ClientConnection, StreamOwned, pki_types::ServerName};

use super::{
    remote::{Answer, Message, Remote, Setback, Settled},
    tls,
};
use crate::config::{Facility, HostPort, SyslogAddress, TlsSettings};

/// To connect, and for each write.
const PATIENCE: Duration = Duration::from_secs(15);

/// A `syslog` output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogSettings {
    pub address: SyslogAddress,
    pub facility: Facility,
    pub tls: TlsSettings,
}

/// Sends to one receiver; keeps the connection.
pub(crate) struct Syslog {
    settings: SyslogSettings,
    link: Option<Link>,
}

enum Link {
    Datagrams(UnixDatagram),
    Udp(UdpSocket),
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Syslog {
    pub(crate) const fn new(settings: SyslogSettings) -> Self {
        Self { settings, link: None }
    }

    fn link(&mut self) -> io::Result<&mut Link> {
        if self.link.as_mut().is_some_and(Link::has_ended) {
            self.link = None;
        }
        match &mut self.link {
            Some(link) => Ok(link),
            none => Ok(none.insert(connect(&self.settings)?)),
        }
    }

    /// Sends one message after the other; how many are with the receiver, or will never be, and what went wrong.
    fn try_send(&mut self, messages: &[Message<'_>]) -> (Vec<Settled>, Option<io::Error>) {
        let mut settled = Vec::with_capacity(messages.len());
        let link = match self.link() {
            Ok(link) => link,
            Err(error) => return (settled, Some(error)),
        };
        if link.is_stream() {
            let mut bytes = Vec::new();
            for message in messages {
                let _ = write!(bytes, "{} ", message.body.len());
                bytes.extend_from_slice(message.body);
            }
            // All or nothing: which of them a broken connection took along cannot be told.
            let outcome = link.write(&bytes);
            if outcome.is_ok() {
                settled.resize(messages.len(), Settled::Confirmed);
            }
            return (settled, outcome.err());
        }
        for message in messages {
            match link.send(message.body) {
                Ok(()) => settled.push(Settled::Confirmed),
                Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
                    let length = message.body.len();
                    settled.push(Settled::Rejected(format!("{length} bytes do not fit a datagram; set max_bytes")));
                }
                Err(error) => return (settled, Some(error)),
            }
        }
        (settled, None)
    }
}

impl Remote for Syslog {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        let (settled, error) = self.try_send(messages);
        let setback = error.map(|error| {
            self.link = None;
            let place = self.settings.place();
            let lasting = error.kind() == ErrorKind::InvalidData;
            Setback { reason: format!("cannot send to {place}: {error}{}", hint(&error)), wait: None, lasting }
        });
        Answer { settled, setback }
    }
}

impl SyslogSettings {
    /// For messages.
    pub(crate) fn place(&self) -> String {
        let at = |scheme: &str, HostPort { host, port }: &HostPort| match host.contains(':') {
            true => format!("{scheme}://[{host}]:{port}"),
            false => format!("{scheme}://{host}:{port}"),
        };
        match &self.address {
            SyslogAddress::Unix(path) => path.display().to_string(),
            SyslogAddress::Udp(to) => at("udp", to),
            SyslogAddress::Tcp(to) => at("tcp", to),
            SyslogAddress::Tls(to) => at("tls", to),
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => "; does the receiver run?",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "; is a firewall in between, or is the receiver stuck?",
        _ => "",
    }
}

fn connect(settings: &SyslogSettings) -> io::Result<Link> {
    match &settings.address {
        SyslogAddress::Unix(path) => connect_unix(path),
        SyslogAddress::Udp(to) => {
            let address = resolve(to)?.remove(0);
            let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
            let socket = UdpSocket::bind(any)?;
            socket.connect(address)?;
            Ok(Link::Udp(socket))
        }
        SyslogAddress::Tcp(to) => Ok(Link::Tcp(connect_tcp(to)?)),
        SyslogAddress::Tls(to) => {
            let config = tls::config(&settings.tls)?;
            let name = ServerName::try_from(to.host.clone())
                .map_err(|_| io::Error::new(ErrorKind::InvalidData, "this host's name cannot be in a certificate"))?;
            let connection =
                ClientConnection::new(Arc::new(config), name).map_err(|error| io::Error::other(error.to_string()))?;
            let mut stream = StreamOwned::new(connection, connect_tcp(to)?);
            // Here, so that a refusal is told as such.
            while stream.conn.is_handshaking() {
                stream.conn.complete_io(&mut stream.sock)?;
            }
            Ok(Link::Tls(Box::new(stream)))
        }
    }
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
    const fn is_stream(&self) -> bool {
        matches!(self, Self::Unix(_) | Self::Tcp(_) | Self::Tls(_))
    }

    fn send(&self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Datagrams(socket) => socket.send(message).map(drop),
            // What was refused before is told with the next message, which is not to blame.
            Self::Udp(socket) => socket.send(message).or_else(|_| socket.send(message)).map(drop),
            Self::Unix(_) | Self::Tcp(_) | Self::Tls(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Writes to a stream, and waits until the other host has it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
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
    fn has_ended(&mut self) -> bool {
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
