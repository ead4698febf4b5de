//! Containers that come and go.

use schema::EventType;
use schema::classes::container as facts;
use sensor_ebpf::classes::container::{ContainerRecord, change};

use super::{Act, Class, violated};
use crate::event::fields::{Field, of_event};
use crate::event::{Event, Own, Value, until_zero};

pub(super) const CLASS: Class = Class {
    fields: FIELDS,
    readers: &[super::reader::<Change>()],
    detail: |_, draft| draft.taken::<Change>(),
    sentence,
};

/// What became of a control group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    kind: EventType,
    path: String,
}

impl Default for Change {
    fn default() -> Self {
        Self { kind: Self::EVENT, path: String::new() }
    }
}

impl Own for Change {
    fn size(&self) -> usize {
        size_of::<Self>() + self.path.capacity()
    }

    fn of_group(&self) -> Option<(EventType, &str)> {
        Some((self.kind, &self.path))
    }
}

impl Act for Change {
    type Record = ContainerRecord;
    const EVENT: EventType = EventType::ContainerCreated;

    fn read(record: &ContainerRecord) -> Self {
        let kind = match record.change {
            change::POPULATED => EventType::ContainerRunning,
            change::EMPTY => EventType::ContainerExited,
            change::REMOVED => EventType::ContainerDestroyed,
            _ => EventType::ContainerCreated,
        };
        Self { kind, path: String::from_utf8_lossy(until_zero(&record.path)).into_owned() }
    }

    fn sentence(&self, program: &str) -> String {
        format!("Program {program} made the control group {} of a container", self.path)
    }
}

fn sentence(event: &Event, policy: &str) -> String {
    let Some(change) = event.detail.as_own::<Change>() else { return violated(event, policy) };
    let who = crate::event::json::lossless(&event.process.image.path);
    let container = event.process.container.as_deref().map_or("", |container| container.shown());
    let what = match event.kind {
        EventType::ContainerRunning => "started the container",
        EventType::ContainerExited => "was the last to run in the container",
        EventType::ContainerDestroyed => "took away the container",
        _ => "created the container",
    };
    let name = if container.is_empty() { &change.path } else { container };
    format!("Program {who} {what} {name}; policy {policy}")
}

const FIELDS: &[Field] = &[of_event(
    &facts::CONTAINER_CGROUP,
    |event, _| event.own(|change: &Change| Value::text(change.path.as_bytes())),
    |d, v| v.put(&mut d.act::<Change>().path),
)];
