//! A ZeroMQ socket, and the topic that messages have there.

use std::io;

use delivery::{
    receivers::zeromq::{KNOWN, ZeromqSettings, keys, sender},
    remote::Remote,
};
use diagnostic::Report;
use settings::{Key, Kind, Node, Section, Variant};

use super::Receiver;

pub(super) const VARIANT: Variant = Variant {
    name: "zeromq",
    keys: KEYS,
    doc: "ZeroMQ peers. A message has two frames, the `topic` and the line. ZeroMQ confirms nothing: a page counts as \
     handed over once the system has it for each subscriber that keeps up (`pub`), or for one of the peers \
     (`push`). Without anybody there, items wait.",
};

const KEYS: &[Key] = &[
    keys::ENDPOINT,
    keys::PATTERN,
    Key::new("topic", Kind::Text, "items", "The first frame of each message, which subscribers choose by."),
    keys::BIND,
    keys::HIGH_WATER_MARK,
    keys::ALLOW_PLAINTEXT,
];

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZeromqOutput {
    pub socket: ZeromqSettings,
    pub topic: String,
}

/// Takes the socket.
pub(super) fn read(section: &Section<'_>, _: &Node, report: &mut Report) -> Option<ZeromqOutput> {
    Some(ZeromqOutput { socket: keys::read(section, report)?, topic: section.get("topic")? })
}

impl Receiver for ZeromqOutput {
    fn place(&self) -> String {
        self.socket.endpoint.to_string()
    }

    fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(Box::new(sender::Sender::open(&self.socket, &self.topic)?))
    }

    fn reach(&self) -> Result<(), String> {
        sender::reach(&self.socket).map_err(|error| error.to_string())
    }

    fn known(&self) -> Option<&'static str> {
        Some(KNOWN)
    }

    fn socket(&self) -> Option<&ZeromqSettings> {
        Some(&self.socket)
    }
}
