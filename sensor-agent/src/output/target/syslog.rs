//! A syslog receiver.

use std::{fs, os::unix::fs::FileTypeExt as _, sync::Arc};

use delivery::receivers::syslog::{
    self, Facility, Framing, Syslog, SyslogAddress, SyslogProtocol, SyslogReceiver, SyslogSettings,
};
use delivery::tls::{TlsSettings, keys as tls};
use diagnostic::Report;
use jiff::{Timestamp, tz::TimeZone};
use settings::{Key, Kind, Size, Variant, Word as _};

use super::{
    Elsewhere, Endpoint, Fault, Given, Opened, Target,
    keys::{CA_FILE, CERT_FILE, KEY_FILE},
    spooled,
};
use crate::{
    alert::{Alert, rfc3339, shorten},
    output::{queued::QueuedAlert, settings::OutputSettings},
    policy::{MessageType, Priority},
};

pub(super) const OUTPUT: Variant = Variant { name: "syslog", keys: KEYS, doc: "A syslog receiver." };

const KEYS: &[Key] = &[
    Key::new(
        "address",
        Kind::Own(&syslog::ADDRESS),
        "/dev/log",
        "The receiver: a socket's path, or udp://, tcp:// or tls://.",
    ),
    Key::new("facility", Kind::Word(Facility::WORDS), "local0", "The facility of the messages."),
    Key::new(
        "protocol",
        Kind::Word(SyslogProtocol::WORDS),
        "",
        "How a message begins: as system loggers take it on `/dev/log` (`local`: RFC 3164 without the host), or as \
         receivers do. Without it: `local` for a socket's path, else `rfc5424`.",
    ),
    Key::new(
        "framing",
        Kind::Word(Framing::WORDS),
        "",
        "How messages in a stream are told apart: their length before each, or a line feed or zero byte behind. Without \
         it: `octets` (RFC 6587, 5425); for a socket's path `nul`, as the C library does.",
    ),
    Key::new(
        "server_name",
        Kind::Text,
        "",
        "The name in the receiver's certificate, for `tls://`. Without it, the address's host.",
    ),
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

/// What a datagram holds at most over UDP and IPv4: 65,535 bytes less the headers (RFC 791, 768).
const MOST_OF_UDP: u64 = 65_507;
/// The name of the program in a header.
const APP: &str = "sophoslinuxsensor";
/// What Linux allows (`HOST_NAME_MAX`).
const LONGEST_HOST: usize = 64;

// What alerts are shortened to first is what receivers take as it comes.
const _: () = assert!(shorten::COMMON_BYTES == syslog::COMMON_BYTES);

pub(super) fn output(given: &Given<'_>, _: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    let section = &given.section;
    let address: SyslogAddress = section.get("address")?;
    let is_local = matches!(address, SyslogAddress::Unix(_));
    let scheme = address.scheme();
    let plain = (scheme != "tls://").then_some(scheme);
    if matches!(address, SyslogAddress::Udp(_)) {
        let help = "a datagram is a message; use tcp:// or tls:// for a stream, or take it out";
        given.without_effect(&["framing"], "udp://", help, report);
        if section.get::<Size>("max_bytes").is_some_and(|Size(bytes)| bytes > MOST_OF_UDP) {
            report
                .error(section.span("max_bytes"), format!("a datagram over UDP holds {MOST_OF_UDP} bytes at most"))
                .help("write less, or use tcp:// or tls://");
        }
    }
    if plain.is_some() {
        let help = "it is the name in a certificate; use tls://, or take it out";
        given.without_effect(&["server_name"], scheme, help, report);
    }
    let server_name: Option<String> = section.get("server_name");
    if let Some(name) = &server_name
        && !delivery::tls::is_name(name)
    {
        report
            .error(section.span("server_name"), format!("`{name}` cannot be a name in a certificate"))
            .help("write a host name or an address");
    }
    Some(Arc::new(SyslogSettings {
        facility: section.get("facility")?,
        protocol: section.get("protocol").unwrap_or(if is_local {
            SyslogProtocol::Local
        } else {
            SyslogProtocol::Rfc5424
        }),
        receiver: SyslogReceiver {
            framing: Some(section.get("framing").unwrap_or(if is_local { Framing::Nul } else { Framing::Octets })),
            tls: tls::read(section, given.enabled, plain, report),
            server_name,
            address,
        },
    }))
}

impl Target for SyslogSettings {
    fn kind(&self) -> &'static str {
        OUTPUT.name
    }

    fn place(&self) -> String {
        self.receiver.place()
    }

    fn tls(&self) -> Option<&TlsSettings> {
        Some(&self.receiver.tls)
    }

    fn max_bytes(&self) -> usize {
        syslog::COMMON_BYTES
    }

    fn is_spooled(&self) -> bool {
        true
    }

    fn endpoint(&self) -> Option<Endpoint<'_>> {
        match &self.receiver.address {
            SyslogAddress::Tcp(to) | SyslogAddress::Tls(to) => Some(Endpoint::Address(to)),
            SyslogAddress::Unix(path) => Some(Endpoint::Socket(path)),
            // Nothing is connected to.
            SyslogAddress::Udp(_) => None,
        }
    }

    fn doubt(&self) -> Option<Fault> {
        let SyslogAddress::Unix(path) = &self.receiver.address else { return Fault::left_aside(&self.receiver.tls) };
        let found = fs::metadata(path).ok().filter(|found| !found.file_type().is_socket())?;
        let what = if found.is_dir() { "a folder" } else { "a file" };
        let reason = format!("{}: this is {what}, and no socket", path.display());
        Some(Fault { key: Some("address"), reason, label: "nothing can be sent there as it is" })
    }

    fn head(&self, alert: &Alert) -> String {
        head(self.facility, self.protocol, alert)
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        Ok(spooled(output, Syslog::new(self.receiver.clone())))
    }
}

