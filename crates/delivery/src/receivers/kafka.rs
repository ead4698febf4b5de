//! A topic of a Kafka cluster.
//!
//! A message is a record: its key, its body, and its id as the header `id`, the same each time it is sent. It counts as
//! handed over once all replicas that are in step have it (`acks=all`). The client is not an idempotent producer: where a
//! connection breaks before the acknowledgement comes, records can be there twice. Which partition a key goes to is as
//! Kafka's own producers have it, so that what others write under the same keys is beside it.
//!
//! The client is behind the feature `kafka`. Without it all settings are known, and say that they cannot be used.

#[cfg(feature = "kafka")]
mod client;
pub mod keys;
mod partition;

use std::{io, time::Duration};

use secrecy::{ExposeSecret as _, SecretString};
use settings::HostPort;

use crate::{
    remote::{Answer, Message, Remote, Setback},
    tls::TlsSettings,
};

/// A topic, and how its brokers are spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSettings {
    /// What brokers are told that sends.
    pub agent: &'static str,
    /// Some of the cluster's: they name the others.
    pub brokers: Vec<HostPort>,
    pub topic: String,
    /// Whether records are compressed.
    pub gzip: bool,
    /// How long a request may take.
    pub timeout: Duration,
    /// None for connections without encryption.
    pub tls: Option<TlsSettings>,
    pub sasl: Option<Sasl>,
}

/// Who we are, by SASL.
#[derive(Clone, Debug)]
pub struct Sasl {
    pub mechanism: SaslMechanism,
    pub username: String,
    pub password: SecretString,
}

impl PartialEq for Sasl {
    fn eq(&self, other: &Self) -> bool {
        (self.mechanism, &self.username, self.password.expose_secret())
            == (other.mechanism, &other.username, other.password.expose_secret())
    }
}

impl Eq for Sasl {}

settings::words! {
    /// How brokers are shown who we are.
    pub SaslMechanism {
        Plain = "plain",
        ScramSha256 = "scram-sha-256",
        ScramSha512 = "scram-sha-512",
    }
}

impl KafkaSettings {
    /// For messages.
    #[must_use]
    pub fn place(&self) -> String {
        format!("the topic {} at {}", self.topic, self.addresses().join(", "))
    }

    fn addresses(&self) -> Vec<String> {
        let at = |HostPort { host, port }: &HostPort| match host.contains(':') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        };
        self.brokers.iter().map(at).collect()
    }
}

/// Whether this build has the client.
pub const IS_BUILT: bool = cfg!(feature = "kafka");

/// Sends to a topic.
pub struct Kafka {
    #[cfg(feature = "kafka")]
    client: client::Client,
    #[cfg(not(feature = "kafka"))]
    never: std::convert::Infallible,
}

#[cfg(feature = "kafka")]
impl Kafka {
    /// Connects when there is something to send.
    ///
    /// # Errors
    /// A file of certificates cannot be used, or there can be no more descriptors.
    pub fn new(settings: &KafkaSettings) -> io::Result<Self> {
        Ok(Self { client: client::Client::new(settings)? })
    }

    /// Whether a broker is there, takes who we are, and knows the topic.
    ///
    /// # Errors
    /// Why not.
    pub fn reach(&mut self) -> Result<(), Setback> {
        self.client.reach()
    }
}

#[cfg(not(feature = "kafka"))]
impl Kafka {
    /// # Errors
    /// It cannot be sent: this build has no client.
    pub fn new(_: &KafkaSettings) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this program was built without a client for Kafka"))
    }

    /// # Errors
    /// Never asked.
    pub fn reach(&mut self) -> Result<(), Setback> {
        match self.never {}
    }
}

impl Remote for Kafka {
    fn send(&mut self, messages: &[Message<'_>]) -> Answer {
        #[cfg(feature = "kafka")]
        return self.client.send(messages);
        #[cfg(not(feature = "kafka"))]
        match (self.never, messages) {}
    }

    /// A broker takes a mebibyte at once, unless it is told otherwise.
    fn bounds(&self) -> (usize, usize) {
        (1000, 900_000)
    }
}
