//! The default text of an alert: one JSON object in one line, always valid, nothing lost.
//!
//! Kernel strings stand as in table rows ([`crate::event::json`]): bytes that are not UTF-8 as `\xHH`, so that they
//! can be got back. Every control character is escaped, also those that JSON itself lets pass: a terminal must not
//! take an alert for commands, nor a reader of lines for two.

mod pieces;

use std::io::{self, Write};

use schema::process::Runtime;
use sensor_ebpf::record::exec_flags;
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use uuid::Uuid;

use self::pieces::{Args, Map, Text, Texts, Words};
use super::{
    Alert, Notification,
    cuts::Cuts,
    marks,
    shorten::{Form, write_as},
};
use crate::event::{Container, Host, Process};

const FORM: Form = Form { whole, least };

/// Appends the alert and a newline, at most so many bytes; whether something was cut.
pub fn write(out: &mut Vec<u8>, alert: &Alert, max_bytes: usize) -> bool {
    write_as(FORM, out, alert, max_bytes)
}

/// The alert less what is to be cut.
pub(super) fn whole(out: &mut dyn Write, alert: &Alert, cuts: &Cuts) -> io::Result<()> {
    Ok(AlertJson::new(alert, cuts).serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

/// What identifies an alert.
pub(super) fn least(out: &mut dyn Write, alert: &Alert, name_bytes: usize) -> io::Result<()> {
    let process = &alert.event.process;
    let least = Least {
        uuid: alert.uuid,
        timestamp: alert.time() / 1_000_000_000,
        unix_nano_timestamp: alert.time(),
        strategy_name: Words { text: &alert.policy.name, limit: name_bytes },
        priority: alert.policy.priority.word(),
        scope: alert.scope.word(),
        incident_id: alert.incident_id,
        process_info: (process.key.tgid != 0)
            .then(|| LeastProcess { pid: process.key.tgid, process_uuid: alert.host.process_uuid(process.key) }),
        alert_truncated: true,
    };
    Ok(least.serialize(&mut serde_json::Serializer::with_formatter(out, OneLine))?)
}

#[derive(Serialize)]
struct AlertJson<'a> {
    uuid: Uuid,
    timestamp: u64,
    unix_nano_timestamp: u64,
    strategy_name: &'a str,
    policy_type: Words<'a>,
    matched_rule: Words<'a>,
    priority: &'static str,
    confidence: &'static str,
    scope: &'static str,
    description: Words<'a>,
    comments: Words<'a>,
    categories: Texts<'a>,
    alert_labels: Map<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    content_group: Words<'a>,
    incident_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_info: Option<ProcessJson<'a>>,
    lineage: Lineage<'a>,
    #[serde(skip_serializing_if = "is_false")]
    lineage_truncated: bool,
    #[serde(skip_serializing_if = "is_false")]
    message_truncated: bool,
    location: Location<'a>,
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "is_false")]
    metadata_truncated: bool,
    notifications: Notifications<'a>,
    #[serde(skip_serializing_if = "is_false")]
    lists_truncated: bool,
    #[serde(skip_serializing_if = "is_false")]
    texts_truncated: bool,
}

