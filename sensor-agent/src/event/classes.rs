//! What each class of events has of its own: the fields that only its events have, its records, how an event is made that is
//! written down by hand, and what an alert says of one. A new class is a file here, and its line in [`CLASSES`].

mod audit;
mod bpf;
mod module;
mod process;
mod sensor;

use schema::EventType;

use super::build::Draft;
use super::decode::DecodeError;
use super::fields::Field;
use super::{Detail, Event};

/// One class of events.
#[derive(Clone, Copy)]
pub(super) struct Class {
    /// In the order of the schema.
    pub(super) fields: &'static [Field],
    /// Its records, of those that tell who did something, and what.
    pub(super) readers: &'static [Reader],
    /// What is told of an event that is written down by hand besides its process.
    detail: fn(EventType, &mut Draft) -> Detail,
    /// The violation of a policy in one sentence.
    sentence: fn(&Event, &str) -> String,
}

/// A kind of records that begin with a header and an [`Actor`](sensor_ebpf::record::Actor).
pub(super) struct Reader {
    /// One of [`sensor_ebpf::record::kind`].
    pub(super) record: u16,
    pub(super) event: EventType,
    /// Reads what is behind the actor, off the whole record.
    pub(super) detail: fn(&[u8]) -> Result<Detail, DecodeError>,
}

/// Each class, in the order of [`schema::Class::ALL`].
pub(super) const CLASSES: [Class; schema::Class::ALL.len()] =
    [process::CLASS, audit::CLASS, module::CLASS, bpf::CLASS, sensor::CLASS];

impl Class {
    fn of(kind: EventType) -> &'static Self {
        &CLASSES[kind.class() as usize]
    }
}

/// What reads records of this kind.
pub(super) fn reader(record: u16) -> Option<&'static Reader> {
    CLASSES.iter().flat_map(|class| class.readers).find(|reader| reader.record == record)
}

/// What is told of an event that is written down by hand besides its process.
pub(super) fn detail(kind: EventType, draft: &mut Draft) -> Detail {
    (Class::of(kind).detail)(kind, draft)
}

impl Event {
    /// The violation of a policy in one sentence.
    #[must_use]
    pub fn sentence(&self, policy: &str) -> String {
        (Class::of(self.kind).sentence)(self, policy)
    }
}
