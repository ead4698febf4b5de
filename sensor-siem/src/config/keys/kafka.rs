//! Keys of a topic of Kafka.

use delivery::receivers::kafka::keys as kafka;
use settings::{Key, Kind, Word as _};

use super::{CA_FILE, CERT_FILE, KEY_FILE};
use crate::destination::kafka::KafkaKey;

pub(super) static KAFKA: &[Key] = &[
    kafka::BROKERS,
    kafka::TOPIC,
    Key::new(
        "key",
        Kind::Word(KafkaKey::WORDS),
        "tenant",
        "The key of each record: those of a tenant stay in order, or, by their `id`, they are spread over all partitions.",
    ),
    kafka::GZIP,
    kafka::TIMEOUT,
    kafka::TLS,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    kafka::SASL_MECHANISM,
    kafka::SASL_USERNAME,
    kafka::SASL_PASSWORD,
    kafka::SASL_PASSWORD_FILE,
];
