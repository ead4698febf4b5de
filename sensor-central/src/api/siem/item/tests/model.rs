//! Items as they would be put together of `serde_json`'s own values: what is written is the same to the byte.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{ALERT, NO_USER};
use crate::{
    api::times,
    event::EventType,
    ids,
    severity::Severity,
    store::{StoredAlert, StoredEvent},
};

pub(super) fn alert(tenant: Uuid, alert: &StoredAlert) -> Value {
    let told: Value = serde_json::from_str(&alert.json).unwrap_or_default();
    let process = &told["process_info"];
    let mut item = json!({
        "customer_id": tenant,
        "endpoint_id": ids::of_endpoint(&alert.sensor),
        "endpoint_type": "server",
        "id": alert.public_id,
        "event_service_event_id": alert.public_id,
        "created_at": times::write_milliseconds(alert.place.raised),
        "when": times::write(alert.time),
        "severity": Severity::of_number(alert.severity).siem,
        "type": ALERT,
        "group": "RUNTIME_DETECTIONS",
        "name": alert.policy,
        "description": description(&told, &alert.policy),
        "location": alert.host,
        "source": user(&process["user"]),
        "user_id": process["uid"].as_u64().map(|uid| uid.to_string()),
        "data": {
            "uuid": told["uuid"],
            "policy": alert.policy,
            "policy_type": told["policy_type"],
            "priority": told["priority"],
            "confidence": told["confidence"],
            "matched_rule": told["matched_rule"],
            "categories": told["categories"],
            "endpoint_platform": "linux",
            "process": {
                "path": process["name"],
                "cmdline": command_line(process),
                "pid": process["pid"],
                "sophos_pid": process["sophos_pid"],
                "user": process["user"],
            },
            "container_id": told["location"]["container_id"],
        },
    });
    if let Some(address) = address(&told["metadata"]) {
        item["source_info"] = json!({ "ip": address });
    }
    without_nothing(item)
}

pub(super) fn event(tenant: Uuid, event: &StoredEvent) -> Value {
    let row: Value = serde_json::from_str(&event.json).unwrap_or_default();
    let kind = EventType::named(&event.event);
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    // A sensor tells its host's name in a row of its own, and in its greeting.
    let host = Some(text("hostname")).filter(|host| !host.is_empty()).unwrap_or(&event.host);
    let mut item = json!({
        "customer_id": tenant,
        "endpoint_id": ids::of_endpoint(&event.sensor),
        "endpoint_type": "server",
        "id": ids::of_event(tenant, event.place.row, event.place.raised),
        "created_at": times::write_milliseconds(event.place.raised),
        "when": times::write(event.time),
        "severity": kind.map_or("none", EventType::severity),
        "type": event.event,
        "group": kind.map_or("PROTECTION", EventType::group),
        "name": kind.map_or_else(|| event.event.clone(), |kind| name(kind, &row)),
        "location": host,
        "source": user(&row["acct"]),
        "user_id": row["uid"].as_u64().map(|uid| uid.to_string()),
    });
    if let Ok(address) = text("address").parse::<std::net::IpAddr>() {
        item["source_info"] = json!({ "ip": address });
    }
    without_nothing(item)
}

fn name(kind: EventType, row: &Value) -> String {
    let text = |name: &str| Some(row[name].as_str().unwrap_or_default()).filter(|text| !text.is_empty());
    let account = text("acct").unwrap_or("unknown");
    let by = text("path").unwrap_or("an unknown program");
    let from = text("address").filter(|address| *address != "?");
    let from = from.map_or_else(String::new, |address| format!(" from {address}"));
    match kind {
        EventType::SensorSilent | EventType::SensorLosing | EventType::SensorTampered | EventType::SensorWell => {
            text("message").unwrap_or("The sensor's state has changed").into()
        }
        EventType::SensorStarted => "The sensor has started".into(),
        EventType::RecordsLost => format!(
            "The sensor lost {} records ({}, {}: {})",
            row["count"].as_u64().unwrap_or_default(),
            text("stage").unwrap_or("unknown"),
            text("event_class").unwrap_or("unknown"),
            text("cause").unwrap_or("unknown"),
        ),
        EventType::LoginSucceeded => format!("Login of '{account}'{from} by '{by}'"),
        EventType::LoginFailed => format!("Login of '{account}' failed{from} by '{by}'"),
        EventType::AuthenticationFailed => format!("Authentication of '{account}' failed{from} by '{by}'"),
        EventType::AccountChanged => {
            let (what, result) = (text("message").unwrap_or("changed"), text("result").unwrap_or("unknown"));
            format!("Account '{account}': {what} ({result}) by '{by}'")
        }
    }
}

fn description(told: &Value, policy: &str) -> String {
    let description = told["description"].as_str().filter(|text| !text.is_empty());
    description.unwrap_or(policy).to_owned()
}

fn user(name: &Value) -> &str {
    name.as_str().filter(|name| !name.is_empty()).unwrap_or(NO_USER)
}

fn command_line(process: &Value) -> Option<String> {
    let words: Vec<_> = process["args"].as_array()?.iter().filter_map(Value::as_str).collect();
    Some(words.join(" "))
}

fn address(metadata: &Value) -> Option<String> {
    let interfaces = metadata.as_object()?.iter().filter(|(name, _)| name.starts_with("network_interface."));
    let addresses: Vec<std::net::IpAddr> = interfaces
        .filter_map(|(_, addresses)| addresses.as_str())
        .flat_map(|addresses| addresses.split(','))
        .filter_map(|address| address.parse().ok())
        .collect();
    let first = addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first());
    first.map(ToString::to_string)
}

fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, without_nothing(value)));
            let says =
                |value: &Value| !(value.is_null() || value == "" || value.as_object().is_some_and(Map::is_empty));
            members.filter(|(_, value)| says(value)).collect()
        }
        other => other,
    }
}