impl<'a> AlertJson<'a> {
    fn new(alert: &'a Alert, cuts: &'a Cuts) -> Self {
        let (policy, host, process) = (&*alert.policy, &*alert.host, &*alert.event.process);
        let words = |text: &'a str| Words { text, limit: cuts.texts };
        Self {
            uuid: alert.uuid,
            timestamp: alert.time() / 1_000_000_000,
            unix_nano_timestamp: alert.time(),
            strategy_name: &policy.name,
            policy_type: words(&policy.policy_type),
            matched_rule: words(&alert.matched_rule),
            priority: policy.priority.word(),
            confidence: policy.confidence.word(),
            scope: alert.scope.word(),
            description: words(&policy.description),
            comments: words(&policy.comments),
            categories: Texts { items: &policy.categories, cuts },
            alert_labels: Map { items: &policy.labels, cuts },
            content_group: words(&policy.content_group),
            incident_id: alert.incident_id,
            process_info: (process.key.tgid != 0).then(|| ProcessJson::new(process, host, cuts.args, cuts)),
            lineage: Lineage { process, host, cuts },
            lineage_truncated: cuts.lineage != usize::MAX || process.lineage_cut,
            message_truncated: marks::has(marks::of_event(&alert.event), marks::MESSAGE),
            location: Location::new(alert, cuts),
            metadata: Metadata { host, cuts },
            metadata_truncated: cuts.metadata != usize::MAX,
            notifications: Notifications { items: &alert.notifications, cuts },
            lists_truncated: cuts.lists != usize::MAX,
            texts_truncated: cuts.texts != usize::MAX,
        }
    }
}

#[derive(Serialize)]
struct ProcessJson<'a> {
    pid: u32,
    ppid: u32,
    tgid: u32,
    name: Text<'a>,
    #[serde(skip_serializing_if = "is_false")]
    name_truncated: bool,
    #[serde(skip_serializing_if = "is_false")]
    is_user_mounts: bool,
    #[serde(skip_serializing_if = "Text::is_empty")]
    host_path: Text<'a>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    script_path: Text<'a>,
    args: Args<'a>,
    args_truncated: bool,
    #[serde(skip_serializing_if = "is_false")]
    args_read_late: bool,
    cwd: Text<'a>,
    #[serde(skip_serializing_if = "is_false")]
    cwd_truncated: bool,
    uid: u32,
    euid: u32,
    gid: u32,
    egid: u32,
    #[serde(skip_serializing_if = "Words::is_empty")]
    user: Words<'a>,
    #[serde(skip_serializing_if = "Text::is_empty")]
    tty: Text<'a>,
    process_uuid: Uuid,
    /// Nanoseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<u64>,
}

impl<'a> ProcessJson<'a> {
    fn new(process: &'a Process, host: &Host, args: usize, cuts: &Cuts) -> Self {
        let text = |bytes: &'a [u8]| Text { bytes, limit: cuts.texts };
        let image = &*process.image;
        Self {
            pid: process.key.tgid,
            ppid: process.parent_key.tgid,
            tgid: process.key.tgid,
            name: text(&image.path),
            name_truncated: image.lacks_beginning(),
            is_user_mounts: image.is(exec_flags::USER_MOUNTS),
            host_path: text(image.host_path().filter(|path| *path != image.path).unwrap_or_default()),
            script_path: text(image.script().unwrap_or_default()),
            args: Args { args: &image.args, limit: args },
            args_truncated: image.args.is_cut() || image.args.kept() > args,
            args_read_late: image.is(exec_flags::ARGS_LATE),
            cwd: text(&image.cwd),
            cwd_truncated: image.cwd_lacks_beginning(),
            uid: process.ids.uid,
            euid: process.ids.euid,
            gid: process.ids.gid,
            egid: process.ids.egid,
            user: Words { text: process.user.as_deref().unwrap_or_default(), limit: cuts.texts },
            tty: text(process.tty()),
            process_uuid: host.process_uuid(process.key),
            start_time: (host.boot_time != 0).then(|| host.boot_time.saturating_add(process.key.start)),
        }
    }
}

#[derive(Serialize)]
struct Location<'a> {
    sensor_id: Words<'a>,
    node_name: Words<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    container_id: Words<'a>,
    #[serde(skip_serializing_if = "is_false")]
    container_unknown: bool,
    #[serde(skip_serializing_if = "Words::is_empty")]
    container_runtime: Words<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    container_name: Words<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_privileged: Option<bool>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    image_id: Words<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    image_name: Words<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    image_tag: Words<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    image_digest: Words<'a>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    container_labels: Map<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    kubernetes_pod: Words<'a>,
    #[serde(skip_serializing_if = "Words::is_empty")]
    kubernetes_namespace: Words<'a>,
}

