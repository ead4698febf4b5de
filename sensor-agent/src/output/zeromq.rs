//! The `zeromq` output and sink: each alert, and each row, is a message of its topic and its text, or of a message of
//! `proto/`. ZeroMQ confirms nothing, so nothing is spooled.

mod encoding;

use std::sync::Arc;

use delivery::{
    cause::Cause,
    lane::queue::{Deliver, Delivery, Failure, Load as _},
    ledger::Ledger,
    outcome::Outcome,
    receivers::zeromq::{self, Frames, Handed, KNOWN, Port},
};
use settings::words;

use self::encoding::RowEncoder;
use crate::output::{
    format::RowFormat,
    queued::QueuedAlert,
    render::Renderer,
    rows::{QueuedRows, RowBatch},
};

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
    pub socket: zeromq::ZeromqSettings,
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
            port: Port::open(&settings.socket)?,
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
            port: Port::open(&settings.socket)?,
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
