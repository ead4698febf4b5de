//! Receivers of the network.

use std::{fmt, io};

use delivery::{
    receivers::{
        kafka::Kafka,
        splunk::{Splunk, SplunkSettings},
        webhook::{Webhook, WebhookSettings},
        zeromq,
    },
    remote::{Remote, Setback},
};

use super::{
    kafka::KafkaOutput,
    parquet::{self, ParquetOutput},
    splunk,
    syslog::SyslogOutput,
    zeromq::ZeromqOutput,
};
use crate::item::{Item, Stream};

/// One of them. It takes messages one by one, each known by an id, and not lines of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    Syslog(SyslogOutput),
    Splunk(Box<SplunkSettings>),
    Webhook(Box<WebhookSettings>),
    Zeromq(ZeromqOutput),
    Parquet(ParquetOutput),
    Kafka(Box<KafkaOutput>),
}

impl Receiver {
    /// What speaks to it.
    ///
    /// # Errors
    /// It cannot be spoken to with these settings.
    pub fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(match self {
            Self::Syslog(output) => output.remote(),
            Self::Splunk(settings) => Box::new(Splunk::new(settings)?),
            Self::Webhook(settings) => Box::new(Webhook::new(settings)?),
            Self::Zeromq(output) => output.remote()?,
            Self::Parquet(output) => output.remote()?,
            Self::Kafka(output) => Box::new(Kafka::new(&output.topic)?),
        })
    }

    /// Whether it is there and trusted, as far as that can be found out without sending it anything.
    ///
    /// # Errors
    /// Why it is not.
    pub fn reach(&self) -> Result<(), String> {
        let unfit = |error: io::Error| error.to_string();
        let told = |setback: Setback| setback.reason;
        match self {
            Self::Syslog(output) => output.reach().map_err(unfit),
            Self::Splunk(settings) => Splunk::new(settings).map_err(unfit)?.reach().map_err(told),
            Self::Webhook(settings) => Webhook::new(settings).map_err(unfit)?.reach().map_err(told),
            Self::Zeromq(output) => output.reach().map_err(unfit),
            Self::Parquet(output) => output.reach(),
            Self::Kafka(output) => Kafka::new(&output.topic).map_err(unfit)?.reach().map_err(told),
        }
    }

    /// What is known of messages that are handed over, for people; none where the receiver confirms them.
    #[must_use]
    pub fn known(&self) -> Option<&'static str> {
        match self {
            Self::Syslog(output) => Some(output.receiver.address.known()),
            Self::Splunk(settings) if !settings.ack => Some("taken by the collector, which may not have indexed it"),
            Self::Splunk(_) | Self::Webhook(_) | Self::Parquet(_) | Self::Kafka(_) => None,
            Self::Zeromq(_) => Some(zeromq::KNOWN),
        }
    }

    /// Appends the key of an item's message, for receivers that have such.
    pub fn put_key(&self, out: &mut Vec<u8>, tenant: &str, item: &Item) {
        if let Self::Kafka(output) = self {
            output.put_key(out, tenant, item);
        }
    }

    /// Appends the message that an item becomes, and its line.
    pub fn put(&self, out: &mut Vec<u8>, tenant: &str, stream: Stream, item: &Item, line: &str) {
        match self {
            Self::Syslog(output) => output.put(out, stream, item.time(), line),
            Self::Splunk(settings) => splunk::put(settings, out, item, line),
            Self::Webhook(_) | Self::Zeromq(_) | Self::Kafka(_) => out.extend_from_slice(line.as_bytes()),
            Self::Parquet(_) => parquet::put(out, tenant, stream, item),
        }
    }
}

/// As it is told.
impl fmt::Display for Receiver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&match self {
            Self::Syslog(output) => output.receiver.place(),
            Self::Splunk(settings) => settings.place(),
            Self::Webhook(settings) => settings.place(),
            Self::Zeromq(output) => output.socket.endpoint.to_string(),
            Self::Parquet(output) => output.to_string(),
            Self::Kafka(output) => output.topic.place(),
        })
    }
}
