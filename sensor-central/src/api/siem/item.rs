//! Alerts and events in the fields that SIEMs know.

use serde_json::{Map, Value, json};

use crate::{
    api::times,
    event::EventType,
    ids,
    severity::Severity,
    store::{StoredAlert, StoredEvent, Tenant},
};

/// What the vendor says where there is no user.
const NO_USER: &str = "n/a";

/// The type of every alert.
pub(in crate::api) const ALERT: &str = "Event::Endpoint::CoreDetection";

pub(super) fn alert(tenant: &Tenant, alert: &StoredAlert) -> Value {
    let told: Value = serde_json::from_str(&alert.json).unwrap_or_default();
    let process = &told["process_info"];
    let mut item = json!({
        "customer_id": tenant.id,
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

pub(super) fn event(tenant: &Tenant, event: &StoredEvent) -> Value {
    let row: Value = serde_json::from_str(&event.json).unwrap_or_default();
    let kind = EventType::named(&event.event);
    let text = |name: &str| row[name].as_str().unwrap_or_default();
    // A sensor tells its host's name in a row of its own, and in its greeting.
    let host = Some(text("hostname")).filter(|host| !host.is_empty()).unwrap_or(&event.host);
    let mut item = json!({
        "customer_id": tenant.id,
        "endpoint_id": ids::of_endpoint(&event.sensor),
        "endpoint_type": "server",
        "id": ids::of_event(tenant.id, event.place.row, event.place.raised),
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

/// What happened, in a sentence.
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

/// What an alert says of itself.
pub(in crate::api) fn description(told: &Value, policy: &str) -> String {
    let description = told["description"].as_str().filter(|text| !text.is_empty());
    description.unwrap_or(policy).to_owned()
}

fn user(name: &Value) -> &str {
    name.as_str().filter(|name| !name.is_empty()).unwrap_or(NO_USER)
}

pub(in crate::api) fn command_line(process: &Value) -> Option<String> {
    let words: Vec<_> = process["args"].as_array()?.iter().filter_map(Value::as_str).collect();
    Some(words.join(" "))
}

/// The host's first address of version 4 that others may reach it by, else of version 6.
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

/// Without members that say nothing: null, or an empty text.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is for SIEMs takes the account and the result out of the name.
    #[test]
    fn the_lines_that_receivers_are_tried_with_have_the_names_that_are_told() {
        let lines = include_str!("../../../../tests/siem/lines/items.json");
        let told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("an item")).collect();
        for (id, row) in [
            (
                "evt-000021",
                json!({
                    "acct": "mallory", "path": "/usr/sbin/useradd", "result": "success",
                    "message": "op=add-user acct=\"mallory\" id=1001 exe=\"/usr/sbin/useradd\" res=success",
                }),
            ),
            (
                "evt-000022",
                json!({
                    "acct": "bob", "path": "/usr/sbin/userdel", "result": "failed",
                    "message": "op=deleting-user acct=\"bob\" res=failed",
                }),
            ),
            (
                "evt-000024",
                json!({
                    "acct": "bob", "path": "/usr/bin/gpasswd", "result": "success",
                    "message": "op=add-user-to-group grp=\"wheel\" acct=\"bob\" res=success",
                }),
            ),
        ] {
            let item = told.iter().find(|item| item["id"] == id).unwrap_or_else(|| panic!("no {id}"));
            assert_eq!(item["name"], name(EventType::AccountChanged, &row));
            let kind = EventType::AccountChanged;
            assert_eq!((&item["type"], &item["group"]), (&json!(kind.name()), &json!(kind.group())));
            assert_eq!(item["severity"], kind.severity());
        }
    }
}
