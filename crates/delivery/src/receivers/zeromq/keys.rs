//! A ZeroMQ socket, as the keys of an output describe it.

use std::net::IpAddr;

use diagnostic::{Report, Span};
use foldhash::HashMap;
use nix::sys::socket::SockaddrStorage;
use settings::{HostPort, Key, Kind, Section, Word as _};

use super::{ZeromqEndpoint, ZeromqPattern, ZeromqSettings, endpoint};

pub const ENDPOINT: Key = Key::new(
    "endpoint",
    Kind::Own(&endpoint::ENDPOINT),
    "",
    "Where to bind or to connect to: tcp://host:port or ipc://path.",
)
.required();
pub const PATTERN: Key = Key::new(
    "pattern",
    Kind::Word(ZeromqPattern::WORDS),
    "pub",
    "`pub`: to all subscribers; `push`: to one of the peers in turn.",
);
pub const BIND: Key =
    Key::new("bind", Kind::Bool, "", "Whether to bind rather than connect. Without it: yes for `pub`, no for `push`.");
pub const HIGH_WATER_MARK: Key =
    Key::new("high_water_mark", Kind::Count(1, 10_000_000), "1000", "Messages that wait for a slow peer at most.");
pub const ALLOW_PLAINTEXT: Key =
    Key::new("allow_plaintext", Kind::Bool, "false", "Whether unencrypted TCP may leave this host.");

/// Takes the socket.
#[must_use]
pub fn read(section: &Section<'_>, report: &mut Report) -> Option<ZeromqSettings> {
    let endpoint: ZeromqEndpoint = section.get("endpoint")?;
    let pattern: ZeromqPattern = section.get("pattern")?;
    let bind = section.get("bind").unwrap_or(pattern == ZeromqPattern::Pub);
    // Binding to the loopback's interface by its name.
    let is_local =
        endpoint.is_local() || bind && matches!(&endpoint, ZeromqEndpoint::Tcp(HostPort { host, .. }) if host == "lo");
    let is_refused = !is_local && !section.bool("allow_plaintext");
    if is_refused {
        report
            .error(section.span("endpoint"), "this would send unencrypted TCP off this host")
            .label("not the loopback")
            .help("use 127.0.0.1 or ipc://, or say that it is meant: `allow_plaintext: true`");
    }
    if let ZeromqEndpoint::Tcp(HostPort { host, .. }) = &endpoint {
        match bind {
            // One thing at a time.
            true if is_refused => {}
            true => not_to_bind_to(host, section, report),
            false => not_to_connect_to(host, section, report),
        }
    }
    Some(ZeromqSettings {
        endpoint,
        pattern,
        bind,
        high_water_mark: usize::try_from(section.get::<u64>("high_water_mark")?).unwrap_or(usize::MAX),
    })
}

/// Refuses what is a place to bind to alone.
fn not_to_connect_to(host: &str, section: &Section<'_>, report: &mut Report) {
    let what = match host {
        "*" => "`*` stands for all interfaces: one binds to them".to_owned(),
        host if is_interface(host) => format!("`{host}` is an interface of this host: one binds to it"),
        _ => return,
    };
    report
        .error(section.span("endpoint"), what)
        .label("to be connected to")
        .help("name the host that listens, or set `bind: true`");
}

/// Warns of an address that this host does not have: it may get it, or listen there all the same (`ip_nonlocal_bind`).
fn not_to_bind_to(host: &str, section: &Section<'_>, report: &mut Report) {
    let Ok(address) = host.parse::<IpAddr>() else { return };
    let Ok(mut all) = nix::ifaddrs::getifaddrs() else { return };
    let is_it = |found: SockaddrStorage| {
        let four = found.as_sockaddr_in().map(|found| IpAddr::from(found.ip()));
        four.or_else(|| found.as_sockaddr_in6().map(|found| IpAddr::from(found.ip()))) == Some(address)
    };
    if address.is_unspecified() || address.is_loopback() || all.any(|one| one.address.is_some_and(is_it)) {
        return;
    }
    report
        .warning(section.span("endpoint"), format!("{host} is no address of this host, and one binds to one's own"))
        .label("to be bound to")
        .help("write an address of this host, or `*` for all; to connect to another host set `bind: false`");
}

/// Whether this host has a network interface of this name.
fn is_interface(name: &str) -> bool {
    nix::ifaddrs::getifaddrs().is_ok_and(|mut all| all.any(|interface| interface.interface_name == name))
}

/// Refuses sockets that cannot be one: who has the same endpoint shares it.
pub fn shared<'a>(sockets: impl Iterator<Item = (&'a Span, &'a ZeromqSettings)>, report: &mut Report) {
    let mut first: HashMap<String, (&Span, &ZeromqSettings)> = HashMap::default();
    for (span, socket) in sockets {
        let Some((other_span, other)) = first.get(&socket.endpoint.to_string()) else {
            first.insert(socket.endpoint.to_string(), (span, socket));
            continue;
        };
        let differs = match () {
            () if socket.bind != other.bind => "`bind`",
            () if socket.pattern != other.pattern => "`pattern`",
            () if socket.high_water_mark != other.high_water_mark => "`high_water_mark`",
            () => continue,
        };
        report
            .error(
                span.clone(),
                format!("two with the endpoint {} share its socket, and differ in {differs}", socket.endpoint),
            )
            .label(format!("{}, {} messages", socket.pattern.word(), socket.high_water_mark))
            .related((*other_span).clone(), "the other one")
            .help("give both the same, or another endpoint");
    }
}
