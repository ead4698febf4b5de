//! Rows as events of the Open Cybersecurity Schema Framework, version 1.5: one JSON object in one line.
//!
//! A row is of the class of what was done: see [`crate::alert::ocsf::activity`]. Columns that *Process Activity* has no
//! attribute for are under `unmapped`, of rows of other classes all: so a row tells as much as it does as plain JSON.

use schema::{Class, Table};
use serde::Serialize as _;
use serde_json::{Value, json};

use crate::{
    alert::{
        cuts::Cuts,
        ecs::without_empty,
        json::OneLine,
        ocsf::{
            VERSION,
            activity::activity,
            parts::{in_container, milliseconds, process_alone, product},
        },
    },
    event::{Event, Host, json::RowWriter},
};

/// Columns that a Process Activity has attributes for. What is told of the parent is that of the process when it is
/// known, so the row's own numbers of it stay.
const MAPPED: [&str; 14] = [
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
        let told: &[&str] = if is_activity(table) { &MAPPED } else { &["sensor_id"] };
        Self { table, rest: RowWriter::without(table, told) }
    }

    /// Appends one row and a newline.
    pub(super) fn write(&self, out: &mut Vec<u8>, event: &Event, host: &Host) {
        let mut rest = Vec::new();
        self.rest.write(&mut rest, event, host);
        let mut object = event_of(event, host);
        object["metadata"]["log_name"] = self.table.name.into();
        object["unmapped"] = serde_json::from_slice(&rest).unwrap_or_default();
        without_empty(&mut object);
        // Writing to memory does not fail, and every key is a string.
        let _ = object.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, OneLine));
        out.push(b'\n');
    }
}

fn is_activity(table: &Table) -> bool {
    table.class() == Some(Class::Process)
}

/// The row's event, less what is `unmapped`.
fn event_of(event: &Event, host: &Host) -> Value {
    let process = &*event.process;
    let mut told = process_alone(process, host, usize::MAX, &Cuts::NONE);
    let mut profiles = vec!["host"];
    if let Some(container) = &process.container {
        in_container(&mut told, process, container, &Cuts::NONE);
        profiles.push("container");
    }
    if let Some(parent) = process.parent.as_deref() {
        told["parent_process"] = json!({"pid": parent.key.tgid, "uid": host.process_uuid(parent.key)});
    }
    let mut object = activity(event, host, &Cuts::NONE, told);
    object["severity_id"] = 1.into();
    object["severity"] = "Informational".into();
    object["time"] = milliseconds(event.time).into();
    object["metadata"] = json!({
        "version": VERSION,
        "profiles": profiles,
        "product": product(),
        "event_code": event.kind.word(),
    });
    object
}
