//! Alerts in the Open Cybersecurity Schema Framework, version 1.5: one JSON object in one line.
//!
//! An alert is a *Detection Finding* (class 2004). A message of type `audit`, by which a policy records what was done
//! without finding fault with it, is a *Process Activity* (class 1007). Times are milliseconds since the Unix epoch.

pub(crate) mod parts;

use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::{Value, json};

use self::parts::{device, in_container, labels, milliseconds, process_alone, product};
use super::{
    Alert,
    cuts::Cuts,
    ecs::without_empty,
    json::OneLine,
    shorten::{Form, write_as},
    technique::technique,
};
use crate::{
    event::{EventType, Process},
    policy::{Confidence, MessageType, Priority},
};

/// The version of the schema.
pub(crate) const VERSION: &str = "1.5.0";
const FORM: Form = Form { whole, least };

/// Appends the alert and a newline, at most so many bytes; whether something was cut.
pub fn write(out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> bool {
    write_as(FORM, out, alert, max_bytes)
}

fn whole(out: &mut dyn Write, alert: &Alert, cuts: &Cuts) -> io::Result<()> {
    let mut event = if is_activity(alert) { activity(alert, cuts) } else { finding(alert, cuts) };
    without_empty(&mut event);
    Ok(event.serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

fn least(out: &mut dyn Write, alert: &Alert, name_bytes: usize) -> io::Result<()> {
    let cuts = Cuts { lineage_args: 0, args: 0, metadata: 0, lists: 0, lineage: 0, texts: 0 };
    let title = &alert.policy.name[..alert.policy.name.floor_char_boundary(name_bytes)];
    let mut event = class(alert, &cuts);
    if is_activity(alert) {
        let process = json!({"pid": alert.event.process.key.tgid});
        event["device"] = device(&alert.host, &Cuts { texts: 64, ..cuts });
        event["actor"] = json!({"process": process});
        event["process"] = process;
    } else {
        event["finding_info"] = json!({"uid": alert.uuid, "title": title});
    }
    event["unmapped"] = json!({"alert_truncated": true});
    without_empty(&mut event);
    Ok(event.serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

/// Whether the alert is told as what was done rather than as what was found.
fn is_activity(alert: &Alert) -> bool {
    alert.policy.message_type == MessageType::Audit && alert.event.process.key.tgid != 0
}

/// What all events have.
fn class(alert: &Alert, cuts: &Cuts) -> Value {
    let (category, category_name, class, class_name, activity, activity_name) = if is_activity(alert) {
        match alert.event.kind {
            EventType::Exit => (1, "System Activity", 1007, "Process Activity", 2, "Terminate"),
            _ => (1, "System Activity", 1007, "Process Activity", 1, "Launch"),
        }
    } else {
        (2, "Findings", 2004, "Detection Finding", 1, "Create")
    };
    let (severity, severity_id) = match alert.policy.priority {
        Priority::Info => ("Informational", 1),
        Priority::Low => ("Low", 2),
        Priority::Medium => ("Medium", 3),
        Priority::High => ("High", 4),
    };
    let mut profiles = vec!["host"];
    if alert.event.process.container.is_some() {
        profiles.push("container");
    }
    json!({
        "category_uid": category,
        "category_name": category_name,
        "class_uid": class,
        "class_name": class_name,
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": class * 100 + activity,
        "type_name": format!("{class_name}: {activity_name}"),
        "severity_id": severity_id,
        "severity": severity,
        "time": milliseconds(alert.time()),
        "metadata": {
            "version": VERSION,
            "uid": alert.uuid,
            "correlation_uid": alert.incident_id,
            "profiles": profiles,
            "product": product(),
            "labels": labels(&alert.policy.labels, cuts),
        },
    })
}

fn finding(alert: &Alert, cuts: &Cuts) -> Value {
    let policy = &*alert.policy;
    let (confidence, confidence_id) = match policy.confidence {
        Confidence::Low => ("Low", 1),
        Confidence::Medium => ("Medium", 2),
        Confidence::High => ("High", 3),
    };
    let mut event = class(alert, cuts);
    event["message"] = message(alert, cuts).into();
    event["status_id"] = 1.into();
    event["status"] = "New".into();
    event["confidence_id"] = confidence_id.into();
    event["confidence"] = confidence.into();
    event["is_alert"] = true.into();
    event["comment"] = cuts.words(&policy.comments).into();
    event["device"] = device(&alert.host, cuts);
    event["finding_info"] = json!({
        "uid": alert.uuid,
        "title": policy.name,
        "desc": cuts.words(&policy.description),
        "created_time": milliseconds(alert.time()),
        "types": policy.categories.iter().take(cuts.lists).map(|text| cuts.words(text)).collect::<Vec<_>>(),
        "attacks": attacks(alert, cuts),
        "analytic": {
            "type_id": 1,
            "type": "Rule",
            "name": policy.name,
            "category": cuts.words(&policy.content_group),
            "desc": cuts.words(&alert.matched_rule),
        },
    });
    if alert.event.process.key.tgid != 0 {
        event["evidences"] = json!([{"process": process(&alert.event.process, alert, cuts)}]);
    }
    event["unmapped"] = unmapped(alert, cuts);
    event
}

fn activity(alert: &Alert, cuts: &Cuts) -> Value {
    let event_process = &*alert.event.process;
    let mut event = class(alert, cuts);
    event["message"] = message(alert, cuts).into();
    event["device"] = device(&alert.host, cuts);
    event["process"] = process(event_process, alert, cuts);
    // Who ends a process, or runs a program in its own place, is that process; who starts one is its parent.
    let actor = match event_process.parent.as_deref() {
        Some(parent) if alert.event.kind != EventType::Exit => {
            process_alone(parent, &alert.host, cuts.lineage_args, cuts)
        }
        _ => json!({"pid": event_process.key.tgid, "uid": alert.host.process_uuid(event_process.key)}),
    };
    event["actor"] = json!({"process": actor});
    let failed = alert.event.kind == EventType::ExecFailed;
    event["status_id"] = if failed { 2 } else { 1 }.into();
    event["status"] = if failed { "Failure" } else { "Success" }.into();
    if let crate::event::Detail::Exit { code, signal: 0, .. } = alert.event.detail {
        event["exit_code"] = code.into();
    }
    event["unmapped"] = unmapped(alert, cuts);
    event
}

fn message(alert: &Alert, cuts: &Cuts) -> String {
    cuts.words(&alert.sentences()).to_owned()
}

fn attacks(alert: &Alert, cuts: &Cuts) -> Vec<Value> {
    let found = alert.policy.categories.iter().take(cuts.lists).filter_map(|category| technique(category));
    let attack = |found: super::technique::Technique<'_>| {
        let technique = json!({"name": cuts.words(found.name), "uid": found.id});
        let key = if found.id.is_some_and(|id| id.contains('.')) { "sub_technique" } else { "technique" };
        json!({"tactic": {"name": cuts.words(found.tactic)}, key: technique})
    };
    found.map(attack).filter(|attack| attack["tactic"]["name"] != "").collect()
}

/// A process with its ancestors.
fn process(process: &Process, alert: &Alert, cuts: &Cuts) -> Value {
    let mut object = process_alone(process, &alert.host, cuts.args, cuts);
    if let Some(parent) = process.ancestors().take(cuts.lineage).next() {
        object["parent_process"] = process_alone(parent, &alert.host, cuts.lineage_args, cuts);
    }
    let ancestor = |process: &Process| {
        json!({
            "pid": process.key.tgid,
            "uid": alert.host.process_uuid(process.key),
            "path": cuts.text(&process.image.path),
            "cmd_line": Cuts::command_line(&process.image.args, cuts.lineage_args).0,
        })
    };
    object["ancestry"] = process.ancestors().take(cuts.lineage).map(ancestor).collect::<Vec<_>>().into();
    if let Some(container) = &process.container {
        in_container(&mut object, process, container, cuts);
    }
    object
}

/// What the schema has no attribute for.
fn unmapped(alert: &Alert, cuts: &Cuts) -> Value {
    let process = &*alert.event.process;
    let (_, args_cut) = Cuts::args(&process.image.args, cuts.args);
    let metadata: serde_json::Map<String, Value> = alert
        .host
        .metadata
        .iter()
        .take(cuts.metadata)
        .map(|(key, value)| (cuts.words(key).to_owned(), cuts.words(value).into()))
        .collect();
    json!({
        "scope": alert.scope.word(),
        "policy_type": cuts.words(&alert.policy.policy_type),
        "args_truncated": args_cut,
        "truncated": !cuts.is_none(),
        "effective_uid": process.ids.euid,
        "kubernetes_pod": process.container.as_deref().map(|container| cuts.words(&container.pod)),
        "kubernetes_namespace": process.container.as_deref().map(|container| cuts.words(&container.namespace)),
        "metadata": metadata,
    })
}
