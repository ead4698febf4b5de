//! An alert's JSON as an event's fields. What an alert says beyond that, and there is much, is left out.

use serde_json::{Map, Value};

use crate::event::fields::{self, Get};

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
    if let Some(lineage) = alert.get("lineage").and_then(Value::as_array) {
        let ancestors = lineage.iter().filter_map(Value::as_object).map(|one| Value::Object(process(one)));
        event.insert("lineage".into(), ancestors.collect());
    }
    event
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
                Some(field) if matches!(field.get, Get::Process(_)) => field.name,
                _ => continue,
            },
        };
        process.insert(name.into(), value.clone());
    }
    process
}
