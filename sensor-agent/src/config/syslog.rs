//! A syslog receiver, as an output's keys describe it.

use delivery::receivers::syslog::{Framing, SyslogAddress, SyslogProtocol, SyslogReceiver, SyslogSettings};
use delivery::tls::keys as tls;
use diagnostic::Report;
use settings::{Section, Size};

use super::without_effect::without_effect;

/// What a datagram holds at most over UDP and IPv4: 65,535 bytes less the headers (RFC 791, 768).
const MOST_OF_UDP: u64 = 65_507;

/// Takes the receiver. Files are looked at if it is `enabled`.
pub(super) fn read(section: &Section<'_>, enabled: bool, report: &mut Report) -> Option<SyslogSettings> {
    let address: SyslogAddress = section.get("address")?;
    let is_local = matches!(address, SyslogAddress::Unix(_));
    let scheme = address.scheme();
    let plain = (scheme != "tls://").then_some(scheme);
    if matches!(address, SyslogAddress::Udp(_)) {
        let help = "a datagram is a message; use tcp:// or tls:// for a stream, or take it out";
        without_effect(section, &["framing"], "udp://", help, report);
        if section.get::<Size>("max_bytes").is_some_and(|Size(bytes)| bytes > MOST_OF_UDP) {
            report
                .error(section.span("max_bytes"), format!("a datagram over UDP holds {MOST_OF_UDP} bytes at most"))
                .help("write less, or use tcp:// or tls://");
        }
    }
    if plain.is_some() {
        let help = "it is the name in a certificate; use tls://, or take it out";
        without_effect(section, &["server_name"], scheme, help, report);
    }
    let server_name: Option<String> = section.get("server_name");
    if let Some(name) = &server_name
        && !delivery::tls::is_name(name)
    {
        report
            .error(section.span("server_name"), format!("`{name}` cannot be a name in a certificate"))
            .help("write a host name or an address");
    }
    Some(SyslogSettings {
        facility: section.get("facility")?,
        protocol: section.get("protocol").unwrap_or(if is_local {
            SyslogProtocol::Local
        } else {
            SyslogProtocol::Rfc5424
        }),
        receiver: SyslogReceiver {
            framing: Some(section.get("framing").unwrap_or(if is_local { Framing::Nul } else { Framing::Octets })),
            tls: tls::read(section, enabled, plain, report),
            server_name,
            address,
        },
    })
}
