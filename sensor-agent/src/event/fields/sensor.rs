//! Fields of what the sensor tells of itself.

use super::PIDS;
use super::field::{Field, Type, event};
use crate::event::lost::{CAUSES, LOST, STAGES};
use crate::event::{Class, Detail, Event, EventType, Lost, Value};

pub(super) const FIELDS: &[Field] = &[
    event(Class::Sensor, "sensorPid", "sensor_pid", Type::Number, "The sensor's own process id.", |event, _| {
        Value::Int(i64::from(event.process.key.tgid))
    })
    .values(PIDS),
    event(Class::Sensor, "stage", "stage", Type::Word(STAGES), "Where records were lost.", |event, _| {
        lost(event, |lost| Value::Word(lost.stage))
    })
    .only_in(EventType::LostRecords),
    event(
        Class::Sensor,
        "eventClass",
        "event_class",
        Type::Word(LOST),
        "What was lost: events of a class, alerts, rows, or rows of a table.",
        |event, _| lost(event, |lost| Value::Word(lost.class)),
    )
    .only_in(EventType::LostRecords),
    event(Class::Sensor, "cause", "cause", Type::Word(CAUSES), "Why records were lost.", |event, _| {
        lost(event, |lost| Value::Word(lost.cause))
    })
    .only_in(EventType::LostRecords),
    event(
        Class::Sensor,
        "count",
        "count",
        Type::Number,
        "How many records were lost since the last such event.",
        |event, _| lost(event, |lost| Value::Int(i64::try_from(lost.count).unwrap_or(i64::MAX))),
    )
    .only_in(EventType::LostRecords),
];

fn lost<'a>(event: &'a Event, value: impl Fn(&'a Lost) -> Value<'a>) -> Value<'a> {
    if let Detail::Lost(lost) = &event.detail { value(lost) } else { Value::Absent }
}
