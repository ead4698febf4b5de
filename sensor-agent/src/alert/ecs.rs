//! Alerts in the Elastic Common Schema, version 8.17: one JSON object in one line, of which all field names and types
//! are also those of version 9.
//!
//! What the schema has no field for is under `sensor`, which it leaves to others. Texts are as in [`super::json`].
//!
//! `user` is who the event is about: the one who logs in or out, else who acts. Whose account is changed is `user.target`.

use std::io::{self, Write};

use schema::classes::file::FileType;
use schema::classes::network::Direction;
use schema::process::Runtime;
use serde::Serialize as _;
use serde_json::{Map, Value, json};

use super::{
    Alert,
    cuts::Cuts,
    facts::{Facts, own},
    json::OneLine,
    marks,
    shorten::{Form, write_as},
    technique::technique,
    time::rfc3339,
};
use crate::{
    event::{Detail, Process},
    policy::Priority,
};

const VERSION: &str = "8.17.0";

const FORM: Form = Form { whole, least };

/// Appends the alert and a newline, at most so many bytes; whether something was cut.
pub fn write(out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> bool {
    write_as(FORM, out, alert, max_bytes)
}

fn whole(out: &mut dyn Write, alert: &Alert, cuts: &Cuts) -> io::Result<()> {
    Ok(document(alert, cuts).serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

fn least(out: &mut dyn Write, alert: &Alert, name_bytes: usize) -> io::Result<()> {
    let name = &alert.policy.name[..alert.policy.name.floor_char_boundary(name_bytes)];
    let document = json!({
        "@timestamp": rfc3339(alert.time()),
        "ecs": {"version": VERSION},
        "event": {"kind": "alert", "id": alert.uuid, "severity": severity(alert.policy.priority)},
        "rule": {"name": name},
        "sensor": {"alert_truncated": true, "incident_id": alert.incident_id},
    });
    Ok(document.serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

fn document(alert: &Alert, cuts: &Cuts) -> Value {
    let (policy, host) = (&*alert.policy, &*alert.host);
    let facts = Facts::of(&alert.event, host, cuts);
    let mut document = json!({
        "@timestamp": rfc3339(alert.time()),
        "ecs": {"version": VERSION},
        "message": cuts.words(alert.notifications.first().map_or("", |first| &first.message)),
        "event": event(alert, &facts),
        "rule": {
            "name": policy.name,
            "description": cuts.words(&policy.description),
            "category": cuts.words(&policy.policy_type),
            "ruleset": cuts.words(&policy.content_group),
        },
        "agent": {"id": cuts.words(&host.sensor_id), "type": "sophoslinuxsensor", "version": env!("CARGO_PKG_VERSION")},
        "host": host_object(alert, cuts),
        "labels": pairs(policy.labels.iter().take(cuts.lists), cuts),
        "tags": policy.categories.iter().take(cuts.lists).map(|text| cuts.words(text)).collect::<Vec<_>>(),
        "sensor": {
            "incident_id": alert.incident_id,
            "confidence": policy.confidence.word(),
            "scope": alert.scope.word(),
            "matched_rule": cuts.words(&alert.matched_rule),
            "comments": cuts.words(&policy.comments),
            "lineage": lineage(alert, cuts),
            "metadata": pairs(host.metadata.iter().take(cuts.metadata), cuts),
            "notifications": alert.notifications.iter().take(cuts.lists).map(|one| cuts.words(&one.message)).collect::<Vec<_>>(),
            "truncated": !cuts.is_none(),
        },
    });
    for mark in marks::of_event(&alert.event) {
        document["sensor"][mark.name] = true.into();
    }
    let process = &*alert.event.process;
    if process.key.tgid != 0 {
        let mut object = process_object(process, alert, cuts.args, cuts);
        if let Some(parent) = process.ancestors().next() {
            let mut parent_object = process_object(parent, alert, cuts.lineage_args, cuts);
            // Of the process itself the schema has this under `user.effective`.
            parent_object["group"] = json!({"id": parent.ids.egid.to_string()});
            object["parent"] = parent_object;
        }
        if let Detail::Exit { code, signal: 0, .. } = alert.event.detail {
            object["exit_code"] = code.into();
        }
        document["process"] = object;
        document["user"] = user(process.ids.uid, process.user.as_deref(), cuts);
        document["user"]["effective"] =
            json!({"id": process.ids.euid.to_string(), "group": {"id": process.ids.egid.to_string()}});
    }
    if let Some(file) = &facts.file {
        document["file"] = json!({
            "path": file.path,
            "name": file.name(),
            "type": file.file_type.map(|is| match is {
                FileType::Regular => "file",
                FileType::Directory => "dir",
                other => other.word(),
            }),
            "target_path": file.target.as_deref().filter(|_| file.file_type == Some(FileType::Symlink)),
        });
    }
    document["sensor"]["event"] = own(&alert.event, host, cuts);
    if alert.event.is_message() {
        message(&mut document, alert, &facts, cuts);
    }
    if facts.transport.is_some() {
        network(&mut document, &facts);
    }
    if let Some(container) = &process.container {
        let facts = container.facts();
        let listed = |texts: &[&str]| -> Vec<Value> {
            texts.iter().filter(|text| !text.is_empty()).map(|text| cuts.words(text).into()).collect()
        };
        document["container"] = json!({
            "id": cuts.words(&container.id),
            "name": cuts.words(&facts.name),
            "runtime": container.runtime().map(Runtime::word),
            "image": {
                "name": cuts.words(&facts.image_name),
                "tag": listed(&[&facts.image_tag]),
                "hash": {"all": listed(&[&facts.image_digest, &facts.image_id])},
            },
            "labels": pairs(facts.labels.iter().take(cuts.lists), cuts),
            "security_context": {"privileged": facts.privileged},
        });
        if !facts.pod.is_empty() {
            document["orchestrator"] = json!({
                "type": "kubernetes",
                "namespace": cuts.words(&facts.namespace),
                "resource": {"type": "pod", "name": cuts.words(&facts.pod)},
            });
        }
    }
    if let Some(threat) = threat(alert, cuts) {
        document["threat"] = threat;
    }
    without_empty(&mut document);
    document
}

fn event(alert: &Alert, facts: &Facts<'_>) -> Value {
    let (categories, types) = facts.activity.ecs();
    json!({
        "kind": "alert",
        "category": categories,
        "type": types,
        "action": facts.name,
        "code": alert.event.kind.word(),
        "outcome": facts.outcome.word(),
        "id": alert.uuid,
        "severity": severity(alert.policy.priority),
        "provider": "sophoslinuxsensor",
        "dataset": "sophoslinuxsensor.alert",
    })
}

/// What a message tells of others than its sender.
fn message(document: &mut Value, alert: &Alert, facts: &Facts<'_>, cuts: &Cuts) {
    let account = json!({"id": facts.account_id, "name": facts.account});
    if facts.is_of_account() && !facts.activity.is_of_group() {
        document["user"]["target"] = account;
    } else if facts.activity.is_of_login() && (facts.account.is_some() || facts.account_id.is_some()) {
        document["user"] = account;
    }
    document["group"] = json!({"id": facts.group_id, "name": facts.group});
    if facts.address.is_some() || facts.remote_host.is_some() {
        let address = facts.address.map(|address| address.to_string());
        document["source"] = json!({
            "address": address.as_deref().or(facts.remote_host.as_deref()),
            "ip": address,
            "domain": facts.remote_host,
        });
    }
    let sender = alert.event.process.user.as_deref().map(|name| cuts.words(name));
    let mut users: Vec<&str> = [facts.account.as_deref(), sender].into_iter().flatten().collect();
    users.dedup();
    document["related"] = json!({
        "user": if facts.activity.is_of_group() { sender.into_iter().collect() } else { users },
        "ip": facts.address.into_iter().collect::<Vec<_>>(),
        "hosts": facts.remote_host.iter().collect::<Vec<_>>(),
    });
    document["sensor"]["message"] = json!({
        "account": facts.account,
        "account_id": facts.account_id,
        "operation": facts.operation,
        "terminal": facts.terminal,
        "command": facts.command,
        "object": facts.object,
        "text": facts.text,
    });
}

/// Between whom something goes over the network, and how.
fn network(document: &mut Value, facts: &Facts<'_>) {
    document["source"] = facts.source.ecs();
    document["destination"] = facts.destination.ecs();
    document["network"] = json!({
        "type": facts.family,
        "transport": facts.transport,
        "direction": facts.direction.map(|direction| match direction {
            Direction::Inbound => "ingress",
            Direction::Outbound => "egress",
        }),
    });
    let mut addresses: Vec<_> = [facts.source.address, facts.destination.address].into_iter().flatten().collect();
    addresses.dedup();
    document["related"] = json!({"ip": addresses});
}

fn host_object(alert: &Alert, cuts: &Cuts) -> Value {
    let host = &*alert.host;
    let fact =
        |name: &str| cuts.words(host.metadata.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value));
    let addresses: Vec<&str> = host
        .metadata
        .iter()
        .filter(|(key, _)| key.starts_with("network_interface."))
        .flat_map(|(_, value)| value.split(','))
        .take(cuts.lists)
        .collect();
    json!({
        "name": cuts.words(&host.hostname),
        "hostname": cuts.words(&host.hostname),
        "id": fact("machine_id"),
        "architecture": fact("architecture"),
        "ip": addresses,
        "os": {
            "type": "linux",
            "name": fact("os_name"),
            "version": fact("os_version"),
            "platform": fact("os_platform"),
            "kernel": fact("kernel_release"),
        },
    })
}

fn process_object(process: &Process, alert: &Alert, args: usize, cuts: &Cuts) -> Value {
    let image = &*process.image;
    let path = cuts.text(&image.path);
    let (list, _) = Cuts::args(&image.args, args);
    let (line, _) = Cuts::command_line(&image.args, args);
    let boot = alert.host.boot_time;
    json!({
        "pid": process.key.tgid,
        "entity_id": alert.host.process_uuid(process.key),
        "name": path.rsplit('/').next(),
        "executable": path,
        "args": list,
        "args_count": image.argc,
        "command_line": line,
        "working_directory": cuts.text(&image.cwd),
        "interactive": !process.tty().is_empty(),
        "start": if boot == 0 { Value::Null } else { rfc3339(boot.saturating_add(process.key.start)).into() },
        "user": user(process.ids.euid, None, cuts),
        "real_user": user(process.ids.uid, process.user.as_deref(), cuts),
        "real_group": {"id": process.ids.gid.to_string()},
    })
}

fn user(id: u32, name: Option<&str>, cuts: &Cuts) -> Value {
    json!({"id": id.to_string(), "name": name.map(|name| cuts.words(name))})
}

/// The ancestors, the parent first, which `process.parent` tells as well.
fn lineage(alert: &Alert, cuts: &Cuts) -> Vec<Value> {
    let told = |process: &Process| {
        let mut object = json!({"pid": process.key.tgid, "executable": cuts.text(&process.image.path)});
        for mark in marks::of_process(process) {
            object[mark.name] = true.into();
        }
        object
    };
    alert.event.process.ancestors().take(cuts.lineage).map(told).collect()
}

fn threat(alert: &Alert, cuts: &Cuts) -> Option<Value> {
    let found: Vec<_> = alert.policy.categories.iter().take(cuts.lists).filter_map(|text| technique(text)).collect();
    let first = found.first()?;
    Some(json!({
        "framework": "MITRE ATT&CK",
        "tactic": {"name": found.iter().map(|found| cuts.words(found.tactic)).collect::<Vec<_>>()},
        "technique": {
            "name": found.iter().map(|found| cuts.words(found.name)).collect::<Vec<_>>(),
            "id": if first.id.is_some() { found.iter().filter_map(|found| found.id).collect() } else { Vec::new() },
        },
    }))
}

fn pairs<'a>(items: impl Iterator<Item = &'a (String, String)>, cuts: &Cuts) -> Map<String, Value> {
    // A dot in a name would make an object of it.
    items.map(|(key, value)| (cuts.words(key).replace('.', "_"), cuts.words(value).into())).collect()
}

const fn severity(priority: Priority) -> u32 {
    match priority {
        Priority::Info => 21,
        Priority::Low => 47,
        Priority::Medium => 73,
        Priority::High => 99,
    }
}

/// Takes out what has no value.
pub(crate) fn without_empty(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(without_empty);
            map.retain(|_, value| match value {
                Value::Null => false,
                Value::String(text) => !text.is_empty(),
                Value::Array(list) => !list.is_empty(),
                Value::Object(map) => !map.is_empty(),
                _ => true,
            });
        }
        // Within a list, an empty text is an argument.
        Value::Array(list) => list.iter_mut().filter(|value| value.is_object()).for_each(without_empty),
        _ => {}
    }
}
