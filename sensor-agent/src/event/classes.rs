//! What each class of events has of its own: the fields that only its events have, how one is made that is written down by
//! hand, and what an alert says of it. A new class is a file here, and its line in each of these.

mod audit;
mod process;
mod sensor;

use schema::{Class, EventType};

use super::build::Draft;
use super::fields::Field;
use super::{Detail, Event};

/// The fields of each class, in the order of [`Class::ALL`].
pub(super) const FIELDS: [&[Field]; Class::ALL.len()] = [process::FIELDS, audit::FIELDS, sensor::FIELDS];

/// What is told of an event that is written down by hand besides its process.
pub(super) fn detail(kind: EventType, draft: &mut Draft) -> Detail {
    match kind.class() {
        Class::Process => process::detail(kind, draft),
        Class::Audit => audit::detail(kind, draft),
        Class::Sensor => sensor::detail(kind, draft),
    }
}

impl Event {
    /// The violation of a policy in one sentence.
    #[must_use]
    pub fn sentence(&self, policy: &str) -> String {
        match self.kind.class() {
            Class::Process => process::sentence(self, policy),
            Class::Audit => audit::sentence(self, policy),
            Class::Sensor => sensor::sentence(self, policy),
        }
    }
}
