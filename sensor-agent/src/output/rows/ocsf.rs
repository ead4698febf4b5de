//! Rows as events of the Open Cybersecurity Schema Framework, version 1.5: one JSON object in one line.
//!
//! Rows of `process_events` are *Process Activity* (class 1007), those of other tables *Base Event* (class 0). Columns
//! that the schema has no attribute for are under `unmapped`, so a row tells as much as it does as plain JSON.

use serde::Serialize as _;
use serde_json::{Value, json};

use crate::{
    alert::{
        cuts::Cuts,
        ecs::without_empty,
        json::OneLine,
        ocsf::{
            VERSION,
            parts::{device, in_container, milliseconds, process_alone, product},
        },
    },
    event::{Class, Detail, Event, EventType, Host, json::RowWriter, tables::Table},
};

/// Columns that a Process Activity has attributes for. What is told of the parent is that of the process when it is
/// known, so the row's own numbers of it stay.
const TOLD: [&str; 14] = [
    "sensor_id",
    "process_uuid",
    "pid",
    "uid",
    "username",
    "tty",
    "name",
    "path",
    "cmdline",
    "cwd",
    "container_id",
    "container_name",
    "image_id",
    "image_name",
];

/// Writes rows of one table.
pub(super) struct OcsfWriter {
    table: &'static Table,
    rest: RowWriter,
}

impl OcsfWriter {
    pub(super) fn new(table: &'static Table) -> Self {
        let told: &[&str] = if is_activity(table) { &TOLD } else { &["sensor_id"] };
        Self { table, rest: RowWriter::without(table, told) }
    }

    /// Appends one row and a newline.
    pub(super) fn write(&self, out: &mut Vec<u8>, event: &Event, host: &Host) {
        let mut rest = Vec::new();
        self.rest.write(&mut rest, event, host);
        let mut object = if is_activity(self.table) { activity(event, host) } else { base(event, host) };
        object["metadata"]["log_name"] = self.table.name.into();
        object["unmapped"] = serde_json::from_slice(&rest).unwrap_or_default();
        without_empty(&mut object);
        // Writing to memory does not fail, and every key is a string.
        let _ = object.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, OneLine));
        out.push(b'\n');
    }
}

fn is_activity(table: &Table) -> bool {
    table.class == Some(Class::Process)
}

fn activity(event: &Event, host: &Host) -> Value {
    let process = &*event.process;
    let (activity, name) = match event.kind {
        EventType::Exec | EventType::Fork | EventType::ExecFailed => (1, "Launch"),
        EventType::Exit => (2, "Terminate"),
        // It was running when the sensor started.
        _ => (99, event.kind.word()),
    };
    let failed = event.kind == EventType::ExecFailed;
    let mut object = class((1, "System Activity"), (1007, "Process Activity"), (activity, name), event, host);
    object["process"] = process_alone(process, host, usize::MAX, &Cuts::NONE);
    if let Some(container) = &process.container {
        in_container(&mut object["process"], process, container, &Cuts::NONE);
        object["metadata"]["profiles"] = json!(["host", "container"]);
    }
    // Who ends a process, or runs a program in its own place, is that process; who starts one is its parent.
    let actor = match process.parent.as_deref() {
        Some(parent) if event.kind != EventType::Exit => process_alone(parent, host, usize::MAX, &Cuts::NONE),
        _ => json!({"pid": process.key.tgid, "uid": host.process_uuid(process.key)}),
    };
    object["actor"] = json!({"process": actor});
    if let Some(parent) = process.parent.as_deref() {
        object["process"]["parent_process"] = json!({"pid": parent.key.tgid, "uid": host.process_uuid(parent.key)});
    }
    object["status_id"] = if failed { 2 } else { 1 }.into();
    object["status"] = if failed { "Failure" } else { "Success" }.into();
    if let Detail::Exit { code, signal: 0, .. } = event.detail {
        object["exit_code"] = code.into();
    }
    object
}

fn base(event: &Event, host: &Host) -> Value {
    class((0, "Uncategorized"), (0, "Base Event"), (99, event.kind.word()), event, host)
}

/// What all events have: category, class and activity, each with its number and name.
fn class(category: (u32, &str), class: (u32, &str), activity: (u32, &str), event: &Event, host: &Host) -> Value {
    json!({
        "category_uid": category.0,
        "category_name": category.1,
        "class_uid": class.0,
        "class_name": class.1,
        "activity_id": activity.0,
        "activity_name": activity.1,
        "type_uid": class.0 * 100 + activity.0,
        "type_name": format!("{}: {}", class.1, if activity.0 == 99 { "Other" } else { activity.1 }),
        "severity_id": 1,
        "severity": "Informational",
        "time": milliseconds(event.time),
        "metadata": {"version": VERSION, "profiles": ["host"], "product": product(), "event_code": event.kind.word()},
        "device": device(host, &Cuts::NONE),
    })
}
