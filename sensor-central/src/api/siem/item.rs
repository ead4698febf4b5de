//! Alerts and events in the fields that SIEMs know.

use std::{borrow::Cow, net::IpAddr};

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::{
    api::times,
    event::EventType,
    ids,
    severity::Severity,
    store::{StoredAlert, StoredEvent},
    told::{Of, Told},
};

/// What the vendor says where there is no user.
const NO_USER: &str = "n/a";

/// The type of every alert.
pub(in crate::api) const ALERT: &str = "Event::Endpoint::CoreDetection";

/// What is read of an alert: a small part.
const READ: Of = Of::These(&[
    ("categories", Of::All),
    ("confidence", Of::All),
    ("description", Of::All),
    ("location", Of::These(&[("container_id", Of::All)])),
    ("matched_rule", Of::All),
    ("metadata", Of::Beginning(INTERFACE)),
    ("policy_type", Of::All),
    ("priority", Of::All),
    (
        "process_info",
        Of::These(&[
            ("args", Of::All),
            ("name", Of::All),
            ("pid", Of::All),
            ("sophos_pid", Of::All),
            ("uid", Of::All),
            ("user", Of::All),
        ]),
    ),
    ("uuid", Of::All),
]);

/// What the names of facts about a host begin with that have an interface's addresses.
const INTERFACE: &str = "network_interface.";

/// An alert, written as an item. Its JSON is read when it is written, so that a page holds one at a time.
#[derive(Debug)]
pub(super) struct Alert<'a> {
    pub(super) tenant: Uuid,
    pub(super) endpoint: Uuid,
    pub(super) kept: &'a StoredAlert,
}

/// An event, written as an item.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) tenant: Uuid,
    pub(super) endpoint: Uuid,
    pub(super) kept: &'a StoredEvent,
}

/// What is written. Here and below members stand by name, and what says nothing is left out.
#[derive(Serialize)]
struct Item<'a> {
    created_at: String,
    customer_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    endpoint_id: Uuid,
    endpoint_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_service_event_id: Option<Uuid>,
    group: &'static str,
    id: Uuid,
    #[serde(skip_serializing_if = "str::is_empty")]
    location: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    severity: &'static str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<Source>,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    when: String,
}

/// A value that is passed on whatever its type is.
type Passed<'a> = Option<Cow<'a, Told<'a>>>;

/// What only alerts have.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Passed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Passed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_id: Passed<'a>,
    endpoint_platform: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    matched_rule: Passed<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    policy: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_type: Passed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Passed<'a>,
    #[serde(skip_serializing_if = "Process::is_empty")]
    process: Process<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uuid: Passed<'a>,
}

#[derive(Serialize)]
struct Process<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cmdline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Passed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Passed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sophos_pid: Passed<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Passed<'a>,
}

impl Process<'_> {
    const fn is_empty(&self) -> bool {
        let Self { cmdline, path, pid, sophos_pid, user } = self;
        cmdline.is_none() && path.is_none() && pid.is_none() && sophos_pid.is_none() && user.is_none()
    }
}

#[derive(Serialize)]
struct Source {
    ip: IpAddr,
}

impl Serialize for Alert<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Self { tenant, endpoint, kept: alert } = *self;
        let told = Told::read_of(&alert.json, &READ);
        let process = &told["process_info"];
        let item = Item {
            created_at: times::write_milliseconds(alert.place.raised),
            customer_id: tenant,
            data: Some(Data {
                categories: told["categories"].said(),
                confidence: told["confidence"].said(),
                container_id: told["location"]["container_id"].said(),
                endpoint_platform: "linux",
                matched_rule: told["matched_rule"].said(),
                policy: &alert.policy,
                policy_type: told["policy_type"].said(),
                priority: told["priority"].said(),
                process: Process {
                    cmdline: command_line(process).filter(|line| !line.is_empty()),
                    path: process["name"].said(),
                    pid: process["pid"].said(),
                    sophos_pid: process["sophos_pid"].said(),
                    user: process["user"].said(),
                },
                uuid: told["uuid"].said(),
            }),
            description: description(&told, &alert.policy),
            endpoint_id: endpoint,
            endpoint_type: "server",
            event_service_event_id: Some(alert.public_id),
            group: "RUNTIME_DETECTIONS",
            id: alert.public_id,
            location: &alert.host,
            name: &alert.policy,
            severity: Severity::of_number(alert.severity).siem,
            source: user(&process["user"]),
            source_info: address(&told["metadata"]).map(|ip| Source { ip }),
            kind: ALERT,
            user_id: process["uid"].as_u64().map(|uid| uid.to_string()),
            when: times::write(alert.time),
        };
        item.serialize(out)
    }
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let Self { tenant, endpoint, kept: event } = *self;
        let row = Told::read(&event.json);
        let kind = EventType::named(&event.event);
        let item = Item {
            created_at: times::write_milliseconds(event.place.raised),
            customer_id: tenant,
            data: None,
            description: "",
            endpoint_id: endpoint,
            endpoint_type: "server",
            event_service_event_id: None,
            group: kind.map_or("PROTECTION", EventType::group),
            id: ids::of_event(tenant, event.place.row, event.place.raised),
            // A sensor tells its host's name in a row of its own, and in its greeting.
            location: row["hostname"].text().unwrap_or(&event.host),
            name: &kind.map_or(Cow::Borrowed(&*event.event), |kind| name(kind, &row)),
            severity: kind.map_or("none", EventType::severity),
            source: user(&row["acct"]),
            source_info: row["address"].as_str().and_then(|text| text.parse().ok()).map(|ip| Source { ip }),
            kind: &event.event,
            user_id: row["uid"].as_u64().map(|uid| uid.to_string()),
            when: times::write(event.time),
        };
        item.serialize(out)
    }
}

/// What happened, in a sentence.
fn name<'a>(kind: EventType, row: &'a Told<'_>) -> Cow<'a, str> {
    let text = |name: &str| row[name].text();
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
        )
        .into(),
        EventType::LoginSucceeded => format!("Login of '{account}'{from} by '{by}'").into(),
        EventType::LoginFailed => format!("Login of '{account}' failed{from} by '{by}'").into(),
        EventType::AuthenticationFailed => format!("Authentication of '{account}' failed{from} by '{by}'").into(),
        EventType::AccountChanged => {
            let (what, result) = (text("message").unwrap_or("changed"), text("result").unwrap_or("unknown"));
            format!("Account '{account}': {what} ({result}) by '{by}'").into()
        }
    }
}

/// What an alert says of itself.
pub(in crate::api) fn description<'a>(told: &'a Told<'_>, policy: &'a str) -> &'a str {
    told["description"].text().unwrap_or(policy)
}

fn user<'a>(name: &'a Told<'_>) -> &'a str {
    name.text().unwrap_or(NO_USER)
}

pub(in crate::api) fn command_line(process: &Told<'_>) -> Option<String> {
    let words: Vec<_> = process["args"].list()?.iter().filter_map(Told::as_str).collect();
    Some(words.join(" "))
}

/// The host's first address of version 4 that others may reach it by, else of version 6.
fn address(metadata: &Told<'_>) -> Option<IpAddr> {
    let interfaces = metadata.members(|name| name.starts_with(INTERFACE));
    let addresses = || {
        let texts = interfaces.values().filter_map(|addresses| addresses.as_str());
        texts.flat_map(|addresses| addresses.split(',')).filter_map(|address| address.parse::<IpAddr>().ok())
    };
    addresses().find(IpAddr::is_ipv4).or_else(|| addresses().next())
}

#[cfg(test)]
mod tests;
