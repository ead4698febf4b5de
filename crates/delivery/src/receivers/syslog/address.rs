//! Where syslog messages go.

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

    /// What is known of a message that went out, for people.
    #[must_use]
    pub const fn known(&self) -> &'static str {
        match self {
            Self::Unix(_) => "taken by the local socket (syslog confirms nothing)",
            Self::Udp(_) => "handed to the network (UDP confirms nothing)",
            Self::Tcp(_) | Self::Tls(_) => "acknowledged by the receiver's host (syslog itself confirms nothing)",
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
pub static ADDRESS: Own = Own {
    name: "address",
    expected: "a socket path or an address (udp://, tcp://, tls://)",
    check: |text| SyslogAddress::from_text(text).map(drop),
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
}
