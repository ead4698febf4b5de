//! A ZeroMQ socket, as the keys of an output or a sink describe it.

use diagnostic::{Report, Span};
use foldhash::HashMap;
use settings::{HostPort, Section};

use crate::output::{ZeromqEncoding, ZeromqEndpoint, ZeromqPattern};

/// A ZeroMQ socket.
#[derive(Clone, Debug)]
pub struct ZeromqSettings {
    pub endpoint: ZeromqEndpoint,
    pub pattern: ZeromqPattern,
    /// The topic of all messages; none where each table has its own.
    pub topic: Option<String>,
    /// Whether to bind rather than connect.
    pub bind: bool,
    /// Messages that wait for a slow peer at most.
    pub high_water_mark: u64,
    pub encoding: ZeromqEncoding,
}

/// Takes the socket of an output or a sink.
pub(crate) fn read(section: &Section<'_>, topic: Option<String>, report: &mut Report) -> Option<ZeromqSettings> {
    let endpoint: ZeromqEndpoint = section.get("endpoint")?;
    let pattern: ZeromqPattern = section.get("pattern")?;
    let bind = section.get("bind").unwrap_or(pattern == ZeromqPattern::Pub);
    // Binding to the loopback's interface by its name.
    let is_local =
        endpoint.is_local() || bind && matches!(&endpoint, ZeromqEndpoint::Tcp(HostPort { host, .. }) if host == "lo");
    if !is_local && !section.bool("allow_plaintext") {
        report
            .error(section.span("endpoint"), "this would send unencrypted TCP off this host")
            .label("not the loopback")
            .help("use 127.0.0.1 or ipc://, or say that it is meant: `allow_plaintext: true`");
    }
    if let ZeromqEndpoint::Tcp(HostPort { host, .. }) = &endpoint
        && !bind
    {
        not_to_connect_to(host, section, report);
    }
    Some(ZeromqSettings {
        endpoint,
        pattern,
        topic,
        bind,
        high_water_mark: section.get("high_water_mark")?,
        encoding: section.get("encoding")?,
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

/// Whether this host has a network interface of this name.
fn is_interface(name: &str) -> bool {
    nix::ifaddrs::getifaddrs().is_ok_and(|mut all| all.any(|interface| interface.interface_name == name))
}

/// Refuses sockets that cannot be one: who has the same endpoint shares it.
pub(crate) fn shared<'a>(sockets: impl Iterator<Item = (&'a Span, &'a ZeromqSettings)>, report: &mut Report) {
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
