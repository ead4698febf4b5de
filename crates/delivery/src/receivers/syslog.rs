//! The `syslog` output: over a Unix socket as system loggers take it, and over UDP, TCP and TLS (RFC 5424, 5425, 5426,
//! 6587).
//!
//! Syslog knows no confirmation. What counts as sent is what can be known: over a Unix socket, that the local system took
//! the message; over UDP, that nobody refused it at once; over TCP and TLS, that the receiver's host has acknowledged
//! every byte of it. What the receiving program loses after that, by a crash say, nobody tells us. A receiver over TLS that
//! does not take who we are closes the connection, often only after the handshake: what went out first counts once it has
//! not done so for a while.
//!
//! Nor does it know a refusal for size. A socket says that a datagram is too large; a receiver of a stream closes the
//! connection, each time again. Either gets the message in a shorter form.

mod address;
mod link;
mod words;

use std::{
    io::{self, ErrorKind, Write as _},
    time::Duration,
};

use settings::HostPort;
use uuid::Uuid;

use self::link::Link;
use crate::remote::{Answer, Message, Remote, Setback, Settled};
use crate::tls::TlsSettings;
pub use address::ADDRESS;
pub use address::SyslogAddress;
pub use words::{Facility, Framing, SyslogProtocol};

/// A message that common receivers take as it comes, bytes: rsyslog splits what is longer than 8096 (`maxMessageSize`),
/// syslog-ng takes 64 KiB (`log-msg-size`).
pub const COMMON_BYTES: usize = 8_000;
/// How long a receiver that closes the connection at a long message takes to do so.
const CLOSES_WITHIN: Duration = Duration::from_millis(500);
/// How long a receiver takes that closes a new connection over TLS since it does not take who we are.
const REFUSES_WITHIN: Duration = Duration::from_secs(2);
/// How long it takes to hear that nobody listens at a port of UDP: on the way there it is milliseconds.
const REFUSED_WITHIN: Duration = Duration::from_millis(50);

/// A `syslog` output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogSettings {
    pub receiver: SyslogReceiver,
    /// How messages begin: for whoever makes them.
    pub facility: Facility,
    pub protocol: SyslogProtocol,
}

/// Where messages go, whatever they hold, and how they go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogReceiver {
    pub address: SyslogAddress,
    /// What parts messages in a stream; none if nothing does, so that no reader can part them for sure.
    pub framing: Option<Framing>,
    pub tls: TlsSettings,
    /// The name in the receiver's certificate, where it is not the address's host.
    pub server_name: Option<String>,
}

/// Sends to one receiver; keeps the connection.
pub struct Syslog {
    settings: SyslogReceiver,
    link: Option<Link>,
    /// The receiver has not closed it over who we are.
    is_taken: bool,
    /// A connection broke while it was written to: messages are sent one by one, until all go through.
    one_by_one: bool,
    /// The message at which a connection broke last, where that is known.
    broke_at: Option<Uuid>,
}

impl Syslog {
    pub const fn new(settings: SyslogReceiver) -> Self {
        Self { settings, link: None, is_taken: false, one_by_one: false, broke_at: None }
    }

    /// Connects now if it is not connected, and says whether that can be done. Over UDP nobody is asked.
    ///
    /// # Errors
    ///
    /// If nobody is there, or the other end is not trusted.
    pub fn connect(&mut self) -> io::Result<()> {
        self.link()?;
        self.stays(false)
    }

    fn link(&mut self) -> io::Result<&mut Link> {
        if self.link.as_mut().is_some_and(Link::has_ended) {
            self.link = None;
        }
        match &mut self.link {
            Some(link) => Ok(link),
            none => {
                let link = Link::connect(&self.settings)?;
                self.is_taken = !matches!(link, Link::Tls(_));
                Ok(none.insert(link))
            }
        }
    }

