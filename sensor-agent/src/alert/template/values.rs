//! The fields that templates see.
//!
//! Texts that come from processes are made harmless for terminals ([`visible`]). What an alert does not have is an
//! empty text, zero or an empty list, as in Go, so that `{{if}}` and `{{with}}` can test for it. Types are those that
//! decide in Go what can be compared with what: times are `int64`, ids are `uint32`.

use containers::Facts;
use gotemplate::Value;
use schema::process::Runtime;
use sensor_ebpf::record::exec_flags;

use crate::{
    alert::{Alert, Notification, marks, printable, visible},
    event::{Container, Host, Process, fields::base_name},
};

/// All fields of an alert.
pub(super) fn of(alert: &Alert) -> Value {
    let (policy, process) = (&*alert.policy, &*alert.event.process);
    Value::structure(
        "Alert",
        [
            ("UUID", alert.uuid.to_string().into()),
            ("StrategyName", text(&policy.name)),
            ("Timestamp", time(alert.time() / 1_000_000_000)),
            ("UnixNanoTimestamp", time(alert.time())),
            ("Description", text(&policy.description)),
            ("Comments", text(&policy.comments)),
            ("Priority", policy.priority.word().into()),
            ("Confidence", policy.confidence.word().into()),
            ("Scope", alert.scope.word().into()),
            ("GroupID", text(&policy.content_group)),
            ("AlertLabels", labels(&policy.labels)),
            ("Categories", Value::list("string", policy.categories.iter().map(|category| text(category)))),
            ("PolicyType", text(&policy.policy_type)),
            ("MatchedRule", text(&alert.matched_rule)),
            ("IncidentID", alert.incident_id.to_string().into()),
            ("EventType", alert.event.kind.word().into()),
            ("Location", location(alert)),
            ("ProcessInfo", process_info(process, &alert.host)),
            ("MessageTruncated", marks::has(marks::of_event(&alert.event), marks::MESSAGE).into()),
            ("LineageTruncated", process.lineage_cut.into()),
            (
                "Lineage",
                Value::list("main.Process", process.ancestors().map(|process| process_info(process, &alert.host))),
            ),
            ("Metadata", metadata(&alert.host)),
            ("Notifications", Value::list("main.Notification", alert.notifications.iter().map(notification))),
        ],
    )
}

fn process_info(process: &Process, host: &Host) -> Value {
    let image = &*process.image;
    let known = process.key.tgid != 0;
    let start_time = if host.boot_time == 0 { 0 } else { host.boot_time.saturating_add(process.key.start) };
    let program = [("Path", bytes(&image.path)), ("Name", bytes(base_name(&image.path)))];
    Value::structure(
        "Process",
        [
            ("Pid", Value::Uint32(process.key.tgid)),
            ("Tgid", Value::Uint32(process.key.tgid)),
            ("Ppid", Value::Uint32(process.parent_key.tgid)),
            ("Program", Value::structure("Program", program)),
            ("NameTruncated", image.lacks_beginning().into()),
            ("HostPath", bytes(image.host_path().unwrap_or_default())),
            ("IsUserMounts", image.is(exec_flags::USER_MOUNTS).into()),
            ("ScriptPath", bytes(image.script().unwrap_or_default())),
            ("Args", Value::list("string", image.args.iter().map(bytes))),
            ("ArgsTruncated", image.args.is_cut().into()),
            ("ArgsReadLate", image.is(exec_flags::ARGS_LATE).into()),
            ("CommandLine", bytes(image.args.joined())),
            ("Cwd", bytes(&image.cwd)),
            ("CwdTruncated", image.cwd_lacks_beginning().into()),
            ("Uid", Value::Uint32(process.ids.uid)),
            ("Gid", Value::Uint32(process.ids.gid)),
            ("Euid", Value::Uint32(process.ids.euid)),
            ("Egid", Value::Uint32(process.ids.egid)),
            ("User", text(process.user.as_deref().unwrap_or_default())),
            ("Tty", bytes(process.tty())),
            ("ProcessUUID", if known { host.process_uuid(process.key).to_string().into() } else { text("") }),
            ("StartTime", time(start_time)),
        ],
    )
}

fn location(alert: &Alert) -> Value {
    let container = alert.event.process.container.as_deref();
    let facts = container.map(Container::facts);
    let of = |get: fn(&Facts) -> &String| text(facts.map_or("", |facts| get(facts)));
    Value::structure(
        "Location",
        [
            ("SensorID", text(&alert.host.sensor_id)),
            ("NodeName", text(&alert.host.hostname)),
            ("ContainerID", text(container.map_or("", |container| &container.id))),
            ("ContainerUnknown", alert.event.process.container_unknown.into()),
            ("ContainerRuntime", text(container.and_then(Container::runtime).map_or("", Runtime::word))),
            ("ContainerName", of(|facts| &facts.name)),
            ("IsPrivileged", facts.and_then(|facts| facts.privileged).unwrap_or_default().into()),
            ("ImageID", of(|facts| &facts.image_id)),
            ("ImageName", of(|facts| &facts.image_name)),
            ("ImageTag", of(|facts| &facts.image_tag)),
            ("ImageDigest", of(|facts| &facts.image_digest)),
            ("ContainerLabels", labels(facts.map_or(&[], |facts| &facts.labels))),
            ("KubernetesPod", of(|facts| &facts.pod)),
            ("KubernetesNamespace", of(|facts| &facts.namespace)),
        ],
    )
}

fn metadata(host: &Host) -> Value {
    let own = std::iter::once(("hostname", &host.hostname));
    map(host.metadata.iter().map(|(key, value)| (key.as_str(), value)).chain(own))
}

fn notification(notification: &Notification) -> Value {
    Value::structure(
        "Notification",
        [
            ("Timestamp", time(notification.time / 1_000_000_000)),
            ("Name", text(&notification.name)),
            ("UUID", notification.uuid.to_string().into()),
            ("Message", text(&notification.message)),
            ("MessageFields", map(notification.message_fields.iter().map(|(key, value)| (*key, value)))),
        ],
    )
}

fn labels(labels: &[(String, String)]) -> Value {
    map(labels.iter().map(|(key, value)| (key.as_str(), value)))
}

/// A map: asking it for another key gives nothing.
fn map<'a>(items: impl IntoIterator<Item = (&'a str, &'a String)>) -> Value {
    Value::map(items.into_iter().map(|(key, value)| (printable(key), trimmed(value))))
}

fn time(time: u64) -> Value {
    i64::try_from(time).map_or(Value::Uint64(time), Value::Int64)
}

/// Text of the configuration or the sensor's own; a line end at its end, as YAML blocks have one, is left out.
fn text(text: &str) -> Value {
    trimmed(text).into()
}

fn trimmed(text: &str) -> String {
    printable(text.trim_end_matches(['\n', '\r']))
}

fn bytes(bytes: &[u8]) -> Value {
    visible(bytes).into()
}