impl<'a> Location<'a> {
    fn new(alert: &'a Alert, cuts: &'a Cuts) -> Self {
        let words = |text: &'a str| Words { text, limit: cuts.texts };
        let container = alert.event.process.container.as_deref();
        let facts = container.map(Container::facts);
        Self {
            sensor_id: words(&alert.host.sensor_id),
            node_name: words(&alert.host.hostname),
            container_id: words(container.map_or("", |container| &container.id)),
            container_unknown: alert.event.process.container_unknown,
            container_runtime: words(container.and_then(Container::runtime).map_or("", Runtime::word)),
            container_name: words(facts.map_or("", |facts| &facts.name)),
            is_privileged: facts.and_then(|facts| facts.privileged),
            image_id: words(facts.map_or("", |facts| &facts.image_id)),
            image_name: words(facts.map_or("", |facts| &facts.image_name)),
            image_tag: words(facts.map_or("", |facts| &facts.image_tag)),
            image_digest: words(facts.map_or("", |facts| &facts.image_digest)),
            container_labels: Map { items: facts.map_or(&[], |facts| &facts.labels), cuts },
            kubernetes_pod: words(facts.map_or("", |facts| &facts.pod)),
            kubernetes_namespace: words(facts.map_or("", |facts| &facts.namespace)),
        }
    }
}

#[derive(Serialize)]
struct Least<'a> {
    uuid: Uuid,
    timestamp: u64,
    unix_nano_timestamp: u64,
    strategy_name: Words<'a>,
    priority: &'static str,
    scope: &'static str,
    incident_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_info: Option<LeastProcess>,
    alert_truncated: bool,
}

#[derive(Serialize)]
struct LeastProcess {
    pid: u32,
    process_uuid: Uuid,
}

/// Facts of the host, its name first.
struct Metadata<'a> {
    host: &'a Host,
    cuts: &'a Cuts,
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = |text| Words { text, limit: self.cuts.texts };
        let own = std::iter::once(("hostname", self.host.hostname.as_str()));
        let further = self.host.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let entries = own.chain(further.filter(|(key, _)| *key != "hostname")).take(self.cuts.metadata);
        serializer.collect_map(entries.map(|(key, value)| (words(key), words(value))))
    }
}

/// The ancestors, the parent first.
struct Lineage<'a> {
    process: &'a Process,
    host: &'a Host,
    cuts: &'a Cuts,
}

impl Serialize for Lineage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_seq(None)?;
        for ancestor in self.process.ancestors().take(self.cuts.lineage) {
            out.serialize_element(&ProcessJson::new(ancestor, self.host, self.cuts.lineage_args, self.cuts))?;
        }
        out.end()
    }
}

struct Notifications<'a> {
    items: &'a [Notification],
    cuts: &'a Cuts,
}

impl Serialize for Notifications<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items = self.items.iter().take(self.cuts.lists);
        serializer.collect_seq(items.map(|item| NotificationJson { item, cuts: self.cuts }))
    }
}

struct NotificationJson<'a> {
    item: &'a Notification,
    cuts: &'a Cuts,
}

impl Serialize for NotificationJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words = |text| Words { text, limit: self.cuts.texts };
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("timestamp", &(self.item.time / 1_000_000_000))?;
        out.serialize_entry("name", &words(&self.item.name))?;
        out.serialize_entry("uuid", &self.item.uuid)?;
        out.serialize_entry("message", &words(&self.item.message))?;
        out.serialize_entry("message_fields", &Fields { item: self.item, cuts: self.cuts })?;
        out.end()
    }
}

struct Fields<'a> {
    item: &'a Notification,
    cuts: &'a Cuts,
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.item.message_fields.iter();
        serializer.collect_map(fields.map(|(key, value)| (*key, Words { text: value, limit: self.cuts.texts })))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// JSON without blanks that also escapes DEL, C1 and the characters that end lines for some readers.
