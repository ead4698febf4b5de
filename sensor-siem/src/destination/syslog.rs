//! A syslog receiver, and what messages to it look like.

use std::io;

use delivery::{
    receivers::syslog::{Framing, Syslog, SyslogAddress, SyslogReceiver},
    remote::Remote,
};

use crate::{
    format::syslog::{Facility, Header},
    item::Stream,
};

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

    /// What speaks to it.
    #[must_use]
    pub fn remote(&self) -> Box<dyn Remote> {
        Box::new(Syslog::new(self.receiver.clone()))
    }

    /// Connects, and lets go again: whether that can be done. Over UDP nobody is asked.
    ///
    /// # Errors
    /// Nobody is there, or it is not trusted.
    pub fn reach(&self) -> io::Result<()> {
        Syslog::new(self.receiver.clone()).connect()
    }

    /// Appends a message, whole but for what parts it from others in a stream.
    pub fn put(&self, out: &mut Vec<u8>, stream: Stream, time: Option<&str>, line: &str) {
        self.header.put(out, self.facility, stream, time);
        out.extend_from_slice(line.as_bytes());
        // In a stream it is put there as messages are sent.
        if matches!(self.receiver.address, SyslogAddress::Udp(_)) && self.receiver.framing == Some(Framing::Nul) {
            out.push(0);
        }
    }
}
