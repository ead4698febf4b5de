//! Where a ZeroMQ socket binds or connects to.

use std::path::PathBuf;

use settings::{FromText, HostPort, Own, Problem, socket_path};

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
pub(super) static ENDPOINT: Own = Own {
    name: "endpoint",
    expected: "an endpoint, such as tcp://127.0.0.1:5556 or ipc:///run/sophos/alerts.sock",
    check: |text| ZeromqEndpoint::from_text(text).map(drop),
    prose: None,
};

#[cfg(test)]
mod tests {
    use super::*;

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
