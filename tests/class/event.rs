//! Threads take other names.

use schema::EventType;
use schema::classes::example as facts;
use schema::classes::example::Length;
use sensor_ebpf::classes::example::RenameRecord;

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Own, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Rename>(FIELDS);

/// A thread that took another name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rename {
    name: Vec<u8>,
    length: Option<Length>,
}

impl Own for Rename {
    fn size(&self) -> usize {
        size_of::<Self>() + self.name.capacity()
    }
}

impl Act for Rename {
    type Record = RenameRecord;
    const EVENT: EventType = EventType::Rename;

    fn read(record: &RenameRecord) -> Self {
        let name = until_zero(&record.name).to_vec();
        let length = if name.len() + 1 < record.name.len() { Length::Short } else { Length::Full };
        Self { name, length: Some(length) }
    }

    fn sentence(&self, program: &str) -> String {
        format!("Program {program} called a thread {}", lossless(&self.name))
    }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::NEW_NAME,
        |event, _| event.own(|rename: &Rename| Value::text(&rename.name)),
        |d, v| v.put(&mut d.act::<Rename>().name),
    ),
    of_event(
        &facts::NAME_LENGTH,
        |event, _| {
            event.own(|rename: &Rename| rename.length.map_or(Value::Absent, |length| Value::Word(length.word())))
        },
        |d, v| v.put_word(&mut d.act::<Rename>().length),
    ),
];