    /// Sends messages; what became of the first of them, and what went wrong.
    fn try_send(&mut self, messages: &[Message<'_>]) -> (Vec<Settled>, Option<io::Error>) {
        let known = self.settings.address.known();
        match self.link() {
            Ok(link) if link.is_stream() => self.write(messages),
            Ok(link) => send(link, known, messages),
            Err(error) => (Vec::new(), Some(error)),
        }
    }

    /// Writes to a stream. All or nothing: which of several messages a broken connection took along cannot be told.
    fn write(&mut self, messages: &[Message<'_>]) -> (Vec<Settled>, Option<io::Error>) {
        let mut settled = Vec::with_capacity(messages.len());
        while settled.len() < messages.len() {
            let rest = &messages[settled.len()..];
            let these = if self.one_by_one { &rest[..1] } else { rest };
            let error = match self.write_together(these) {
                Ok(known) => {
                    settled.resize(settled.len() + these.len(), Settled::HandedOver(known));
                    continue;
                }
                Err(error) => error,
            };
            self.link = None;
            self.one_by_one = true;
            let [message] = these else { return (settled, Some(error)) };
            let again = self.broke_at.replace(message.uuid) == Some(message.uuid);
            if !again || message.body.len() <= COMMON_BYTES {
                return (settled, Some(error));
            }
            let (place, length) = (self.settings.place(), message.body.len());
            settled.push(Settled::TooLarge(format!(
                "{place} closes the connection at a message of {length} bytes ({error})"
            )));
        }
        self.one_by_one = false;
        self.broke_at = None;
        (settled, None)
    }

    /// What is then known of them.
    fn write_together(&mut self, messages: &[Message<'_>]) -> io::Result<&'static str> {
        let mut bytes = Vec::new();
        for message in messages {
            put_frame(&mut bytes, self.settings.framing, message.body);
        }
        let is_long = messages.iter().any(|message| message.body.len() > COMMON_BYTES);
        let link = self.link()?;
        link.write(&bytes)?;
        let known = self.settings.address.known();
        self.stays(is_long)?;
        Ok(known)
    }

    /// Waits whether the receiver closes the connection over who we are, or over a long message.
    fn stays(&mut self, is_long: bool) -> io::Result<()> {
        let Some(link) = &self.link else { return Ok(()) };
        let (within, hint) = match (self.is_taken, is_long) {
            (false, _) => (REFUSES_WITHIN, "; does it trust our certificate?"),
            (true, true) => (CLOSES_WITHIN, ""),
            (true, false) => return Ok(()),
        };
        if link.closes(within)? {
            let reason = format!("the receiver closed the connection{hint}");
            return Err(io::Error::new(ErrorKind::ConnectionAborted, reason));
        }
        self.is_taken = true;
        Ok(())
    }
}

/// Sends a datagram for each message.
fn send(link: &Link, known: &'static str, messages: &[Message<'_>]) -> (Vec<Settled>, Option<io::Error>) {
    let mut settled = Vec::with_capacity(messages.len());
    for message in messages {
        match link.send(message.body) {
            Ok(()) => settled.push(Settled::HandedOver(known)),
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
                let length = message.body.len();
                settled.push(Settled::TooLarge(format!("{length} bytes do not fit a datagram")));
            }
            // Nobody listens at the port: that is told with the message behind the one that came there.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => return (Vec::new(), Some(error)),
            Err(error) => return (settled, Some(error)),
        }
    }
    match link.refused(REFUSED_WITHIN) {
        // Of which it is told nobody says: all are sent again.
        Some(error) => (Vec::new(), Some(error)),
        None => (settled, None),
    }
}

/// Puts a message into a stream (RFC 6587). What would end it early is written as `\\n` or left out.
fn put_frame(out: &mut Vec<u8>, framing: Option<Framing>, message: &[u8]) {
    match framing {
        None => out.extend_from_slice(message),
        Some(Framing::Octets) => {
            // Writing to memory does not fail.
            let _ = write!(out, "{} ", message.len());
            out.extend_from_slice(message);
        }
        Some(Framing::Lf) => {
            for byte in message {
                match byte {
                    b'\n' => out.extend_from_slice(b"\\n"),
                    byte => out.push(*byte),
                }
            }
            out.push(b'\n');
        }
        Some(Framing::Nul) => {
            out.extend(message.iter().filter(|byte| **byte != 0));
            out.push(0);
        }
    }
}

impl Remote for Syslog {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        let (settled, error) = self.try_send(messages);
        let setback = error.map(|error| {
            self.link = None;
            let place = self.settings.place();
            let lasting = error.kind() == ErrorKind::InvalidData;
            Setback { reason: format!("cannot send to {place}: {error}{}", hint(&error)), wait: None, lasting }
        });
        Answer { settled, setback }
    }

    fn confirms(&self) -> bool {
        false
    }
}

impl SyslogReceiver {
    /// For messages.
    pub fn place(&self) -> String {
        let at = |scheme: &str, HostPort { host, port }: &HostPort| match host.contains(':') {
            true => format!("{scheme}://[{host}]:{port}"),
            false => format!("{scheme}://{host}:{port}"),
        };
        match &self.address {
            SyslogAddress::Unix(path) => path.display().to_string(),
            SyslogAddress::Udp(to) => at("udp", to),
            SyslogAddress::Tcp(to) => at("tcp", to),
            SyslogAddress::Tls(to) => at("tls", to),
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => "; does the receiver run?",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "; is a firewall in between, or is the receiver stuck?",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
