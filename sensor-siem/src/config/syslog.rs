//! A syslog receiver, as an output's keys describe it.

use delivery::{
    receivers::syslog::{Framing, SyslogAddress, SyslogReceiver},
    tls,
};
use diagnostic::Report;
use settings::{Section, Size};

use super::words::FramingWord;
use crate::{destination::syslog::SyslogOutput, format::syslog::Header};

/// What a datagram holds at most over UDP and IPv4: 65,535 bytes less the headers (RFC 791, 768).
const MOST_OF_UDP: u64 = 65_507;

/// Takes the receiver. Its files are looked at.
pub(super) fn read(section: &Section<'_>, report: &mut Report) -> Option<SyslogOutput> {
    let address: SyslogAddress = section.get("address")?;
    let framing = section.get::<FramingWord>("framing").map(FramingWord::framing);
    if matches!(address, SyslogAddress::Udp(_)) {
        if framing.is_some_and(|framing| framing != Some(Framing::Nul)) {
            report
                .error(section.span("framing"), "`framing` has no effect: over UDP a datagram is a message")
                .help("use tcp:// or tls:// for a stream, or take it out");
        }
        if section.get::<Size>("max_bytes").is_some_and(|Size(bytes)| bytes > MOST_OF_UDP) {
            report
                .error(section.span("max_bytes"), format!("a datagram over UDP holds {MOST_OF_UDP} bytes at most"))
                .help("write less, or use tcp:// or tls://");
        }
    }
    let plain = (address.scheme() != "tls://").then_some(address.scheme());
    if let (Some(plain), Some(span)) = (plain, section.span("server_name")) {
        report
            .error(span, format!("`server_name` has no effect: there is no TLS to {plain}"))
            .help("it is the name in a certificate; use tls://, or take it out");
    }
    let server_name: Option<String> = section.get("server_name");
    if let Some(name) = server_name.as_deref().filter(|name| !tls::is_name(name)) {
        report
            .error(section.span("server_name"), format!("`{name}` cannot be a name in a certificate"))
            .help("write a host name or an address");
    }
    let tls = super::tls::read(section, plain, report);
    Some(SyslogOutput::new(
        SyslogReceiver { framing: framing.unwrap_or(SyslogOutput::framing(&address)), tls, server_name, address },
        section.get("facility")?,
        section.get::<Header>("protocol"),
    ))
}
