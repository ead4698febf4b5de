//! Events written down by hand, for tests of rules and for explaining verdicts.
//!
//! An event is a map. Its keys are field names (`programName`) or columns (`path`), so that a row of a table is an
//! event too; `lineage` is a list of such maps, the parent first. An alert as JSON is also taken, as far as it tells
//! what happened. Text is read as rows write it: `\xHH` stands for a byte that is not UTF-8.

mod alert;
mod draft;
mod given;

use diagnostic::nearest;
use schema::Owner;
use serde_json::{Map, Value};

pub(super) use self::{
    draft::Draft,
    given::{Fault, Given},
};
use super::fields::{self, Field, foreign};
use super::{Event, Host};

/// Why a map is no event. Each says where: a key, or `lineage[0].key`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("an event is a map of fields and their values")]
    NoMap,
    #[error("there is no field or column `{at}`; {advice}")]
    Unknown { at: String, advice: String },
    #[error("`{at}` is a {expected}, and this is {found}")]
    Type { at: String, expected: &'static str, found: String },
    #[error("`{at}`: {why}")]
    Value { at: String, why: String },
    #[error("`lineage` is a list of maps, the parent first")]
    Lineage,
}

/// Makes an event, and the host that it happened on.
///
/// What the map leaves out is absent, or zero where a field has no absence. Without `eventType` it is what its other
/// keys make likely: an exit, a failed exec, lost records, and else an exec.
///
/// # Errors
/// Everything that is wrong with the map.
pub fn build(event: &Value) -> Result<(Event, Host), Vec<BuildError>> {
    let Value::Object(map) = event else { return Err(vec![BuildError::NoMap]) };
    // Every alert names its policy; one about the sensor itself has no process.
    if map.contains_key("strategy_name") { build_map(&alert::fields(map)) } else { build_map(map) }
}

