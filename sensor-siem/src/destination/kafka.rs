//! A topic of a Kafka cluster, and what its records are keyed by.

use delivery::receivers::kafka::KafkaSettings;

use crate::item::Item;

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

impl KafkaOutput {
    /// Appends the key. An item without an id has none.
    pub fn put_key(&self, out: &mut Vec<u8>, tenant: &str, item: &Item) {
        out.extend_from_slice(match self.key {
            KafkaKey::Tenant => tenant.as_bytes(),
            KafkaKey::Id => item.id().unwrap_or_default().as_bytes(),
        });
    }
}
