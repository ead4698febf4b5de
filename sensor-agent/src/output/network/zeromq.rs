//! The `zeromq` output and sink: each alert, and each row, is a message of two frames, its topic and its text.
//!
//! ```text
//! alert, row ─▶ topic + JSON or protobuf ─▶ socket ─┬─▶ queue ─▶ connection ─▶ subscriber
//!                                                   └─▶ queue ─▶ connection ─▶ subscriber
//! ```
//!
//! ZeroMQ confirms nothing, so nothing is spooled. `pub`: who is there and has subscribed gets it; each subscriber has a
//! queue of `high_water_mark` messages and of a share of the memory, and what a slow one has no room for is lost to it
//! and counted. `push`: one of
//! the receivers gets it; without one, everything waits in the output's own queue.
//!
//! The protocol is in [`wire`], not from the crate `zeromq` (0.7): that keeps 100,000 messages for each subscriber
//! without a way to say less, drops what goes beyond without a count, ends a connection whose other end asks for
//! heartbeats, does not see that a `PULL` socket has left, and does not connect again. What is needed of the protocol
//! is its handshake and its framing.

mod bind;
mod encoding;
mod endpoint;
#[cfg(feature = "fuzzing")]
pub(in crate::output) mod fuzzing;
mod parcel;
mod peer;
mod room;
mod socket;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use settings::words;

pub(crate) use self::endpoint::ENDPOINT;
pub use self::endpoint::ZeromqEndpoint;
use delivery::{
    cause::Cause,
    lane::queue::{Deliver, Delivery, Failure, Load as _},
    ledger::Ledger,
    outcome::Outcome,
};

use self::{
    encoding::RowEncoder,
    parcel::Frames,
    socket::{Address, Published, Socket},
};
use crate::output::{
    format::RowFormat,
    queued::QueuedAlert,
    render::Renderer,
    rows::{QueuedRows, RowBatch},
};

/// What is known of a message that was handed over, for people.
const KNOWN: &str = "on its way to receivers (ZeroMQ confirms nothing)";

words! {
    /// How a ZeroMQ socket hands out messages.
    pub ZeromqPattern {
        /// To every subscriber that is there.
        Pub = "pub",
        /// To one of the peers in turn.
        Push = "push",
    }
}

words! {
    /// What a ZeroMQ message holds beside its topic.
    pub ZeromqEncoding {
        /// Of an alert what its template or format makes of it, of a row its JSON.
        Json = "json",
        /// The messages of `proto/`.
        Protobuf = "protobuf",
    }
}

/// A `zeromq` output or sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZeromqSettings {
    pub endpoint: ZeromqEndpoint,
    pub pattern: ZeromqPattern,
    /// Whether to bind rather than connect.
    pub bind: bool,
    /// Messages that wait for one receiver at most.
    pub high_water_mark: usize,
    pub topics: Topics,
    pub encoding: ZeromqEncoding,
}

