//! The keys of an alert as JSON, told to those who read alerts: the page `docs/alerts.md`.
//!
//! The page is made of [`KEYS`], and a test holds [`KEYS`] against alerts that have everything: a key that is not told,
//! or told and not there, or of another type fails it.

use std::fmt::Write as _;

/// A key of the JSON.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// From the outside in: `process_info.pid`; `[]` stands for each element of an array, `*` for each key of a map.
    pub path: &'static str,
    /// `string`, `integer`, `boolean`, `object`, `array`.
    pub ty: &'static str,
    /// When it is there.
    pub there: There,
    pub doc: &'static str,
}

/// When a key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    Always,
    /// When there is something to say.
    IfKnown,
    /// When something was cut.
    IfCut,
}

const fn key(path: &'static str, ty: &'static str, there: There, doc: &'static str) -> Key {
    Key { path, ty, there, doc }
}

use There::{Always, IfCut, IfKnown};

/// All keys, in the order in which they are written.
pub const KEYS: &[Key] = &[
    key(
        "uuid",
        "string",
        Always,
        "The alert's own id, a version 7 UUID: the same each time it is sent, and in the order of time.",
    ),
    key("timestamp", "integer", Always, "When the event happened: seconds since the Unix epoch."),
    key("unix_nano_timestamp", "integer", Always, "The same in nanoseconds."),
    key("strategy_name", "string", Always, "The name of the policy."),
    key(
        "policy_type",
        "string",
        Always,
        "The type of the policy, such as `program` or `bpfExec`; `sensor` for what the sensor tells of itself.",
    ),
    key(
        "matched_rule",
        "string",
        Always,
        "The rule that decided, as it was written; of the sensor's own alerts, what happened.",
    ),
    key("priority", "string", Always, "`High`, `Medium`, `Low` or `Info`."),
    key("confidence", "string", Always, "`High`, `Medium` or `Low`."),
    key(
        "scope",
        "string",
        Always,
        "How far the harm can reach: `Process`, `RootProcess`, `Container`, `Node` or `Other`.",
    ),
    key("description", "string", Always, "The policy's description."),
    key("comments", "string", Always, "The policy's comments."),
    key("categories", "array", Always, "The policy's categories, such as `MITRE.Execution.Unix Shell (T1059.004)`."),
    key("categories[]", "string", Always, "One of them."),
    key("alert_labels", "object", Always, "The policy's labels."),
    key("alert_labels.*", "string", Always, "The label's value."),
    key("content_group", "string", IfKnown, "The group of shipped detections that the policy belongs to."),
    key(
        "incident_id",
        "string",
        Always,
        "What belongs together: alerts about a process and its descendants have the `uuid` of the first.",
    ),
    key("process_info", "object", IfKnown, "The process. Not there in alerts that are about no process."),
    key("process_info.pid", "integer", Always, "Its pid."),
    key("process_info.ppid", "integer", Always, "Its parent's pid, when it was forked."),
    key("process_info.tgid", "integer", Always, "Its thread group's id: the same as `pid`."),
    key("process_info.name", "string", Always, "The whole path of the program that it runs."),
    key(
        "process_info.name_truncated",
        "boolean",
        IfKnown,
        "Written, as `true`, if `name` lacks its beginning and so begins with `…`.",
    ),
    key(
        "process_info.is_user_mounts",
        "boolean",
        IfKnown,
        "Written, as `true`, if the program was run from mounts that a user could make: `name` is what that user wants it to be.",
    ),
    key("process_info.host_path", "string", IfKnown, "Where the host has the program, if that is not `name`."),
    key("process_info.script_path", "string", IfKnown, "The script, when the program is its interpreter."),
    key("process_info.args", "array", Always, "Its arguments, the first is the name that it was called by."),
    key("process_info.args[]", "string", Always, "One of them."),
    key("process_info.args_truncated", "boolean", Always, "Whether arguments are missing."),
    key(
        "process_info.args_read_late",
        "boolean",
        IfKnown,
        "Written, as `true`, if the arguments were read when the program was running already, and so are what it has left of them.",
    ),
    key("process_info.cwd", "string", Always, "Its working directory at the exec."),
    key(
        "process_info.cwd_truncated",
        "boolean",
        IfKnown,
        "Written, as `true`, if `cwd` lacks its beginning and so begins with `…`.",
    ),
    key("process_info.uid", "integer", Always, "Its real user id."),
    key("process_info.euid", "integer", Always, "Its effective user id."),
    key("process_info.gid", "integer", Always, "Its real group id."),
    key("process_info.egid", "integer", Always, "Its effective group id."),
    key("process_info.user", "string", IfKnown, "The login name of its real user."),
    key("process_info.tty", "string", IfKnown, "Its terminal."),
    key(
        "process_info.process_uuid",
        "string",
        Always,
        "What tells it from every other process of all hosts and times; the same in rows of tables.",
    ),
    key("process_info.start_time", "integer", IfKnown, "When it was forked: nanoseconds since the Unix epoch."),
    key("lineage", "array", Always, "Its ancestors, the parent first, as they were when each forked the next."),
    key("lineage[]", "object", Always, "One of them, with the keys of `process_info`."),
    key("lineage_truncated", "boolean", IfCut, "Ancestors are missing; also where they were never known."),
    key(
        "message_truncated",
        "boolean",
        IfKnown,
        "Written, as `true`, if the end of the audit message that it is about was cut off before the rules saw it.",
    ),
    key("location", "object", Always, "Where it happened."),
    key("location.sensor_id", "string", Always, "The sensor's id, a UUID that stays with the host."),
    key("location.node_name", "string", Always, "The host's name."),
    key("location.container_id", "string", IfKnown, "The container's id."),
    key("location.container_unknown", "boolean", IfKnown, "It could not be told whether this is a container."),
    key("location.container_runtime", "string", IfKnown, "What runs it, such as `docker`; `unknown` if nothing tells."),
    key("location.container_name", "string", IfKnown, "Its name, as its runtime says; so is what follows."),
    key("location.is_privileged", "boolean", IfKnown, "Whether it was started as a privileged one."),
    key("location.image_id", "string", IfKnown, "The id of its image."),
    key("location.image_name", "string", IfKnown, "The name of its image, without tag and digest."),
    key("location.image_tag", "string", IfKnown, "The tag of its image."),
    key("location.image_digest", "string", IfKnown, "The digest of its image, as registries name it."),
    key("location.container_labels", "object", IfKnown, "Its labels."),
    key("location.container_labels.*", "string", Always, "The label's value."),
    key("location.kubernetes_pod", "string", IfKnown, "The pod that it belongs to."),
    key("location.kubernetes_namespace", "string", IfKnown, "The namespace of that."),
    key("metadata", "object", Always, "Facts about the host, its `hostname` first."),
    key("metadata.*", "string", Always, "The fact."),
    key("metadata_truncated", "boolean", IfCut, "Facts are missing."),
    key(
        "notifications",
        "array",
        Always,
        "What happened, in sentences: first the violation, then what else is to be said.",
    ),
    key("notifications[]", "object", Always, "One of them."),
    key("notifications[].timestamp", "integer", Always, "When: seconds since the Unix epoch."),
    key("notifications[].name", "string", Always, "The policy, or what else speaks."),
    key("notifications[].uuid", "string", Always, "Its own id."),
    key("notifications[].message", "string", Always, "The sentence."),
    key("notifications[].message_fields", "object", Always, "Its parts by name."),
    key("notifications[].message_fields.*", "string", Always, "The part."),
    key("lists_truncated", "boolean", IfCut, "Labels, categories or later notifications are missing."),
    key("texts_truncated", "boolean", IfCut, "Long texts have lost their ends."),
    key("alert_truncated", "boolean", IfCut, "Only what identifies the alert is left."),
];

