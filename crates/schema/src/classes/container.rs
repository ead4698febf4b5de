//! Containers that come and go.

use crate::field::{Type, event, fields};
use crate::process;
use crate::table::column;
use crate::{Activity, Class, EventType, Field, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "container";

static PARTS: &[&Field] = &[&CONTAINER_CGROUP, &process::HOST_NAMESPACES, &process::CONTAINER_MOUNTS];

const fn kind(is: EventType, word: &'static str) -> Kind {
    Kind {
        is,
        word,
        activity: Some(Activity::ContainerChange),
        outcome: Some(Outcome::Success),
        reach: Reach::Process,
        parts: PARTS,
    }
}

pub(super) static KINDS: &[Kind] = &[
    kind(EventType::ContainerCreated, "CONTAINER_EVENT_TYPE_CREATED"),
    kind(EventType::ContainerRunning, "CONTAINER_EVENT_TYPE_RUNNING"),
    kind(EventType::ContainerExited, "CONTAINER_EVENT_TYPE_EXITED"),
    kind(EventType::ContainerDestroyed, "CONTAINER_EVENT_TYPE_DESTROYED"),
];

pub(super) const POLICY_TYPES: &[PolicyType] =
    &[PolicyType { word: "containerCreated", sees: &[EventType::ContainerCreated] }];

pub(super) static TABLES: &[&Table] = &[&CONTAINER_EVENTS];

pub static CONTAINER_EVENTS: Table = Table {
    name: "container_events",
    aliases: &[],
    kinds: Class::Container.kinds(),
    mcs: false,
    default_on: true,
    number: 13,
    message: "ContainerEvent",
    columns: &[
        column(&process::SENSOR_ID, 1),
        column(&process::TIME, 2),
        column(&process::EVENT_TYPE, 3),
        column(&process::CONTAINER_ID, 4),
        column(&process::CONTAINER_RUNTIME, 5),
        column(&process::CONTAINER_NAME, 6),
        column(&process::CONTAINER_LABELS, 7),
        column(&process::IS_PRIVILEGED, 8),
        column(&process::IMAGE_ID, 9),
        column(&process::IMAGE_NAME, 10),
        column(&process::IMAGE_TAG, 11),
        column(&process::IMAGE_DIGEST, 12),
        column(&process::KUBERNETES_POD, 13),
        column(&process::KUBERNETES_NAMESPACE, 14),
        column(&CONTAINER_CGROUP, 15),
        column(&process::PROCESS_UUID, 16),
        column(&process::PROCESS_PID, 17),
        column(&process::PROGRAM_NAME, 18),
        column(&process::COMMAND_LINE, 19),
        column(&process::INCIDENT_ID, 20),
        column(&process::HOST_NAMESPACES, 21),
        column(&process::CONTAINER_MOUNTS, 22),
    ],
    doc: "Containers that are created, run, end and are taken away, by their control groups. The columns on containers are of that one, those on the process of who did it: often systemd, in the name of a runtime.",
};

fields! {
    CONTAINER_CGROUP = event(
        Class::Container,
        "containerCgroup",
        "container_cgroup",
        Type::Path,
        "The control group of the container that was created, runs something, does no more, or is taken away: its path in its hierarchy. What else is told of a container is of that one too, and not of the process's.",
    );
}
