//! The fields that templates see.
//!
//! Texts that come from processes are made harmless for terminals ([`visible`]). What an alert does not have is an
//! empty text, zero or an empty list, as in Go, so that `{{if}}` and `{{with}}` can test for it.

use gtmpl_ng::Value;

use crate::{
    alert::{Alert, Notification, printable, visible},
    event::{Container, Host, Process, fields::base_name},
};

/// All fields of an alert.
pub(super) fn of(alert: &Alert) -> Value {
    let (policy, process) = (&*alert.policy, &*alert.event.process);
    object([
        ("UUID", alert.uuid.to_string().into()),
        ("StrategyName", text(&policy.name)),
        ("Timestamp", (alert.time() / 1_000_000_000).into()),
        ("UnixNanoTimestamp", alert.time().into()),
        ("Description", text(&policy.description)),
        ("Comments", text(&policy.comments)),
        ("Priority", policy.priority.word().into()),
        ("Confidence", policy.confidence.word().into()),
        ("Scope", alert.scope.word().into()),
        ("GroupID", text(&policy.content_group)),
        ("AlertLabels", map(&policy.labels)),
        ("Categories", Value::Array(policy.categories.iter().map(|category| text(category)).collect())),
        ("PolicyType", text(&policy.policy_type)),
        ("MatchedRule", text(&alert.matched_rule)),
        ("IncidentID", alert.incident_id.to_string().into()),
        ("EventType", alert.event.kind.word().into()),
        ("Location", location(alert)),
        ("ProcessInfo", process_info(process, &alert.host)),
        ("Lineage", Value::Array(process.ancestors().map(|process| process_info(process, &alert.host)).collect())),
        ("Metadata", metadata(&alert.host)),
        ("Notifications", Value::Array(alert.notifications.iter().map(notification).collect())),
    ])
}

fn process_info(process: &Process, host: &Host) -> Value {
    let image = &*process.image;
    let known = process.key.tgid != 0;
    let start_time = if host.boot_time == 0 { 0 } else { host.boot_time.saturating_add(process.key.start) };
    object([
        ("Pid", process.key.tgid.into()),
        ("Tgid", process.key.tgid.into()),
        ("Ppid", process.parent_key.tgid.into()),
        ("Program", object([("Path", bytes(&image.path)), ("Name", bytes(base_name(&image.path)))])),
        ("ScriptPath", bytes(image.script().unwrap_or_default())),
        ("Args", Value::Array(image.args.iter().map(bytes).collect())),
        ("ArgsTruncated", image.args.is_cut().into()),
        ("CommandLine", bytes(image.args.joined())),
        ("Cwd", bytes(&image.cwd)),
        ("Uid", process.ids.uid.into()),
        ("Gid", process.ids.gid.into()),
        ("Euid", process.ids.euid.into()),
        ("Egid", process.ids.egid.into()),
        ("User", text(process.user.as_deref().unwrap_or_default())),
        ("Tty", bytes(process.tty())),
        ("ProcessUUID", if known { host.process_uuid(process.key).to_string().into() } else { text("") }),
        ("StartTime", start_time.into()),
    ])
}

fn location(alert: &Alert) -> Value {
    let container = alert.event.process.container.as_deref();
    let of = |get: fn(&Container) -> &String| text(container.map_or("", |container| get(container)));
    object([
        ("SensorID", text(&alert.host.sensor_id)),
        ("NodeName", text(&alert.host.hostname)),
        ("ContainerID", of(|container| &container.id)),
        ("ContainerName", of(|container| &container.name)),
        ("ImageID", of(|container| &container.image_id)),
        ("ImageName", of(|container| &container.image_name)),
        ("ContainerLabels", map(container.map_or(&[], |container| &container.labels))),
        ("KubernetesPod", of(|container| &container.pod)),
        ("KubernetesNamespace", of(|container| &container.namespace)),
    ])
}

fn metadata(host: &Host) -> Value {
    let own = std::iter::once(("hostname".to_owned(), text(&host.hostname)));
    Value::Map(host.metadata.iter().map(|(key, value)| (printable(key), text(value))).chain(own).collect())
}

fn notification(notification: &Notification) -> Value {
    let fields = notification.message_fields.iter().map(|(key, value)| ((*key).to_owned(), text(value)));
    object([
        ("Timestamp", (notification.time / 1_000_000_000).into()),
        ("Name", text(&notification.name)),
        ("UUID", notification.uuid.to_string().into()),
        ("Message", text(&notification.message)),
        ("MessageFields", Value::Map(fields.collect())),
    ])
}

/// A struct: asking it for another field is an error.
fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A map: asking it for another key gives nothing.
fn map(items: &[(String, String)]) -> Value {
    Value::Map(items.iter().map(|(key, value)| (printable(key), text(value))).collect())
}

/// Text of the configuration or the sensor's own; a line end at its end, as YAML blocks have one, is left out.
fn text(text: &str) -> Value {
    printable(text.trim_end_matches(['\n', '\r'])).into()
}

fn bytes(bytes: &[u8]) -> Value {
    visible(bytes).into()
}
