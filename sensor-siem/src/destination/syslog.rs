//! A syslog receiver, and what messages to it look like.

use std::{fmt::Write as _, io};

use delivery::{
    receivers::syslog::{ADDRESS, Framing, Syslog, SyslogAddress, SyslogReceiver},
    remote::Remote,
    tls::is_name,
};
use diagnostic::Report;
use settings::{Key, Kind, Node, Section, Size, Variant, Word as _};

use super::{
    Receiver,
    tls::{self, CA_FILE, CERT_FILE, KEY_FILE},
};
use crate::{
    format::syslog::{FACILITY, Facility, Header},
    item::{Item, Stream},
};

pub(super) const VARIANT: Variant = Variant {
    name: "syslog",
    keys: KEYS,
    doc: "Each line is a message to a syslog receiver. A page counts as handed over once the receiver's host has \
     acknowledged all of it (TCP, TLS), the local socket has taken it, or, over UDP, it is out of our hands: \
     more is not known there.",
};

const KEYS: &[Key] = &[
    Key::new(
        "address",
        Kind::Own(&ADDRESS),
        "",
        "The receiver: a socket's path such as `/dev/log`, or `udp://`, `tcp://` or `tls://` with host and port.",
    )
    .required(),
    Key::new("facility", Kind::Own(&FACILITY), "daemon", "The facility of the messages, by name."),
    Key::new(
        "protocol",
        Kind::Word(Header::WORDS),
        "",
        "How a message begins: `rfc5424`, `rfc3164`, as system loggers take it on `/dev/log` (`local`), or with the \
         priority alone (`bare`), as the vendor's script writes it. Without it: `local` for a socket's path, else \
         `rfc5424`.",
    ),
    Key::new(
        "framing",
        Kind::Word(FramingWord::WORDS),
        "",
        "What parts messages in a stream: their length before each (`octets`), a line feed or zero byte behind each, or \
         nothing (`none`), as the vendor's script does it. Over UDP `nul` puts a zero byte at the end of each, and the \
         others have no effect. Without it: `octets` (RFC 6587, 5425); for a socket's path `nul`.",
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

settings::words! {
    /// What parts messages in a stream.
    FramingWord {
        Octets = "octets" | "octet-counting",
        Lf = "lf" | "newline",
        Nul = "nul",
        None = "none",
    }
}

impl FramingWord {
    const fn framing(self) -> Option<Framing> {
        match self {
            Self::Octets => Some(Framing::Octets),
            Self::Lf => Some(Framing::Lf),
            Self::Nul => Some(Framing::Nul),
            Self::None => None,
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogOutput {
    pub receiver: SyslogReceiver,
    pub facility: Facility,
    pub header: Header,
}

impl SyslogOutput {
    /// Without a header that is said, messages begin as those do that such a receiver takes.
    #[must_use]
    pub fn new(receiver: SyslogReceiver, facility: Facility, header: Option<Header>) -> Self {
        let usual = if matches!(receiver.address, SyslogAddress::Unix(_)) { Header::Local } else { Header::Rfc5424 };
        Self { receiver, facility, header: header.unwrap_or(usual) }
    }

    /// What parts messages to such a receiver, if nothing is said; nothing over UDP.
    #[must_use]
    pub const fn framing(address: &SyslogAddress) -> Option<Framing> {
        match address {
            SyslogAddress::Unix(_) => Some(Framing::Nul),
            SyslogAddress::Udp(_) => None,
            SyslogAddress::Tcp(_) | SyslogAddress::Tls(_) => Some(Framing::Octets),
        }
    }
}

/// Takes the receiver. Its files are looked at.
pub(super) fn read(section: &Section<'_>, _: &Node, report: &mut Report) -> Option<SyslogOutput> {
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
    if let Some(name) = server_name.as_deref().filter(|name| !is_name(name)) {
        report
            .error(section.span("server_name"), format!("`{name}` cannot be a name in a certificate"))
            .help("write a host name or an address");
    }
    let tls = tls::read(section, plain, report);
    Some(SyslogOutput::new(
        SyslogReceiver { framing: framing.unwrap_or(SyslogOutput::framing(&address)), tls, server_name, address },
        section.get("facility")?,
        section.get::<Header>("protocol"),
    ))
}

impl Receiver for SyslogOutput {
    fn place(&self) -> String {
        self.receiver.place()
    }

    fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(Box::new(Syslog::new(self.receiver.clone())))
    }

    /// Connects, and lets go again. Over UDP nobody is asked.
    fn reach(&self) -> Result<(), String> {
        Syslog::new(self.receiver.clone()).connect().map_err(|error| error.to_string())
    }

    fn known(&self) -> Option<&'static str> {
        Some(self.receiver.address.known())
    }

    /// A message, whole but for what parts it from others in a stream.
    fn put(&self, out: &mut Vec<u8>, _: &str, stream: Stream, item: &Item<'_>, line: &str) {
        self.header.put(out, self.facility, stream, item.time());
        out.extend_from_slice(line.as_bytes());
        // In a stream it is put there as messages are sent.
        if matches!(self.receiver.address, SyslogAddress::Udp(_)) && self.receiver.framing == Some(Framing::Nul) {
            out.push(0);
        }
    }

    fn yaml(&self) -> Option<String> {
        // A text of JSON is one of YAML as well.
        let address = serde_json::Value::from(self.receiver.place());
        let mut out = format!("type: {}\naddress: {address}\n", VARIANT.name);
        // Writing to a string does not fail.
        let _ = write!(out, "facility: {}\nprotocol: {}\n", self.facility.word(), self.header.word());
        if self.receiver.framing != Self::framing(&self.receiver.address) {
            let _ = writeln!(out, "framing: {}", self.receiver.framing.map_or("none", Framing::word));
        }
        Some(out)
    }
}
