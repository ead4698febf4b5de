//! Alerts in the Open Cybersecurity Schema Framework, version 1.5: one JSON object in one line.
//!
//! An alert is a *Detection Finding* (class 2004). A message of type `audit`, by which a policy records what was done
//! without finding fault with it, is of the class of what was done ([`activity`]). Times are milliseconds since the Unix
//! epoch. Beyond the schema, `product.vendor_name` and `analytic.uid` are always there, and a technique has its id: readers
//! such as `py-ocsf-models` insist on these.

pub(crate) mod activity;
pub(crate) mod parts;

use std::io::{self, Write};

use schema::Ocsf;
use serde::Serialize as _;
use serde_json::{Value, json};

use self::activity::{activity, begin, user};
use self::parts::{device, in_container, labels, milliseconds, process_alone, product};
use super::{
    Alert,
    cuts::Cuts,
    ecs::without_empty,
    facts::{Facts, own},
    json::OneLine,
    marks,
    shorten::{Form, write_as},
    technique::technique,
};
use crate::{
    event::Process,
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
    let mut event = if is_activity(alert) { recorded(alert, cuts) } else { finding(alert, cuts) };
    without_empty(&mut event);
    Ok(event.serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

fn least(out: &mut dyn Write, alert: &Alert, name_bytes: usize) -> io::Result<()> {
    // Texts of others are as short as they can be and still tell something.
    let cuts = Cuts { lineage_args: 0, args: 0, metadata: 0, lists: 0, lineage: 0, texts: 8 };
    let mut event = if is_activity(alert) {
        let process = json!({"pid": alert.event.process.key.tgid});
        let mut event = activity(&alert.event, &alert.host, &cuts, process.clone());
        if event["process"].is_null() {
            // Of a process alone the schema wants the first two, and of a login the service will do.
            for part in ["actor", "device", "dst_endpoint", "session", "is_remote"] {
                event[part] = Value::Null;
            }
        } else {
            event["actor"] = json!({"process": process});
        }
        event
    } else {
        let title = &alert.policy.name[..alert.policy.name.floor_char_boundary(name_bytes)];
        let mut event = begin(FINDING);
        event["finding_info"] = json!({"uid": alert.uuid, "title": title});
        event
    };
    frame(&mut event, alert, &cuts);
    // What the numbers say.
    for name in ["category_name", "type_name"] {
        event[name] = Value::Null;
    }
    event["metadata"]["event_code"] = Value::Null;
    event["unmapped"] = json!({"alert_truncated": true});
    without_empty(&mut event);
    Ok(event.serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

/// Whether the alert is told as what was done rather than as what was found.
fn is_activity(alert: &Alert) -> bool {
    alert.policy.message_type == MessageType::Audit && alert.event.process.key.tgid != 0
}

const FINDING: Ocsf = Ocsf { category: (2, "Findings"), class: (2004, "Detection Finding"), activity: (1, "Create") };

/// Adds what all events have of their alert.
fn frame(event: &mut Value, alert: &Alert, cuts: &Cuts) {
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
    event["severity_id"] = severity_id.into();
    event["severity"] = severity.into();
    event["time"] = milliseconds(alert.time()).into();
    event["metadata"] = json!({
        "version": VERSION,
        "uid": alert.uuid,
        "correlation_uid": alert.incident_id,
        "event_code": alert.event.kind.word(),
        "profiles": profiles,
        "product": product(),
        "labels": labels(&alert.policy.labels, cuts),
    });
}

fn finding(alert: &Alert, cuts: &Cuts) -> Value {
    let policy = &*alert.policy;
    let (confidence, confidence_id) = match policy.confidence {
        Confidence::Low => ("Low", 1),
        Confidence::Medium => ("Medium", 2),
        Confidence::High => ("High", 3),
    };
    let mut event = begin(FINDING);
    frame(&mut event, alert, cuts);
    event["message"] = message(alert, cuts).into();
    // Of the finding, not of what was found.
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
            "uid": policy.name,
            "name": policy.name,
            "category": cuts.words(&policy.content_group),
            "desc": cuts.words(&alert.matched_rule),
        },
    });
    if alert.event.process.key.tgid != 0 {
        let actor = &*alert.event.process;
        event["actor"] = json!({
            "process": {"pid": actor.key.tgid, "uid": alert.host.process_uuid(actor.key)},
            "user": user(actor.user.as_deref().map(|name| cuts.words(name)), Some(&actor.ids.uid.to_string())),
        });
        event["evidences"] = json!([evidence(alert, cuts)]);
    }
    event["unmapped"] = unmapped(alert, cuts);
    event
}

/// What was found: the process, and of a message whom it is about and how that ended.
fn evidence(alert: &Alert, cuts: &Cuts) -> Value {
    let process = process(&alert.event.process, alert, cuts);
    if !alert.event.is_message() {
        return json!({"process": process, "data": own(&alert.event, &alert.host, cuts)});
    }
    let facts = Facts::of(&alert.event, &alert.host, cuts);
    let done = activity(&alert.event, &alert.host, cuts, Value::Null);
    json!({
        "name": facts.name,
        "process": process,
        "user": done["user"],
        "src_endpoint": done["src_endpoint"],
        "data": {
            "class_uid": done["class_uid"],
            "class_name": done["class_name"],
            "activity_id": done["activity_id"],
            "activity_name": done["activity_name"],
            "status_id": done["status_id"],
            "status": done["status"],
            "group": done["group"],
            "session": done["session"],
            "operation": facts.operation,
            "command": facts.command,
            "object": facts.object,
            "message": facts.text,
        },
    })
}

/// What was done.
fn recorded(alert: &Alert, cuts: &Cuts) -> Value {
    let process = process(&alert.event.process, alert, cuts);
    let mut event = activity(&alert.event, &alert.host, cuts, process);
    frame(&mut event, alert, cuts);
    event["message"] = message(alert, cuts).into();
    event["unmapped"] = unmapped(alert, cuts);
    event["unmapped"]["event"] = own(&alert.event, &alert.host, cuts);
    event
}

fn message(alert: &Alert, cuts: &Cuts) -> String {
    cuts.words(&alert.sentences()).to_owned()
}

fn attacks(alert: &Alert, cuts: &Cuts) -> Vec<Value> {
    let found = alert.policy.categories.iter().take(cuts.lists).filter_map(|category| technique(category));
    let attack = |found: super::technique::Technique<'_>| {
        let mut attack = json!({"tactic": {"name": cuts.words(found.tactic)}});
        // One without its id is in `types` alone.
        if let Some(id) = found.id {
            let key = if id.contains('.') { "sub_technique" } else { "technique" };
            attack[key] = json!({"name": cuts.words(found.name), "uid": id});
        }
        attack
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
    let metadata: serde_json::Map<String, Value> = alert
        .host
        .metadata
        .iter()
        .take(cuts.metadata)
        .map(|(key, value)| (cuts.words(key).to_owned(), cuts.words(value).into()))
        .collect();
    let mut object = json!({
        "scope": alert.scope.word(),
        "policy_type": cuts.words(&alert.policy.policy_type),
        "args_truncated": process.image.args.kept() > cuts.args,
        "truncated": !cuts.is_none(),
        "effective_uid": process.ids.euid,
        "audit_message": message_facts(alert, cuts),
        "kubernetes_pod": process.container.as_deref().map(|container| cuts.words(&container.facts().pod)),
        "kubernetes_namespace": process.container.as_deref().map(|container| cuts.words(&container.facts().namespace)),
        "metadata": metadata,
        "ancestry": process.ancestors().take(cuts.lineage).filter_map(marked).collect::<Vec<_>>(),
    });
    for mark in marks::of_event(&alert.event) {
        object[mark.name] = true.into();
    }
    object
}

/// What is not whole or not sure of an ancestor; none if nothing is.
fn marked(ancestor: &Process) -> Option<Value> {
    let mut marks = marks::of_process(ancestor).peekable();
    marks.peek()?;
    let mut object = json!({"pid": ancestor.key.tgid});
    for mark in marks {
        object[mark.name] = true.into();
    }
    Some(object)
}

/// Of a message, what its class has no attribute for.
fn message_facts(alert: &Alert, cuts: &Cuts) -> Value {
    if !alert.event.is_message() {
        return Value::Null;
    }
    let facts = Facts::of(&alert.event, &alert.host, cuts);
    json!({
        "type_name": facts.name,
        "outcome": facts.outcome.word(),
        "operation": facts.operation,
        "command": facts.command,
        "object": facts.object,
        "text": facts.text,
    })
}
