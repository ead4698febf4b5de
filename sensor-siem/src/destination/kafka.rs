//! A topic of a Kafka cluster, and what its records are keyed by.

use std::io;

use delivery::{
    receivers::kafka::{Kafka, KafkaSettings, keys},
    remote::Remote,
};
use diagnostic::Report;
use settings::{Key, Kind, Node, Section, Variant, Word as _};

use super::{
    Receiver,
    http::{self, AGENT},
    tls::{self, CA_FILE, CERT_FILE, KEY_FILE},
};
use crate::item::Item;

pub(super) const VARIANT: Variant = Variant {
    name: "kafka",
    keys: KEYS,
    doc: "A topic of a Kafka cluster. A record is a line, with the tenant or the id as its key and, in the header `id`, what \
     is the same each time the same item is sent. A page counts as handed over once all replicas that are in step \
     have it (`acks=all`); where a connection breaks before that is known, records can come twice.",
};

const KEYS: &[Key] = &[
    keys::BROKERS,
    keys::TOPIC,
    Key::new(
        "key",
        Kind::Word(KafkaKey::WORDS),
        "tenant",
        "The key of each record: those of a tenant stay in order, or, by their `id`, they are spread over all partitions.",
    ),
    keys::GZIP,
    keys::TIMEOUT,
    keys::TLS,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    keys::SASL_MECHANISM,
    keys::SASL_USERNAME,
    keys::SASL_PASSWORD,
    keys::SASL_PASSWORD_FILE,
];

settings::words! {
    /// What a record's key is.
    pub KafkaKey {
        /// Those of a tenant stay in order.
        Tenant = "tenant",
        /// They are spread over all partitions.
        Id = "id",
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaOutput {
    pub topic: KafkaSettings,
    pub key: KafkaKey,
}

/// Takes the topic.
pub(super) fn read(section: &Section<'_>, _: &Node, report: &mut Report) -> Option<KafkaOutput> {
    let topic = keys::read(section, AGENT, report, |is_encrypted, report| {
        tls::read(section, (!is_encrypted).then_some("brokers with `tls: false`"), report)
    })?;
    Some(KafkaOutput { topic, key: section.get("key")? })
}

impl Receiver for KafkaOutput {
    fn place(&self) -> String {
        self.topic.place()
    }

    fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(Box::new(Kafka::new(&self.topic)?))
    }

    fn reach(&self) -> Result<(), String> {
        http::reached(Kafka::new(&self.topic).map(|mut client| client.reach()))
    }

    /// An item without an id has no key of its own.
    fn put_key(&self, out: &mut Vec<u8>, tenant: &str, item: &Item<'_>) {
        out.extend_from_slice(match self.key {
            KafkaKey::Tenant => tenant.as_bytes(),
            KafkaKey::Id => item.id().unwrap_or_default().as_bytes(),
        });
    }
}
