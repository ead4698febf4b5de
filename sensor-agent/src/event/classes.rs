//! What each class of events has of its own: the fields that only its events have, its records, how an event is made that is
//! written down by hand, and what an alert says of one. A new class is a file here, and its line in [`CLASSES`].

mod audit;
mod bpf;
mod bpf_calls;
mod container;
mod containment;
mod crash;
mod credentials;
mod file;
mod kexec;
mod memory;
mod module;
mod network;
mod perf;
mod process;
mod raw_socket;
mod sensor;
mod sysctl;
mod target;
mod tracing;
mod unix_socket;
mod uring;
mod user_helper;

use schema::EventType;
use sensor_ebpf::record;

use super::build::Draft;
use super::decode::{DecodeError, fixed};
use super::fields::Field;
use super::json::lossless;
use super::{Detail, Event, Own};

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
    /// Bytes of such a record.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests make records of each kind"))]
    pub(super) size: usize,
    /// Reads what is behind the actor, off the whole record.
    pub(super) detail: fn(&[u8]) -> Result<Detail, DecodeError>,
}

/// Each class, in the order of [`schema::Class::ALL`].
pub(super) const CLASSES: [Class; schema::Class::ALL.len()] = [
    process::CLASS,
    audit::CLASS,
    module::CLASS,
    bpf::CLASS,
    credentials::CLASS,
    tracing::CLASS,
    network::CLASS,
    containment::CLASS,
    file::CLASS,
    memory::CLASS,
    crash::CLASS,
    sysctl::CLASS,
    uring::CLASS,
    perf::CLASS,
    kexec::CLASS,
    bpf_calls::CLASS,
    raw_socket::CLASS,
    unix_socket::CLASS,
    user_helper::CLASS,
    container::CLASS,
    sensor::CLASS,
];

/// What a process did, as one kind of records tells it and one kind of events has it.
pub(super) trait Act: Own + Default {
    type Record: record::Act;
    const EVENT: EventType;

    /// What the record tells besides who did it.
    fn read(record: &Self::Record) -> Self;

    /// What was done, as a sentence about the program without its end: *Program /bin/kmod loaded …*.
    fn sentence(&self, program: &str) -> String;
}

impl Class {
    /// A class of one kind of events, which one kind of records tells.
    const fn of_act<T: Act>(fields: &'static [Field]) -> Self {
        Self {
            fields,
            readers: const { &[reader::<T>()] },
            detail: |_, draft| draft.taken::<T>(),
            sentence: |event, policy| told_as::<T>(event, policy).unwrap_or_else(|| violated(event, policy)),
        }
    }

    fn of(kind: EventType) -> &'static Self {
        &CLASSES[kind.class() as usize]
    }
}

/// What reads records of this sort.
const fn reader<T: Act>() -> Reader {
    Reader {
        record: <T::Record as record::Act>::KIND,
        event: T::EVENT,
        size: size_of::<T::Record>(),
        detail: |bytes| Ok(Detail::own(T::read(&fixed(bytes)?))),
    }
}

/// The sentence about an event that is an act of this sort.
fn told_as<T: Act>(event: &Event, policy: &str) -> Option<String> {
    let act = event.detail.as_own::<T>()?;
    Some(format!("{}; policy {policy}", act.sentence(&lossless(&event.process.image.path))))
}

/// The sentence about one of which no more is known.
fn violated(event: &Event, policy: &str) -> String {
    format!("Program {} violated policy {policy}", lossless(&event.process.image.path))
}

/// What reads the records of acts.
pub(super) fn readers() -> impl Iterator<Item = &'static Reader> {
    CLASSES.iter().flat_map(|class| class.readers)
}

/// What is told of an event that is written down by hand besides its process.
pub(super) fn detail(kind: EventType, draft: &mut Draft) -> Detail {
    (Class::of(kind).detail)(kind, draft)
}

impl Draft {
    /// What the event's class has of its own, of an event that is likely to be of that kind.
    fn act<T: Act>(&mut self) -> &mut T {
        self.likely(T::EVENT);
        self.part()
    }

    /// What was said of it.
    fn taken<T: Act>(&mut self) -> Detail {
        Detail::own(std::mem::take(self.part::<T>()))
    }
}

impl Event {
    /// The violation of a policy in one sentence.
    #[must_use]
    pub fn sentence(&self, policy: &str) -> String {
        (Class::of(self.kind).sentence)(self, policy)
    }
}
