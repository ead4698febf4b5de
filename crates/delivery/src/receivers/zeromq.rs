//! A ZeroMQ socket that sends: each message is of two frames, its topic and its body.
//!
//! ```text
//! topic + body ─▶ port ─▶ socket ─┬─▶ queue ─▶ connection ─▶ subscriber
//!                                 └─▶ queue ─▶ connection ─▶ subscriber
//! ```
//!
//! ZeroMQ confirms nothing. `pub`: who is there and has subscribed gets it; each subscriber has a queue of
//! `high_water_mark` messages and of a share of the memory, and what a slow one has no room for is lost to it and counted.
//! `push`: one of the receivers gets it; without one, everything waits with its sender.
//!
//! The protocol is in [`wire`], not from the crate `zeromq` (0.7): that keeps 100,000 messages for each subscriber
//! without a way to say less, drops what goes beyond without a count, ends a connection whose other end asks for
//! heartbeats, does not see that a `PULL` socket has left, and does not connect again. What is needed of the protocol
//! is its handshake and its framing.

mod bind;
mod endpoint;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub mod keys;
mod parcel;
mod peer;
mod room;
pub mod sender;
mod socket;
#[cfg(test)]
mod tests;
mod wire;

use std::{io, sync::Arc};

use settings::words;

use self::socket::{Address, Published, Socket};
pub use self::{endpoint::ZeromqEndpoint, parcel::Frames};
use crate::{cause::Cause, ledger::Ledger, worker::queue::Failure};

/// What is known of a message that was handed over, for people.
pub const KNOWN: &str = "on its way to receivers (ZeroMQ confirms nothing)";

/// Why a subscriber misses messages.
const SLOW: &str = "subscribers are slower than what comes in: high_water_mark";

words! {
    /// How a ZeroMQ socket hands out messages.
    pub ZeromqPattern {
        /// To every subscriber that is there.
        Pub = "pub",
        /// To one of the peers in turn.
        Push = "push",
    }
}

/// A ZeroMQ socket. Those of the same endpoint are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZeromqSettings {
    pub endpoint: ZeromqEndpoint,
    pub pattern: ZeromqPattern,
    /// Whether to bind rather than connect.
    pub bind: bool,
    /// Messages that wait for one receiver at most.
    pub high_water_mark: usize,
}

/// Where messages go, with the accounts of it.
pub struct Port {
    socket: Arc<Socket>,
    pattern: ZeromqPattern,
    /// For what is lost after it was handed over; none before the output starts.
    ledger: Option<Arc<Ledger>>,
}

/// What became of a message that need not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    Sent,
    Lost(Cause),
}

impl Port {
    /// Opens the socket, or joins those who have it open.
    ///
    /// # Errors
    /// It cannot listen there, or there can be no more threads.
    pub fn open(settings: &ZeromqSettings) -> io::Result<Self> {
        let ZeromqSettings { endpoint, pattern, bind, high_water_mark } = settings;
        let address = Address { endpoint: endpoint.clone(), pattern: *pattern, bind: *bind };
        Ok(Self { socket: Socket::open(address, *high_water_mark)?, pattern: *pattern, ledger: None })
    }

    /// From now on messages can be sent, and what is lost after that is counted here.
    pub fn start(&mut self, ledger: &Arc<Ledger>) {
        self.socket.account(ledger);
        self.ledger = Some(Arc::clone(ledger));
    }

    /// Hands a message over and counts it. The topic is that of its first frame.
    ///
    /// # Errors
    /// It has to wait: nobody takes it (`push`), or the output has not started.
    pub fn send(&self, topic: &str, frames: &Frames, ledger: &Ledger) -> Result<Handed, Failure> {
        let Published { taken, missed } = self.try_send(topic, frames).map_err(Failure::Retry)?;
        ledger.dropped(Cause::HighWater, missed, SLOW);
        if taken > 0 {
            ledger.sent(1);
            Ok(Handed::Sent)
        } else if missed > 0 {
            ledger.passed(1);
            Ok(Handed::Lost(Cause::HighWater))
        } else {
            ledger.unheard(1);
            Ok(Handed::Lost(Cause::NoReceiver))
        }
    }

    /// Puts a message into the queues of its receivers, and counts nothing.
    fn try_send(&self, topic: &str, frames: &Frames) -> Result<Published, String> {
        let Some(owner) = &self.ledger else { return Err("the output has not started".to_owned()) };
        match self.pattern {
            ZeromqPattern::Push => {
                self.socket.push(frames, owner)?;
                Ok(Published { taken: 1, missed: 0 })
            }
            ZeromqPattern::Pub => Ok(self.socket.publish(topic.as_bytes(), frames, owner)),
        }
    }
}
