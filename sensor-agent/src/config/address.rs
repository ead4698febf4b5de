//! Addresses of receivers: syslog, ZeroMQ.

use std::path::PathBuf;

use settings::{FromText, HostPort, Own, Problem, UnixSocket, socket_path};

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
            "udp" => HostPort::parse(rest, Some(514)).map(Self::Udp),
            "tcp" => HostPort::parse(rest, Some(514)).map(Self::Tcp),
            "tls" => HostPort::parse(rest, Some(6514)).map(Self::Tls),
            _ => Err(Problem::new(format!("{scheme}:// is not taken here")).part(0..scheme.len()).help(help)),
        }
    }
}

/// The type of keys that take one.
pub(crate) static SYSLOG_ADDRESS: Own = Own {
    name: "address",
    expected: "a socket path or an address (udp://, tcp://, tls://)",
    check: |text| SyslogAddress::from_text(text).map(drop),
    prose: None,
};

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
                let local = HostPort::parse(&rest.replacen('*', "0.0.0.0", 1), None)?;
                Ok(Self::Tcp(HostPort { host: "*".into(), ..local }))
            }
            Some(("tcp", rest)) => HostPort::parse(rest, None).map(Self::Tcp),
            Some(("ipc", path)) if path.starts_with('/') => socket_path(path).map(Self::Ipc),
            Some(("ipc", _)) => Err(Problem::new("the path of this socket is not absolute").help(help)),
            Some((scheme, _)) => {
                Err(Problem::new(format!("{scheme}:// is not taken here")).part(0..scheme.len()).help(help))
            }
            None => Err(Problem::new("this is not a ZeroMQ endpoint").help(help)),
        }
    }
}

/// The type of keys that take one.
pub(crate) static ZEROMQ_ENDPOINT: Own = Own {
    name: "endpoint",
    expected: "an endpoint, such as tcp://127.0.0.1:5556 or ipc:///run/sophos/alerts.sock",
    check: |text| ZeromqEndpoint::from_text(text).map(drop),
    prose: None,
};

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
}