pub(crate) struct OneLine;

impl serde_json::ser::Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|char| matches!(char, '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}')) {
            let (plain, special) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let char = special.chars().next().unwrap_or_default();
            write!(writer, "\\u{:04x}", u32::from(char))?;
            rest = &special[char.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::event::json::lossless;

    fn line(alert: &Alert) -> String {
        let mut out = Vec::new();
        write(&mut out, alert, usize::MAX);
        String::from_utf8(out).unwrap()
    }

    fn with_path(path: &[u8]) -> Alert {
        let mut alert = Alert::sample();
        let mut process = (*alert.event.process).clone();
        let mut image = (*process.image).clone();
        image.path = path.to_vec();
        image.args.set(&[path, b"\0"].concat(), b"", path.len() as u64 + 1, false);
        process.image = Arc::new(image);
        alert.event.process = Arc::new(process);
        alert
    }

    #[test]
    fn the_names_are_the_documented_ones() {
        let alert = Alert::sample();
        let json: serde_json::Value = serde_json::from_str(&line(&alert)).unwrap();
        assert_eq!(json["uuid"], alert.uuid.to_string());
        assert_eq!(json["incident_id"], alert.uuid.to_string());
        assert_eq!(json["timestamp"], 1_700_004_001);
        assert_eq!(json["unix_nano_timestamp"], 1_700_004_001_500_000_000_u64);
        assert_eq!(json["strategy_name"], "Alert Tester");
        assert_eq!(json["policy_type"], "program");
        assert_eq!(json["matched_rule"], r#"match programName == "/usr/bin/wget""#);
        assert_eq!(
            (&json["priority"], &json["confidence"], &json["scope"]),
            (&"High".into(), &"High".into(), &"Container".into())
        );
        assert_eq!(json["alert_labels"]["team"], "web");
        let process = &json["process_info"];
        assert_eq!(process["pid"], 4_001);
        assert_eq!(process["ppid"], 4_000);
        assert_eq!(process["tgid"], 4_001);
        assert_eq!(process["name"], "/usr/bin/wget");
        assert_eq!(process["args"], serde_json::json!(["wget", "http://example.test/"]));
        assert_eq!(process["args_truncated"], false);
        assert_eq!(process["user"], "alice");
        assert_eq!(process["start_time"], 1_700_004_001_000_000_000_u64);
        assert_eq!(json["lineage"][0]["pid"], 4_000);
        assert_eq!(json["lineage"][1]["pid"], 1);
        assert_eq!(json["lineage"].as_array().unwrap().len(), 2);
        assert_eq!(json["location"]["node_name"], "host.example.test");
        assert_eq!(json["location"]["kubernetes_pod"], "web-0");
        assert_eq!(json["location"]["container_labels"]["app"], "web");
        assert_eq!(json["metadata"]["hostname"], "host.example.test");
        assert_eq!(json["metadata"]["os_name"], "Debian GNU/Linux");
        assert_eq!(json["notifications"][0]["message"], "Program /usr/bin/wget violated policy Alert Tester");
        for absent in ["lineage_truncated", "metadata_truncated", "lists_truncated", "texts_truncated"] {
            assert!(json.get(absent).is_none(), "{absent}");
        }
    }

    proptest! {
        #[test]
        fn any_name_makes_one_valid_line(
            path in prop_oneof![any::<Vec<u8>>(), "[\\x00-\\x1f\\x7f-\u{9f}\u{2028}\u{2029}a\\\\x]{0,20}".prop_map(String::into_bytes)],
        ) {
            let line = line(&with_path(&path));
            let body = line.strip_suffix('\n').unwrap();
            let splits = body.contains(|char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}'));
            prop_assert!(!splits);
            let json: serde_json::Value = serde_json::from_str(body).unwrap();
            prop_assert_eq!(json["process_info"]["name"].as_str().unwrap(), &*lossless(&path));
        }
    }
}
