//! A ZeroMQ socket, as the keys of an output or a sink describe it, and what goes there.

use delivery::receivers::zeromq::{self, keys};
use diagnostic::Report;
use settings::Section;

use crate::output::ZeromqEncoding;

/// A ZeroMQ socket, and what goes there.
#[derive(Clone, Debug)]
pub struct ZeromqSettings {
    pub socket: zeromq::ZeromqSettings,
    /// The topic of all messages; none where each table has its own.
    pub topic: Option<String>,
    pub encoding: ZeromqEncoding,
}

/// Takes the socket of an output or a sink.
pub(crate) fn read(section: &Section<'_>, topic: Option<String>, report: &mut Report) -> Option<ZeromqSettings> {
    let socket = keys::read(section, report)?;
    Some(ZeromqSettings { socket, topic, encoding: section.get("encoding")? })
}