/// What stands in the first frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topics {
    /// The same for all.
    One(String),
    /// Of each table; its name where none is given.
    Tables(Vec<(&'static str, String)>),
}

impl Topics {
    fn of<'a>(&'a self, table: &'a str) -> &'a str {
        match self {
            Self::One(topic) => topic,
            Self::Tables(topics) => {
                topics.iter().find(|(name, _)| *name == table).map_or(table, |(_, topic)| topic.as_str())
            }
        }
    }
}

impl ZeromqSettings {
    fn open(&self) -> std::io::Result<Arc<Socket>> {
        let Self { endpoint, pattern, bind, .. } = self;
        Socket::open(Address { endpoint: endpoint.clone(), pattern: *pattern, bind: *bind }, self.high_water_mark)
    }
}

/// Where messages go, with the accounts of it.
struct Port {
    socket: Arc<Socket>,
    pattern: ZeromqPattern,
    /// For what is lost after it was handed over; none before the output starts.
    ledger: Option<Arc<Ledger>>,
}

/// What became of a message, or why it has to wait.
enum Handed {
    Sent,
    Lost(Cause),
}

impl Port {
    fn open(settings: &ZeromqSettings) -> std::io::Result<Self> {
        Ok(Self { socket: settings.open()?, pattern: settings.pattern, ledger: None })
    }

    fn start(&mut self, ledger: &Arc<Ledger>) {
        self.socket.account(ledger);
        self.ledger = Some(Arc::clone(ledger));
    }

    /// Hands a message over and counts it.
    fn send(&self, topic: &str, frames: &Frames, ledger: &Ledger) -> Result<Handed, Failure> {
        let Some(owner) = &self.ledger else { return Err(Failure::Retry("the output has not started".to_owned())) };
        match self.pattern {
            ZeromqPattern::Push => match self.socket.push(frames, owner) {
                Ok(()) => {
                    ledger.sent(1);
                    Ok(Handed::Sent)
                }
                Err(reason) => Err(Failure::Retry(reason.to_owned())),
            },
            ZeromqPattern::Pub => {
                let Published { taken, missed } = self.socket.publish(topic.as_bytes(), frames, owner);
                ledger.dropped(Cause::HighWater, missed, "subscribers are slower than what comes in: high_water_mark");
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
        }
    }
}

/// Sends alerts.
pub(crate) struct ZeromqAlerts {
    port: Port,
    topic: String,
    renderer: Renderer,
    encoding: ZeromqEncoding,
    /// Of the first alert, if it had to wait.
    ready: Option<Frames>,
}

impl ZeromqAlerts {
    /// Opens the socket.
    ///
    /// # Errors
    ///
    /// If it cannot listen where it is to.
    pub(crate) fn open(renderer: Renderer, settings: &ZeromqSettings) -> std::io::Result<Self> {
        Ok(Self {
            port: Port::open(settings)?,
            topic: settings.topics.of("alerts").to_owned(),
            renderer,
            encoding: settings.encoding,
            ready: None,
        })
    }

    /// Sends one alert, and tells what became of it.
    fn send(&mut self, item: &QueuedAlert, ledger: &Ledger) -> Result<Outcome, Failure> {
        let frames = match self.ready.take() {
            Some(frames) => frames,
            None => match encoding::alert(&self.topic, self.encoding, &self.renderer, &item.alert, ledger) {
                Ok(Some(frames)) => frames,
                Ok(None) => {
                    ledger.filtered();
                    return Ok(Outcome::Empty);
                }
                Err(error) => {
                    ledger.dropped(Cause::Unfit, 1, &error.to_string());
                    ledger.passed(1);
                    return Ok(Outcome::Dropped(Cause::Unfit));
                }
            },
        };
        match self.port.send(&self.topic, &frames, ledger) {
            Ok(Handed::Sent) => Ok(Outcome::HandedOver(KNOWN)),
            Ok(Handed::Lost(cause)) => Ok(Outcome::Dropped(cause)),
            Err(failure) => {
                self.ready = Some(frames);
                Err(failure)
            }
        }
    }
}

impl Deliver<QueuedAlert> for ZeromqAlerts {
    fn start(&mut self, ledger: &Arc<Ledger>) {
        self.port.start(ledger);
    }

    fn deliver(&mut self, items: &mut [QueuedAlert], ledger: &Ledger) -> Delivery {
        let Some(item) = items.first() else { return Delivery::default() };
        match self.send(item, ledger) {
            Ok(outcome) => item.tell(&ledger.name, &outcome),
            Err(failure) => return Delivery { done: 0, failure: Some(failure) },
        }
        Delivery { done: 1, failure: None }
    }

    fn reset(&mut self) {
        self.ready = None;
    }
}

/// Sends rows.
pub(crate) struct ZeromqRows {
    port: Port,
    topics: Topics,
    encoder: RowEncoder,
}

impl ZeromqRows {
    /// Opens the socket.
    ///
    /// # Errors
    ///
    /// If it cannot listen where it is to.
    pub(crate) fn open(settings: &ZeromqSettings, format: RowFormat) -> std::io::Result<Self> {
        Ok(Self {
            port: Port::open(settings)?,
            topics: settings.topics.clone(),
            encoder: RowEncoder::new(settings.encoding, format),
        })
    }

    fn send(&mut self, rows: &mut QueuedRows, ledger: &Ledger) -> Result<(), Failure> {
        let batch = Arc::clone(&rows.batch);
        let RowBatch { table, events, host } = &*batch;
        let topic = self.topics.of(table.name);
        for event in &events[rows.from..] {
            match self.encoder.row(topic, table, event, host, ledger.budget()) {
                Ok(frames) => {
                    self.port.send(topic, &frames, ledger)?;
                }
                Err(error) => {
                    ledger.dropped(Cause::Unfit, 1, &error.to_string());
                    ledger.passed(1);
                }
            }
            rows.from += 1;
        }
        Ok(())
    }
}

impl Deliver<QueuedRows> for ZeromqRows {
    fn start(&mut self, ledger: &Arc<Ledger>) {
        self.port.start(ledger);
    }

    fn deliver(&mut self, items: &mut [QueuedRows], ledger: &Ledger) -> Delivery {
        let Some(rows) = items.first_mut() else { return Delivery::default() };
        match self.send(rows, ledger) {
            Ok(()) => Delivery { done: 1, failure: None },
            Err(failure) => Delivery { done: 0, failure: Some(failure) },
        }
    }

    fn reset(&mut self) {}
}
