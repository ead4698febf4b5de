//! A ZeroMQ socket, and the topic that messages have there.

use std::io;

use delivery::{
    receivers::zeromq::{ZeromqSettings, sender},
    remote::Remote,
};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZeromqOutput {
    pub socket: ZeromqSettings,
    pub topic: String,
}

impl ZeromqOutput {
    /// What speaks to its receivers.
    ///
    /// # Errors
    /// It cannot listen where it is to.
    pub fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(Box::new(sender::Sender::open(&self.socket, &self.topic)?))
    }

    /// Whether there can be such a socket.
    ///
    /// # Errors
    /// Nobody listens where it is to connect to, or it cannot listen where it is to.
    pub fn reach(&self) -> io::Result<()> {
        sender::reach(&self.socket)
    }
}