/// What stands before the text. Structured data would need a name with a number of the sender's own (RFC 5424, 6.3.2);
/// what identifies the alert is in its text.
fn head(facility: Facility, protocol: SyslogProtocol, alert: &Alert) -> String {
    let severity = match alert.policy.priority {
        Priority::Info => 6,
        Priority::Low => 5,
        Priority::Medium => 4,
        Priority::High => 2,
    };
    let priority = u32::from(facility.code()) * 8 + severity;
    let host = header_text(&alert.host.hostname, LONGEST_HOST);
    let pid = std::process::id();
    match protocol {
        SyslogProtocol::Local => format!("<{priority}>{} {APP}[{pid}]: ", local_time(alert.time())),
        SyslogProtocol::Rfc3164 => format!("<{priority}>{} {host} {APP}[{pid}]: ", local_time(alert.time())),
        SyslogProtocol::Rfc5424 => {
            let kind = match alert.policy.message_type {
                MessageType::Alert => "alert",
                MessageType::SmartPolicy => "smart_policy",
                MessageType::Audit => "audit",
            };
            // A syslog time has no more than six digits behind the point.
            let mut time = rfc3339(alert.time());
            time.truncate(time.len() - 4);
            format!("<{priority}>1 {time}Z {host} {APP} {pid} {kind} - ")
        }
    }
}

/// The host's own time, as RFC 3164 writes it: `Nov  4 23:20:01`.
fn local_time(unix_nanos: u64) -> String {
    let time = Timestamp::from_nanosecond(unix_nanos.into()).unwrap_or(Timestamp::MAX);
    time.to_zoned(TimeZone::system()).strftime("%b %e %H:%M:%S").to_string()
}

/// Visible ASCII alone, which is what a header field may hold; `-` for nothing.
fn header_text(text: &str, limit: usize) -> String {
    let visible: String = text.chars().filter(char::is_ascii_graphic).take(limit).collect();
    if visible.is_empty() { "-".to_owned() } else { visible }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::shorten::{LEAST_TEXT, MIN_BYTES};
    use crate::event::Host;
    use crate::policy::Policy;

    #[test]
    fn a_syslog_header_is_as_its_protocol_says() {
        let alert = Alert::sample();
        let head = |protocol| head(Facility::Local0, protocol, &alert);
        let pid = std::process::id();
        assert_eq!(
            head(SyslogProtocol::Rfc5424),
            format!("<130>1 2023-11-14T23:20:01.500000Z host.example.test sophoslinuxsensor {pid} alert - ")
        );
        let time = local_time(alert.time());
        assert!(time.starts_with("Nov 1") && time.ends_with(":01") && time.len() == 15, "{time}");
        assert_eq!(head(SyslogProtocol::Local), format!("<130>{time} sophoslinuxsensor[{pid}]: "));
        assert_eq!(head(SyslogProtocol::Rfc3164), format!("<130>{time} host.example.test sophoslinuxsensor[{pid}]: "));
    }

    #[test]
    fn the_shortest_alert_fits_with_the_longest_header() {
        let mut alert = Alert::sample();
        alert.host = Arc::new(Host { hostname: "h".repeat(300), ..Host::default() });
        alert.policy = Arc::new(Policy { message_type: MessageType::SmartPolicy, ..(*alert.policy).clone() });
        let head = head(Facility::Local7, SyslogProtocol::Rfc5424, &alert);
        let longest_pid = "4194304".len() - std::process::id().to_string().len();
        assert!(head.len() + longest_pid + LEAST_TEXT <= MIN_BYTES, "{head}");
    }
}
