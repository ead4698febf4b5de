//! Hosts with ports, and sockets.

use std::path::PathBuf;

use url::{Host, Url};

use crate::problem::Problem;
use crate::scalar::FromText;
use crate::schema::Own;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address, the latter without brackets.
    pub host: String,
    pub port: u16,
}

impl HostPort {
    /// Reads `host:port`; the URL parser knows names, addresses and brackets.
    ///
    /// # Errors
    /// It is something else, or names no port where there is no default.
    pub fn parse(text: &str, default: Option<u16>) -> Result<Self, Problem> {
        // A scheme without a default port, but with the rules for hosts of the well-known ones.
        let url = Url::parse(&format!("ws://{text}"))
            .map_err(|error| Problem::new(format!("this is not host:port: {error}")))?;
        let extra = url.path() != "/" || url.query().is_some() || !url.username().is_empty() || text.ends_with('/');
        if extra {
            return Err(Problem::new("more than a host and a port").help("write host:port alone"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => {
                host_name(name)?;
                name.to_owned()
            }
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(Problem::new("no host is named").help("write host:port")),
        };
        // The URL parser drops the port that is usual for the scheme.
        let usual = text.ends_with(":80").then_some(80);
        match url.port().or(usual).or(default) {
            Some(0) => Err(Problem::new("nobody can listen on port 0").help("write the receiver's port")),
            Some(port) => Ok(Self { host, port }),
            None => Err(Problem::new("no port is named").help(format!("write {text}:PORT"))),
        }
    }
}

/// The type of keys that take a [`ListenAddress`].
pub static LISTEN: Own = Own {
    name: "address and port, or socket",
    expected: "an address and port, such as 127.0.0.1:9464, or unix:///path",
    check: |text| ListenAddress::from_text(text).map(drop),
    prose: None,
};

/// The type of keys that take a [`UnixSocket`].
pub static UNIX_SOCKET: Own = Own {
    name: "socket",
    expected: "a socket, such as unix:///run/name.sock",
    check: |text| UnixSocket::from_text(text).map(drop),
    prose: None,
};

/// Where the program itself listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    Tcp(std::net::SocketAddr),
    Unix(PathBuf),
}

impl ListenAddress {
    /// Whether nobody outside this host reaches it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

/// As it is written in the configuration.
impl std::fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
        }
    }
}

impl FromText for ListenAddress {
    fn from_text(text: &str) -> Result<Self, Problem> {
        if text.starts_with("unix://") {
            return Ok(Self::Unix(UnixSocket::from_text(text)?.0));
        }
        let numeric =
            text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        numeric.parse().map(Self::Tcp).map_err(|_| {
            Problem::new("this is not an address to listen on")
                .help("write an address and a port, 127.0.0.1:9464 or [::1]:9464, or unix:///path")
        })
    }
}

/// A Unix socket's path, written with `unix://` in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket(pub PathBuf);

impl FromText for UnixSocket {
    fn from_text(text: &str) -> Result<Self, Problem> {
        match text.split_once("://") {
            // With two slashes, as it is often printed, or with the three that it should have.
            Some(("unix", path)) if !path.trim_start_matches('/').is_empty() => {
                socket_path(&format!("/{}", path.trim_start_matches('/'))).map(Self)
            }
            _ => Err(Problem::new("this is not a socket").help("write unix:// and its path: unix:///run/name.sock")),
        }
    }
}

/// A path that a Unix socket can have: the kernel keeps 108 bytes for it, one of them the zero at its end (unix(7)).
///
/// # Errors
/// It is longer.
pub fn socket_path(path: &str) -> Result<PathBuf, Problem> {
    match std::os::unix::net::SocketAddr::from_pathname(path) {
        Ok(_) => Ok(PathBuf::from(path)),
        Err(_) => Err(Problem::new("this cannot be the path of a socket").help("write 107 bytes at most")),
    }
}

/// Whether a name can be a host's: parts of 1 to 63 bytes, 253 bytes in all (RFC 1035), a point behind them or not.
pub(crate) fn host_name(host: &str) -> Result<(), Problem> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let wrong = |why| Err(Problem::new(format!("`{}` cannot be the name of a host: {why}", host.escape_debug())));
    match () {
        () if name.len() > 253 => wrong("it is longer than 253 bytes"),
        () if name.split('.').any(str::is_empty) => wrong("a part of it is empty"),
        () if name.split('.').any(|part| part.len() > 63) => wrong("a part of it is longer than 63 bytes"),
        () if name.split('.').any(|part| part.starts_with('-') || part.ends_with('-')) => {
            wrong("a part of it begins or ends with a dash")
        }
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        let read = |text| HostPort::parse(text, Some(514)).map(|at| (at.host, at.port));
        assert_eq!(read("log.example"), Ok(("log.example".into(), 514)));
        assert_eq!(read("10.0.0.1:80"), Ok(("10.0.0.1".into(), 80)));
        assert_eq!(read("[::1]:6514"), Ok(("::1".into(), 6514)));
        for wrong in ["", "x:99999", "x/y", "a@b", "a..b", "-a", "x:0"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(HostPort::parse("host", None).is_err());
    }

    #[test]
    fn sockets_are_read_with_two_slashes_or_three() {
        for text in ["unix://var/run/crio/crio.sock", "unix:///var/run/crio/crio.sock"] {
            assert_eq!(UnixSocket::from_text(text), Ok(UnixSocket("/var/run/crio/crio.sock".into())));
        }
        assert!(UnixSocket::from_text("/var/run/crio/crio.sock").is_err());
        assert!(UnixSocket::from_text("unix://").is_err());
    }
}
