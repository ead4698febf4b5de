//! A field, and how it is read and set.

use std::ops::Deref;

use schema::{Class, Owner};

use crate::event::build::{Draft, Fault, Given};
use crate::event::{Event, Host, Process, Value};

/// One field: what the schema says of it, how it is read off an event, and how it is set in one that is written down by hand.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    facts: &'static schema::Field,
    get: Get,
    set: Set,
}

/// How a field is read.
#[derive(Clone, Copy, Debug)]
enum Get {
    Process(OfProcess),
    /// Likewise, but that events of some classes have one of their own.
    Subject(OfSubject, OfProcess),
    /// Of an event of one class.
    Event(Class, OfEvent),
    /// Of an event of any class.
    Any(OfEvent),
}

type OfProcess = for<'a> fn(&'a Process, &'a Host) -> Value<'a>;
type OfSubject = for<'a> fn(&'a Event) -> Option<Value<'a>>;
type OfEvent = for<'a> fn(&'a Event, &'a Host) -> Value<'a>;
type Set = fn(&mut Draft, Given<'_>) -> Result<(), Fault>;

impl Deref for Field {
    type Target = schema::Field;

    fn deref(&self) -> &schema::Field {
        self.facts
    }
}

impl Field {
    /// What the schema says of it.
    pub(super) const fn facts(&self) -> &'static schema::Field {
        self.facts
    }

    /// The value of this field in an event.
    #[must_use]
    pub fn of<'a>(&self, event: &'a Event, host: &'a Host) -> Value<'a> {
        match self.get {
            Get::Process(get) => get(&event.process, host),
            Get::Subject(own, get) => own(event).unwrap_or_else(|| get(&event.process, host)),
            Get::Event(class, get) if class == event.kind.class() => get(event, host),
            Get::Event(..) => Value::Absent,
            Get::Any(get) => get(event, host),
        }
    }

    /// The value of this field in a process, an ancestor say; absent if it is not a process's.
    #[must_use]
    pub fn of_process<'a>(&self, process: &'a Process, host: &'a Host) -> Value<'a> {
        match self.get {
            Get::Process(get) | Get::Subject(_, get) => get(process, host),
            Get::Event(..) | Get::Any(_) => Value::Absent,
        }
    }

    /// Sets it in an event that is written down by hand.
    pub(in crate::event) fn set(&self, draft: &mut Draft, value: &serde_json::Value) -> Result<(), Fault> {
        (self.set)(draft, Given::new(self.facts, value))
    }
}

/// A field of a process, which ancestors have as well.
pub(in crate::event) const fn of_process(facts: &'static schema::Field, get: OfProcess, set: Set) -> Field {
    assert!(matches!(facts.owner, Owner::Process), "not a process's");
    Field { facts, get: Get::Process(get), set }
}

/// A field of a process, where the event has none of its own.
pub(in crate::event) const fn of_subject(
    facts: &'static schema::Field,
    own: OfSubject,
    get: OfProcess,
    set: Set,
) -> Field {
    Field { get: Get::Subject(own, get), ..of_process(facts, get, set) }
}

/// A field of events, of one class or of any.
pub(in crate::event) const fn of_event(facts: &'static schema::Field, get: OfEvent, set: Set) -> Field {
    let get = match facts.owner {
        Owner::Class(class) => Get::Event(class, get),
        Owner::Any => Get::Any(get),
        Owner::Process => panic!("a process's"),
    };
    Field { facts, get, set }
}
