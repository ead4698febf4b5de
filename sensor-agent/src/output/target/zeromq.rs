//! The `zeromq` output and sink: each alert, and each row, is a message of its topic and its text, or of a message of
//! `proto/`. ZeroMQ confirms nothing, so nothing is spooled.

mod encoding;

use std::sync::Arc;

use delivery::{
    cause::Cause,
    worker::queue::{Deliver, Delivery, Failure, Load as _},
    ledger::Ledger,
    outcome::Outcome,
    receivers::zeromq::{self, Frames, Handed, KNOWN, Port, keys},
};
use diagnostic::Report;
use settings::{Key, Kind, Variant, Word as _, words};

use self::encoding::RowEncoder;
use super::{Elsewhere, Given, Opened, Socket, Target, keys::ROW_FORMAT};
use crate::output::{
    format::RowFormat,
    queued::QueuedAlert,
    render::Renderer,
    rows::{QueuedRows, RowBatch},
    settings::{OutputSettings, SinkSettings},
};

pub(super) const OUTPUT: Variant = Variant {
    name: "zeromq",
    keys: &[
        keys::ENDPOINT,
        keys::PATTERN,
        Key::new("topic", Kind::Text, "alerts", "The topic that subscribers ask for."),
        keys::BIND,
        keys::HIGH_WATER_MARK,
        ENCODING,
        keys::ALLOW_PLAINTEXT,
    ],
    doc: "ZeroMQ peers.",
};

pub(super) const SINK: Variant = Variant {
    keys: &[
        keys::ENDPOINT,
        keys::PATTERN,
        keys::BIND,
        keys::HIGH_WATER_MARK,
        ENCODING,
        keys::ALLOW_PLAINTEXT,
        ROW_FORMAT,
    ],
    doc: "ZeroMQ peers; the topic is the table's, or its name.",
    ..OUTPUT
};

const ENCODING: Key = Key::new(
    "encoding",
    Kind::Word(ZeromqEncoding::WORDS),
    "json",
    "What a message holds beside its topic: text, or the messages of `proto/`.",
);

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
pub(crate) struct ZeromqSettings {
    pub socket: zeromq::ZeromqSettings,
    pub topics: Topics,
    pub encoding: ZeromqEncoding,
}

/// What stands in the first frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topics {
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

pub(super) fn output(given: &Given<'_>, _: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    let topics = Topics::One(given.section.get("topic")?);
    Some(Arc::new(read(given, topics, "an alert", &["format", "template"], report)?))
}

pub(super) fn sink(given: &Given<'_>, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    let topics = Topics::Tables(elsewhere.topics.clone());
    Some(Arc::new(read(given, topics, "a row", &["format"], report)?))
}

fn read(
    given: &Given<'_>,
    topics: Topics,
    what: &str,
    decided: &[&str],
    report: &mut Report,
) -> Option<ZeromqSettings> {
    let section = &given.section;
    let socket = keys::read(section, report)?;
    let encoding = section.get("encoding")?;
    if encoding == ZeromqEncoding::Protobuf {
        for (key, span) in decided.iter().filter_map(|key| Some((key, section.span(key)?))) {
            report
                .error(span, format!("`{key}` and `encoding: protobuf` exclude each other"))
                .help(format!("the message of {what} is always the same; leave one of the two out"));
        }
    }
    Some(ZeromqSettings { socket, topics, encoding })
}

impl Target for ZeromqSettings {
    fn kind(&self) -> &'static str {
        OUTPUT.name
    }

    fn place(&self) -> String {
        self.socket.endpoint.to_string()
    }

    fn has_topics(&self) -> bool {
        true
    }

    fn socket(&self) -> Option<&Socket> {
        Some(&self.socket)
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        Ok(Box::new(ZeromqAlerts::open(output.renderer(), self)?))
    }

    fn rows(&self, sink: &SinkSettings) -> Opened<QueuedRows> {
        Ok(Box::new(ZeromqRows::open(self, sink.format)?))
    }
}

/// Sends alerts.
struct ZeromqAlerts {
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
    fn open(renderer: Renderer, settings: &ZeromqSettings) -> std::io::Result<Self> {
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
struct ZeromqRows {
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
    fn open(settings: &ZeromqSettings, format: RowFormat) -> std::io::Result<Self> {
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