fn build_map(map: &Map<String, Value>) -> Result<(Event, Host), Vec<BuildError>> {
    let mut errors = Vec::new();
    let mut draft = Draft::default();
    let mut ancestors = Vec::new();
    for (key, value) in map {
        if key == "lineage" {
            match lineage(value, &mut errors) {
                Some(drafts) => ancestors = drafts,
                None => errors.push(BuildError::Lineage),
            }
        } else if key == "time" && map.contains_key("unix_nano_timestamp") {
            // A row that also tells its time in seconds.
        } else if key != "table" {
            set(&mut draft, key, value, "", false, &mut errors);
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    draft.finish(ancestors).map_err(|error| vec![error])
}

fn lineage(value: &Value, errors: &mut Vec<BuildError>) -> Option<Vec<Draft>> {
    let mut drafts = Vec::new();
    for (index, ancestor) in value.as_array()?.iter().enumerate() {
        let mut draft = Draft::default();
        for (key, value) in ancestor.as_object()? {
            set(&mut draft, key, value, &format!("lineage[{index}]."), true, errors);
        }
        drafts.push(draft);
    }
    Some(drafts)
}

fn set(draft: &mut Draft, key: &str, value: &Value, path: &str, ancestor: bool, errors: &mut Vec<BuildError>) {
    let at = format!("{path}{key}");
    let fits = |field: &&'static Field| !ancestor || field.owner == Owner::Process;
    let Some(field) = fields::by_name(key).or_else(|| fields::by_column(key)).filter(fits) else {
        let known = fields::FIELDS.iter().filter(fits).flat_map(|field| [field.name, field.column]);
        let near = nearest(key, known.chain(["lineage"])).map(|near| format!("did you mean `{path}{near}`?"));
        let advice = foreign::advice(key).or(near).unwrap_or_else(|| foreign::ALL_FIELDS.into());
        errors.push(BuildError::Unknown { at, advice });
        return;
    };
    // Null: the event has no such value. Of a truth value that is more than to leave it out.
    if (!value.is_null() || field.name == "isContainer")
        && let Err(fault) = field.set(draft, value)
    {
        errors.push(match fault {
            Fault::Type => BuildError::Type { at, expected: field.ty.name(), found: value.to_string() },
            Fault::Value(why) => BuildError::Value { at, why },
        });
    }
}

#[cfg(test)]
mod tests {
    use schema::{Class, Table, Type};
    use serde_json::json;

    use super::*;
    use crate::event::json::{RowWriter, write_value};

    fn built(map: Value) -> (Event, Host) {
        build(&map).unwrap_or_else(|errors| panic!("{map}: {errors:?}"))
    }

    fn shown(field: &Field, event: &Event, host: &Host) -> Value {
        let mut out = Vec::new();
        write_value(&mut out, field.of(event, host));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn every_field_can_be_written_down() {
        for field in &fields::FIELDS {
            let value = match (field.name, field.ty) {
                ("sophosPid", _) => json!("7:9"),
                ("processUuid" | "parentProcessUuid", _) => json!("00000000-0008-8000-8000-0700000000ff"),
                ("incidentId", _) => json!("00000000-0000-4000-8000-0000000000ff"),
                ("tty", _) => json!("pts/3"),
                (_, Type::Word(words)) => json!(words.last()),
                (_, Type::Bool) => json!(true),
                (_, Type::Path) => json!("/some/path"),
                (_, Type::Texts) => json!(["one", "", "two"]),
                (_, Type::Numbers) => json!([3, 1]),
                (_, Type::Address) => json!("10.0.0.1"),
                (_, Type::Text) => json!("some-text"),
                (_, Type::Number | Type::Size | Type::Duration | Type::Time) => json!(3),
            };
            for key in [field.name, field.column] {
                // The column `time` counts seconds; as the name of a field it is the time in nanoseconds.
                if fields::by_name(key).is_some_and(|named| named.name != field.name) {
                    continue;
                }
                let mut map = json!({ key: value.clone() });
                if field.name == "unixTime" {
                    // Every event has a time; it is a column of audit messages alone.
                    map["messageType"] = json!(1100);
                }
                let (event, host) = built(map);
                if field.column.ends_with("process_uuid") {
                    // Of a UUID only what it tells of the process is kept, and the boot's first 36 bits.
                    assert_ne!(shown(field, &event, &host), Value::Null, "{key}");
                } else {
                    assert_eq!(shown(field, &event, &host), value, "{key}");
                }
            }
        }
    }

    /// What a running sensor can write is one of these words, since they are types where they are made.
    #[test]
    fn every_word_of_every_closed_set_is_read_back() {
        for field in &fields::FIELDS {
            let Type::Word(words) = field.ty else { continue };
            for word in words {
                let (event, host) = built(json!({ field.name: word }));
                assert_eq!(shown(field, &event, &host), json!(word), "{}", field.name);
            }
        }
    }

    #[test]
    fn a_row_is_an_event() {
        let (event, host) = built(json!({
            "eventType": "PROCESS_EVENT_TYPE_EXIT", "time": "2026-01-31T12:00:00Z", "hostname": "h", "sensorId": "s",
            "sophosPid": "100:5000", "programName": "/usr/bin/env", "args": ["env", "", "a\\xff b"], "uid": 1000,
            "exitSignal": 9, "isMemfd": true, "containerId": "c", "cwd": "/", "tty": "pts/1", "loginUid": 5,
            "lineage": [{"processPid": 50, "programName": "/bin/sh"}, {"sophosPid": "1:1"}],
        }));
        let writer = RowWriter::new(Table::by_name("process_events").unwrap());
        let row = |event: &Event, host: &Host| {
            let mut out = Vec::new();
            writer.write(&mut out, event, host);
            serde_json::from_slice::<Value>(&out).unwrap()
        };
        let first = row(&event, &host);
        let (again, host) = built(first.clone());
        assert_eq!(row(&again, &host), first);
        assert_eq!(first["parents"], json!([50, 1]));
        assert_eq!(first["cmdline"], json!("env  a\\xff b"));
        assert_eq!(event.process.image.args.iter().nth(2), Some(&b"a\xff b"[..]));
    }

    #[test]
    fn a_row_of_an_audit_message_is_an_event() {
        let text = "op=PAM:authentication acct=\"bob\" exe=\"/usr/sbin/sshd\" hostname=h addr=203.0.113.7 terminal=ssh res=failed";
        let (event, host) = built(json!({"messageType": 1100, "message": text, "time": 5_000_000_007_u64, "uid": 0}));
        let writer = RowWriter::new(Table::by_name("audit_usr_msg").unwrap());
        let row = |event: &Event, host: &Host| {
            let mut out = Vec::new();
            writer.write(&mut out, event, host);
            serde_json::from_slice::<Value>(&out).unwrap()
        };
        let first = row(&event, &host);
        for (column, value) in [
            ("time", json!(5)),
            ("unix_nano_timestamp", json!(5_000_000_007_u64)),
            ("type_name", json!("USER_AUTH")),
            ("acct", json!("bob")),
            ("address", json!("203.0.113.7")),
            ("terminal", json!("ssh")),
            ("result", json!("failed")),
            ("message", json!(text)),
        ] {
            assert_eq!(first[column], value, "{column}");
        }
        let (again, host) = built(first.clone());
        assert_eq!(row(&again, &host), first);
        // Local: the row says so, and no range holds it.
        let (local, host) = built(json!({"message": "op=x addr=?", "messageTypeName": "USER_LOGIN"}));
        assert_eq!(
            (row(&local, &host)["address"].clone(), row(&local, &host)["type"].clone()),
            (json!("?"), json!(1112))
        );
    }

    #[test]
    fn an_alert_is_an_event() {
        let (event, host) = built(json!({
            "uuid": "u", "strategy_name": "s", "unix_nano_timestamp": 5, "matched_rule": "match uid == 0",
            "process_info": {"pid": 7, "tgid": 7, "ppid": 1, "name": "/usr/bin/wget", "args": ["wget", "x"], "uid": 0,
                "euid": 1, "user": "root", "start_time": 3, "sha256": "…", "process_uuid": "00000000-0008-8000-8000-0700000000ff"},
            "lineage": [{"pid": 1, "name": "/sbin/init", "args": ["init"]}],
            "location": {"sensor_id": "s", "node_name": "n", "container_id": "c", "container_labels": {"a": "b"}},
            "metadata": {"hostname": "n"},
        }));
        assert_eq!(event.process.image.path, b"/usr/bin/wget");
        assert_eq!(event.process.parent.as_ref().unwrap().image.path, b"/sbin/init");
        assert_eq!(event.process.container.as_ref().unwrap().id, "c");
        assert_eq!((event.time, event.process.ids.euid, &*host.hostname), (5, 1, "n"));
        assert_eq!(event.process.user.as_deref(), Some("root"));
    }

    #[test]
    fn what_is_likely_without_a_type() {
        for (map, class, kind) in [
            (json!({}), Class::Process, "PROCESS_EVENT_TYPE_EXEC"),
            (json!({"exitCode": 1}), Class::Process, "PROCESS_EVENT_TYPE_EXIT"),
            (json!({"errno": 2}), Class::Process, "PROCESS_EVENT_TYPE_EXEC_FAILED"),
            (json!({"acct": "root"}), Class::Audit, "AUDIT_USER_MESSAGE"),
            (json!({"refusal": "length"}), Class::Audit, "AUDIT_USER_MESSAGE_REFUSED"),
            (json!({"moduleName": "x"}), Class::Module, "MODULE_EVENT_TYPE_LOAD"),
            (json!({"bpfType": "xdp"}), Class::Bpf, "BPF_EVENT_TYPE_LOAD"),
            (json!({"targetPath": "/x"}), Class::File, "FILE_EVENT_TYPE_RENAME"),
            (json!({"fileType": "regular"}), Class::File, "FILE_EVENT_TYPE_OPEN_FOR_MODIFY"),
            (json!({"newUid": 0}), Class::Credentials, "CREDENTIAL_EVENT_TYPE_CHANGE"),
            (json!({"namespaceKinds": "mnt"}), Class::Containment, "CONTAINMENT_EVENT_TYPE_NAMESPACE"),
            (json!({"mountType": "proc"}), Class::Containment, "CONTAINMENT_EVENT_TYPE_MOUNT"),
            (json!({"memorySize": 4096}), Class::Memory, "MEMORY_EVENT_TYPE_EXECUTABLE"),
            (json!({"memfdName": "x"}), Class::Memory, "MEMORY_EVENT_TYPE_MEMFD"),
            (json!({"userfaultfdFlags": 0}), Class::Memory, "MEMORY_EVENT_TYPE_USERFAULTFD"),
            (json!({"crashSignal": "SIGBUS"}), Class::Crash, "CRASH_EVENT_TYPE_CRASH"),
            (json!({"eventType": "CRASH_EVENT_TYPE_REPEATED"}), Class::Crash, "CRASH_EVENT_TYPE_REPEATED"),
            (json!({"sysctlName": "kernel.modprobe"}), Class::Sysctl, "SYSCTL_EVENT_TYPE_WRITE"),
            (json!({"isIoUringPolled": true}), Class::IoUring, "IO_URING_EVENT_TYPE_SETUP"),
            (json!({"perfTargetPid": 1}), Class::Perf, "PERF_EVENT_TYPE_OPEN"),
            (json!({"kexecFile": "vmlinuz"}), Class::Kexec, "KEXEC_EVENT_TYPE_LOAD"),
            (json!({"rawSocketFamily": "packet"}), Class::RawSocket, "RAW_SOCKET_EVENT_TYPE_CREATE"),
            (json!({"socketPath": "/run/docker.sock"}), Class::UnixSocket, "UNIX_SOCKET_EVENT_TYPE_CONNECT"),
            (json!({"helperPath": "/tmp/x"}), Class::UserHelper, "USER_HELPER_EVENT_TYPE_START"),
            (json!({"bpfCall": "link_create"}), Class::BpfCalls, "BPF_EVENT_TYPE_ATTACH"),
            (json!({"bpfCall": "map_update", "sensorObject": "map"}), Class::BpfCalls, "BPF_EVENT_TYPE_SENSOR_OBJECT"),
            (json!({"targetPid": 1}), Class::Tracing, "TRACING_EVENT_TYPE_ACCESS"),
            (json!({"cause": "ring_full", "stage": "ring"}), Class::Sensor, "LOST_RECORDS"),
        ] {
            let (event, _) = built(map);
            assert_eq!((event.kind.class(), event.kind.word()), (class, kind));
        }
    }

    #[test]
    fn faults_say_where() {
        let errors = build(&json!({
            "programname": "x", "uid": "root", "processPid": 99999999999u64, "eventType": "EXEC", "args": "x",
            "sophosPid": "7", "tty": "a-name-far-too-long-for-a-terminal", "lineage": [{"eventType": "x"}, {"uid": true}],
        }))
        .unwrap_err();
        let said: Vec<_> = errors.iter().map(ToString::to_string).collect();
        for part in [
            "no field or column `programname`; did you mean `programName`?",
            "`uid` is a number, and this is \"root\"",
            "`processPid`: 99999999999 is out of range",
            "`eventType`: ",
            "`args` is a list of texts, and this is \"x\"",
            "`sophosPid`: ",
            "`tty`: ",
            "no field or column `lineage[0].eventType`",
            "`lineage[1].uid` is a number, and this is true",
        ] {
            assert!(said.iter().any(|text| text.contains(part)), "lacks {part}: {said:#?}");
        }
        assert_eq!(build(&json!([])).unwrap_err(), [BuildError::NoMap]);
        assert_eq!(build(&json!({"lineage": 1})).unwrap_err(), [BuildError::Lineage]);
    }
}
