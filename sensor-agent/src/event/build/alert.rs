//! An alert's JSON as an event's fields. What an alert says beyond that, and there is much, is left out.

use schema::{Owner, Type};
use serde_json::{Map, Value};

use crate::event::fields::{self, Field};

/// The fields of the event that an alert was raised for.
pub(super) fn fields(alert: &Map<String, Value>) -> Map<String, Value> {
    let object = |key: &str| alert.get(key).and_then(Value::as_object);
    let mut event = object("process_info").map(process).unwrap_or_default();
    if let Some(location) = object("location") {
        for (key, value) in location {
            if fields::by_column(key).is_some() {
                event.insert(key.clone(), value.clone());
            }
        }
        if let Some(node) = location.get("node_name") {
            event.insert("hostname".into(), node.clone());
        }
    }
    for key in ["unix_nano_timestamp", "incident_id"] {
        if let Some(value) = alert.get(key).filter(|value| value.as_str() != Some("")) {
            event.insert(key.into(), value.clone());
        }
    }
    // What only one kind of event tells is in the parts of the first sentence.
    let parts = alert.get("notifications").and_then(|all| all.get(0)?.get("message_fields")?.as_object());
    for (key, value) in parts.into_iter().flatten() {
        let own = fields::by_column(key)
            .filter(|field| matches!(field.owner, Owner::Class(_)) || field.column == "file_path");
        if let (Some(field), Some(text)) = (own, value.as_str()) {
            event.insert(key.clone(), part(field, text));
        }
    }
    if let Some(lineage) = alert.get("lineage").and_then(Value::as_array) {
        let ancestors = lineage.iter().filter_map(Value::as_object).map(|one| Value::Object(process(one)));
        event.insert("lineage".into(), ancestors.collect());
    }
    event
}

/// A part, which an alert has as text, as a row has it.
fn part(field: &Field, text: &str) -> Value {
    match field.ty {
        Type::Number | Type::Size | Type::Duration => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        Type::Time => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
        Type::Bool => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

fn process(info: &Map<String, Value>) -> Map<String, Value> {
    let mut process = Map::new();
    for (key, value) in info {
        let name = match key.as_str() {
            // Here it is the whole path.
            "name" => "programName",
            "pid" | "tgid" => "processPid",
            "user" => "userName",
            column => match fields::by_column(column) {
                Some(field) if field.owner == Owner::Process => field.name,
                _ => continue,
            },
        };
        process.insert(name.into(), value.clone());
    }
    process
}
