//! Addresses of receivers: syslog, ZeroMQ, Unix sockets.

use std::path::PathBuf;

use url::{Host, Url};

use super::problem::Problem;
use super::scalar::FromText;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address, the latter without brackets.
    pub host: String,
    pub port: u16,
}

/// Where syslog messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogAddress {
    Unix(PathBuf),
    Udp(HostPort),
    Tcp(HostPort),
    Tls(HostPort),
}

impl SyslogAddress {
    /// How addresses of its sort begin.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Unix(_) => "unix://",
            Self::Udp(_) => "udp://",
            Self::Tcp(_) => "tcp://",
            Self::Tls(_) => "tls://",
        }
    }
}

impl FromText for SyslogAddress {
    fn from_text(text: &str) -> Result<Self, Problem> {
        let help = "write a socket's path (/dev/log) or udp://host:514, tcp://host:514, tls://host:6514";
        if text.starts_with('/') {
            return socket_path(text).map(Self::Unix);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(Problem::new("this is not an address of a syslog receiver").help(help));
        };
        match scheme {
            "unix" => Ok(Self::Unix(UnixSocket::from_text(text)?.0)),
            "udp" => host_port(rest, Some(514)).map(Self::Udp),
            "tcp" => host_port(rest, Some(514)).map(Self::Tcp),
            "tls" => host_port(rest, Some(6514)).map(Self::Tls),
            _ => Err(Problem::new(format!("{scheme}:// is not taken here")).part(0..scheme.len()).help(help)),
        }
    }
}

/// Where a ZeroMQ socket binds or connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZeromqEndpoint {
    /// A host, `*` for all interfaces, and a port.
    Tcp(HostPort),
    Ipc(PathBuf),
}

impl ZeromqEndpoint {
    /// Whether what goes there stays on this host.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Ipc(_) => true,
            Self::Tcp(HostPort { host, .. }) => {
                host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

/// As ZeroMQ writes it.
impl std::fmt::Display for ZeromqEndpoint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ipc(path) => write!(formatter, "ipc://{}", path.display()),
            Self::Tcp(HostPort { host, port }) if host.contains(':') => write!(formatter, "tcp://[{host}]:{port}"),
            Self::Tcp(HostPort { host, port }) => write!(formatter, "tcp://{host}:{port}"),
        }
    }
}

impl FromText for ZeromqEndpoint {
    fn from_text(text: &str) -> Result<Self, Problem> {
        let help = "write tcp://host:port or ipc:///path";
        match text.split_once("://") {
            Some(("tcp", rest)) if rest.starts_with("*:") => {
                let local = host_port(&rest.replacen('*', "0.0.0.0", 1), None)?;
                Ok(Self::Tcp(HostPort { host: "*".into(), ..local }))
            }
            Some(("tcp", rest)) => host_port(rest, None).map(Self::Tcp),
            Some(("ipc", path)) if path.starts_with('/') => socket_path(path).map(Self::Ipc),
            Some(("ipc", _)) => Err(Problem::new("the path of this socket is not absolute").help(help)),
            Some((scheme, _)) => {
                Err(Problem::new(format!("{scheme}:// is not taken here")).part(0..scheme.len()).help(help))
            }
            None => Err(Problem::new("this is not a ZeroMQ endpoint").help(help)),
        }
    }
}

/// Where the sensor itself listens.
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
            _ => {
                Err(Problem::new("this is not a socket")
                    .help("write unix:// and its path: unix:///var/run/crio/crio.sock"))
            }
        }
    }
}

/// A path that a Unix socket can have: the kernel keeps 108 bytes for it, one of them the zero at its end (unix(7)).
fn socket_path(path: &str) -> Result<PathBuf, Problem> {
    match std::os::unix::net::SocketAddr::from_pathname(path) {
        Ok(_) => Ok(PathBuf::from(path)),
        Err(_) => Err(Problem::new("this cannot be the path of a socket").help("write 107 bytes at most")),
    }
}

/// Whether a name can be a host's: parts of 1 to 63 bytes, 253 bytes in all (RFC 1035), a point behind them or not.
pub(super) fn host_name(host: &str) -> Result<(), Problem> {
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

/// Reads `host:port`; the URL parser knows names, addresses and brackets.
fn host_port(text: &str, default: Option<u16>) -> Result<HostPort, Problem> {
    // A scheme without a default port, but with the rules for hosts of the well-known ones.
    let url =
        Url::parse(&format!("ws://{text}")).map_err(|error| Problem::new(format!("this is not host:port: {error}")))?;
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
        Some(port) => Ok(HostPort { host, port }),
        None => Err(Problem::new("no port is named").help(format!("write {text}:PORT"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> HostPort {
        HostPort { host: host.into(), port }
    }

    #[test]
    fn syslog_addresses_are_read() {
        let read = SyslogAddress::from_text;
        assert_eq!(read("/dev/log"), Ok(SyslogAddress::Unix("/dev/log".into())));
        assert_eq!(read("unix:///dev/log"), Ok(SyslogAddress::Unix("/dev/log".into())));
        assert_eq!(read("udp://log.example"), Ok(SyslogAddress::Udp(at("log.example", 514))));
        assert_eq!(read("tcp://10.0.0.1:80"), Ok(SyslogAddress::Tcp(at("10.0.0.1", 80))));
        assert_eq!(read("tls://[::1]:6514"), Ok(SyslogAddress::Tls(at("::1", 6514))));
        for wrong in ["", "log.example", "http://x", "tcp://", "tcp://x:99999", "tcp://x/y", "tcp://a@b"]
            .map(str::to_owned)
            .into_iter()
            .chain(["udp://a..b", "tls://-a", "tcp://x:0"].map(str::to_owned))
            .chain([format!("tls://{}.example", "a".repeat(64)), format!("/{}", "a".repeat(107))])
        {
            let wrong = wrong.as_str();
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn zeromq_endpoints_are_read_and_written() {
        for text in ["tcp://127.0.0.1:5556", "tcp://*:5556", "tcp://[::1]:80", "ipc:///run/a.sock"] {
            assert_eq!(ZeromqEndpoint::from_text(text).unwrap().to_string(), text);
        }
        for wrong in ["tcp://host", "ipc://relative", "inproc://x", "host:1"] {
            assert!(ZeromqEndpoint::from_text(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_the_loopback_is_local() {
        let local = |text| ZeromqEndpoint::from_text(text).unwrap().is_local();
        assert!(
            local("tcp://127.0.0.2:1") && local("tcp://[::1]:1") && local("tcp://localhost:1") && local("ipc:///a")
        );
        assert!(!local("tcp://*:1") && !local("tcp://10.0.0.1:1") && !local("tcp://host.example:1"));
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
