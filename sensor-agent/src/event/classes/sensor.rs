//! What the sensor tells of itself: that it started, and what it lost.

use schema::EventType;
use schema::classes::sensor as facts;
use schema::classes::sensor::{Cause, Stage, Subject};

use super::Class;
use crate::event::build::Draft;
use crate::event::fields::{Field, of_event};
use crate::event::{Detail, Event, Lost, Value};

pub(super) const CLASS: Class = Class { fields: FIELDS, readers: &[], detail, sentence };

const FIELDS: &[Field] = &[
    of_event(
        &facts::SENSOR_PID,
        |event, _| Value::Int(i64::from(event.process.key.tgid)),
        |d, v| {
            d.likely(EventType::SensorStarted);
            v.put(&mut d.key.tgid)
        },
    ),
    of_event(
        &facts::STAGE,
        |event, _| lost(event, |lost| Value::Word(lost.stage)),
        |d, v| v.word::<Stage>().map(|stage| written(d).stage = stage.word()),
    ),
    of_event(
        &facts::EVENT_CLASS,
        |event, _| lost(event, |lost| Value::Word(lost.class)),
        |d, v| v.word::<Subject>().map(|subject| written(d).class = subject.word()),
    ),
    of_event(
        &facts::CAUSE,
        |event, _| lost(event, |lost| Value::Word(lost.cause)),
        |d, v| v.word::<Cause>().map(|cause| written(d).cause = cause.word()),
    ),
    of_event(
        &facts::COUNT,
        |event, _| lost(event, |lost| Value::Int(i64::try_from(lost.count).unwrap_or(i64::MAX))),
        |d, v| v.put(&mut written(d).count),
    ),
];

fn lost<'a>(event: &'a Event, value: impl Fn(&'a Lost) -> Value<'a>) -> Value<'a> {
    if let Detail::Lost(lost) = &event.detail { value(lost) } else { Value::Absent }
}

fn written(draft: &mut Draft) -> &mut Lost {
    draft.likely(EventType::LostRecords);
    draft.part()
}

fn detail(kind: EventType, draft: &mut Draft) -> Detail {
    if kind == EventType::LostRecords { Detail::Lost(*draft.part()) } else { Detail::None }
}

fn sentence(event: &Event, policy: &str) -> String {
    match &event.detail {
        Detail::Lost(Lost { count, class, stage, cause }) => {
            format!("The sensor lost {count} {class} records at the stage {stage} ({cause}); policy {policy}")
        }
        _ => format!("The sensor reports to policy {policy}"),
    }
}