/// The page `docs/alerts.md`.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Alerts\n\n\
         What an alert without a template and in the format `json` consists of: one object in one line. `[]` stands for each\n\
         element of an array, `*` for each key of a map. Bytes of names and arguments that are not UTF-8 stand as `\\xHH`.\n\
         Other formats and templates: [outputs.md](outputs.md).\n\n\
         This page is made from the sensor's own table of keys: `UPDATE_DOCS=1 cargo test alert::reference`.\n\n\
         | key | type | there | meaning |\n| --- | --- | --- | --- |\n",
    );
    for key in KEYS {
        let there = match key.there {
            Always => "always",
            IfKnown => "if known",
            IfCut => "if cut",
        };
        // Writing to a string does not fail.
        let _ = writeln!(page, "| `{}` | {} | {there} | {} |", key.path, key.ty, key.doc);
    }
    page.push_str(
        "\n*Always* is within the object that it belongs to. *Not yet*: the key is part of the format, and the sensor does not ask for what\n\
         it tells. *If cut* is written only when an output's `max_bytes` has cut\n\
         something, and then `true`; an alert that has `alert_truncated` consists of `uuid`, `timestamp`,\n\
         `unix_nano_timestamp`, `strategy_name`, `priority`, `scope`, `incident_id`, and of its process `pid` and\n\
         `process_uuid`.\n",
    );
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use crate::event::{AuditMessage, Detail, UserName};
    use sensor_ebpf::record::exec_flags;
    use serde_json::Value;

    use super::*;
    use crate::alert::cuts::Cuts;
    use crate::alert::shorten::MIN_BYTES;
    use crate::alert::{Alert, json};

    /// Maps whose keys are not the sensor's to name.
    const MAPS: &[&str] = &["alert_labels", "location.container_labels", "metadata", "notifications[].message_fields"];

    /// Adds each path of a value and its type.
    fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, &'static str>) {
        let ty = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if !path.is_empty() {
            let before = found.insert(path.to_owned(), ty);
            assert!(before.is_none_or(|before| before == ty), "{path} has several types");
        }
        match value {
            // An ancestor has what a process has.
            Value::Object(object) if path == "lineage[]" => {
                for (key, value) in object {
                    collect(&format!("process_info.{key}"), value, found);
                }
            }
            Value::Object(object) => {
                for (key, value) in object {
                    let key = if MAPS.contains(&path) { "*" } else { key };
                    let dot = if path.is_empty() { "" } else { "." };
                    collect(&format!("{path}{dot}{key}"), value, found);
                }
            }
            Value::Array(array) => array.iter().for_each(|value| collect(&format!("{path}[]"), value, found)),
            _ => {}
        }
    }

    /// An alert that has everything: its process runs a script at a terminal.
    fn full() -> Alert {
        let mut alert = Alert::sample();
        let mut process = (*alert.event.process).clone();
        let mut image = (*process.image).clone();
        image.path = b"/usr/bin/python3".to_vec();
        image.script = b"/srv/job.py".to_vec();
        image.host_path = b"/var/lib/python3".to_vec();
        image.flags |= exec_flags::SCRIPT | exec_flags::USER_MOUNTS | exec_flags::ARGS_LATE;
        process.image = Arc::new(image);
        process.tty[..5].copy_from_slice(b"pts/3");
        process.container_unknown = true;
        let mut parent = (**process.parent.as_ref().unwrap()).clone();
        let mut image = (*parent.image).clone();
        image.path = "…/deep".as_bytes().to_vec();
        image.cwd.clone_from(&image.path);
        parent.image = Arc::new(image);
        process.parent = Some(Arc::new(parent));
        alert.event.process = Arc::new(process);
        alert.event.detail = Detail::Audit(Arc::new(AuditMessage::new(1112, b"op=login", 9000, 0)));
        alert
    }

    fn parsed(write: impl FnOnce(&mut Vec<u8>)) -> Value {
        let mut out = Vec::new();
        write(&mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn every_key_is_told_and_every_told_key_is_there() {
        let alert = full();
        let whole = parsed(|out| json::whole(out, &alert, &Cuts::NONE).unwrap());
        let mut found = BTreeMap::new();
        collect("", &whole, &mut found);
        let cut = Cuts { lineage_args: 9, args: 9, metadata: 9, lists: 9, lineage: 9, texts: 9 };
        collect("", &parsed(|out| json::whole(out, &alert, &cut).unwrap()), &mut found);
        collect("", &parsed(|out| json::least(out, &alert, MIN_BYTES / 2).unwrap()), &mut found);
        let told: BTreeMap<String, &str> = KEYS.iter().map(|key| (key.path.to_owned(), key.ty)).collect();
        assert_eq!(told.len(), KEYS.len(), "a key is told twice");
        assert_eq!(found, told);
        for key in KEYS.iter().filter(|key| key.there == There::IfCut) {
            assert!(whole.get(key.path).is_none(), "{}", key.path);
        }
    }

    #[test]
    fn what_is_always_there_is_there_without_anything_known() {
        let mut alert = Alert::sample();
        let mut process = (*alert.event.process).clone();
        (process.container, process.user, process.parent) = (None, UserName::default(), None);
        alert.event.process = Arc::new(process);
        let mut out = Vec::new();
        json::write(&mut out, &alert, usize::MAX);
        let json: Value = serde_json::from_slice(&out).unwrap();
        let mut found = BTreeMap::new();
        collect("", &json, &mut found);
        for key in KEYS.iter().filter(|key| key.path != "lineage[]" && key.path != "location.container_labels.*") {
            match key.there {
                Always => assert!(found.contains_key(key.path), "{}", key.path),
                IfCut => assert!(!found.contains_key(key.path), "{}", key.path),
                IfKnown => {}
            }
        }
        for key in ["location.container_id", "location.kubernetes_pod", "process_info.user"] {
            assert!(!found.contains_key(key), "{key}");
        }
    }

    #[test]
    fn the_committed_page_is_the_made_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/alerts.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, page()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == page(), "docs/alerts.md is stale: UPDATE_DOCS=1 cargo test alert::reference");
    }
}
