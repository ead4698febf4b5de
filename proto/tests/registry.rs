//! The messages against the sensor: the columns of its field registry, the rows and the alerts that it writes.

use std::{collections::BTreeSet, sync::Arc};

use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type as Wire},
};
use schema::{TABLES, Table, Type};
use sensor_agent::{
    alert::{self, Alert},
    event::{Event, Host, build, fields, json::RowWriter},
    policy::Policy,
};
use sensor_proto::v1;
use serde_json::{Value, json};

fn message(name: &str) -> DescriptorProto {
    let definitions = FileDescriptorSet::decode(sensor_proto::DEFINITIONS).unwrap();
    let mut messages = definitions.file.into_iter().flat_map(|file| file.message_type);
    messages.find(|message| message.name() == name).unwrap_or_else(|| panic!("no message {name}"))
}

/// Each table that a row can be of, with its message.
fn messages() -> Vec<(String, DescriptorProto)> {
    let of = |field: &FieldDescriptorProto| message(field.type_name().rsplit('.').next().unwrap());
    message("Row").field.iter().map(|field| (field.name().to_owned(), of(field))).collect()
}

/// Whether a column of this type fits into this field.
fn fits(ty: Type, field: &FieldDescriptorProto) -> bool {
    let list = field.label() == Label::Repeated;
    let number = matches!(field.r#type(), Wire::Int32 | Wire::Int64 | Wire::Uint32 | Wire::Uint64);
    match ty {
        Type::Bool => field.r#type() == Wire::Bool && !list,
        Type::Number | Type::Size | Type::Duration => number && !list,
        Type::Time => field.r#type() == Wire::Uint64 && !list,
        Type::Text | Type::Path | Type::Word(_) | Type::Address => field.r#type() == Wire::String && !list,
        Type::Texts => field.r#type() == Wire::String && list,
        Type::Numbers => number && list,
    }
}

#[test]
fn columns_and_fields_are_the_same_both_ways() {
    for (name, message) in messages() {
        let table = Table::by_name(&name).unwrap_or_else(|| panic!("no table {name}"));
        let columns: BTreeSet<_> = table.columns.iter().map(|column| column.field.column).collect();
        let fields: BTreeSet<_> = message.field.iter().map(FieldDescriptorProto::name).collect();
        // A table that nothing fills yet has no columns to hold its message against.
        assert!(columns.is_empty() || columns == fields, "{name}: columns {columns:?}, fields {fields:?}");
        for field in &message.field {
            if let Some(known) = fields::by_column(field.name()) {
                assert!(fits(known.ty, field), "{name}.{} is a {}", field.name(), known.ty.name());
            }
        }
    }
}

#[test]
fn every_table_that_has_rows_has_a_message() {
    let messages: BTreeSet<_> = messages().into_iter().map(|(table, _)| table).collect();
    for table in TABLES.iter().filter(|table| table.is_filled()) {
        assert!(messages.contains(table.name), "{}", table.name);
    }
}

#[test]
fn a_table_is_called_the_same_everywhere() {
    for (name, _) in messages() {
        let row: v1::Row = serde_json::from_value(json!({"table": name})).unwrap();
        assert_eq!(row.table.as_ref().unwrap().name(), name);
        assert_eq!(serde_json::to_value(row).unwrap()["table"], name);
    }
}

#[test]
fn a_row_of_any_table_tells_when() {
    for (name, _) in messages() {
        let row: v1::Row = serde_json::from_value(json!({"table": name, "unix_nano_timestamp": 7, "time": 3})).unwrap();
        let table = row.table.unwrap();
        assert_eq!(table.unix_nano_timestamp(), Some(7), "{name}");
        assert!(table.time().is_none_or(|seconds| seconds == 3), "{name}");
    }
}

fn event(map: &Value) -> (Event, Host) {
    build::build(map).unwrap_or_else(|errors| panic!("{map}: {errors:?}"))
}

fn process_event() -> Value {
    json!({
        "eventType": "PROCESS_EVENT_TYPE_EXIT", "time": 1_700_000_000_123_456_789_u64, "sensorId": "s",
        "sophosPid": "100:5000", "programName": "/usr/bin/a\\xff", "args": ["env", "", "a\\xff b"], "uid": 0, "gid": 3,
        "exitCode": 0, "isMemfd": true, "containerId": "c", "cwd": "/", "tty": "pts/1", "loginUid": 4_294_967_294_u32,
        "lineage": [{"processPid": 50, "programName": "/bin/sh"}, {"sophosPid": "1:1"}],
    })
}

/// Over the wire and back into JSON.
fn there_and_back<M: prost::Message + Default + serde::Serialize>(message: &M) -> Value {
    serde_json::to_value(M::decode(&message.encode_to_vec()[..]).unwrap()).unwrap()
}

/// Events that have all columns of a table among them.
fn events_of(table: &str) -> Vec<Value> {
    let process = |more: Value| {
        let mut event = process_event();
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    match table {
        "process_events" => vec![
            process(json!({
                "processUuid": "00000000-0000-8000-8000-000000000001", "userName": "root", "sessionId": 3,
                "scriptPath": "/srv/x", "isDeleted": true, "isUpperLayer": true, "isUserMounts": true,
                "hostPath": "/host/a", "pathTruncated": true, "cwdTruncated": true, "argsReadLate": true,
                "argsTruncated": true, "lineageTruncated": true, "containerName": "web", "imageId": "i",
                "imageName": "nginx", "filePath": "./a", "incidentId": "0197e4a0-0000-7000-8000-000000000001",
            })),
            json!({"eventType": "PROCESS_EVENT_TYPE_EXIT", "processPid": 7, "exitSignal": 9, "parentPid": 1}),
            json!({"eventType": "PROCESS_EVENT_TYPE_EXEC_FAILED", "processPid": 7, "errno": 2, "filePath": "/no"}),
        ],
        "audit_user_msg" => vec![json!({
            "messageTypeName": "USER_LOGIN", "time": 1_700_000_000_123_456_789_u64, "sensorId": "s",
            "message": "op=login acct=\"bob\" exe=\"/usr/sbin/sshd\" hostname=? addr=203.0.113.7 terminal=ssh res=success",
            "messageTruncated": true, "programName": "/usr/sbin/sshd", "sophosPid": "100:5000", "uid": 0,
            "loginUid": 1000, "sessionId": 3, "containerId": "c",
        })],
        "connections" => vec![
            process(json!({
                "eventType": "NETWORK_EVENT_TYPE_CONNECT_RESULT", "srcAddr": "192.0.2.1", "srcPort": 40000,
                "dstAddr": "169.254.169.254", "dstPort": 80, "protocol": "tcp", "family": "ipv4", "direction": "outbound",
                "networkResult": "failed", "networkErrno": 111, "euid": 1, "sessionId": 3, "isCloudMetadata": true,
                "incidentId": "0197e4a0-0000-7000-8000-000000000001", "loginUid": 1000,
                "processUuid": "00000000-0000-8000-8000-000000000001",
            })),
            json!({"eventType": "NETWORK_EVENT_TYPE_ACCEPT", "processPid": 7, "srcAddr": "2001:db8::1"}),
        ],
        "file_events" => vec![
            json!({"eventType": "FILE_EVENT_TYPE_RENAME", "processPid": 7, "filePath": "/a", "isExchange": true}),
            process(json!({
                "eventType": "FILE_EVENT_TYPE_ATTRIBUTE_CHANGE", "filePath": "/etc/a", "targetPath": "/etc/b",
                "fileType": "regular", "fileInode": 5, "fileDevice": 6, "oldMode": 33188, "newMode": 33261, "oldOwner": 0,
                "newOwner": 1, "oldGroup": 0, "newGroup": 1, "attribute": "mode", "attributeName": "security.capability",
                "isFileHostMounts": true, "isFileUserMounts": false, "fileError": 1, "euid": 1,
                "userName": "root", "processUuid": "00000000-0000-8000-8000-000000000001",
                "incidentId": "0197e4a0-0000-7000-8000-000000000001",
            })),
        ],
        "container_events" => vec![
            process(json!({
                "eventType": "CONTAINER_EVENT_TYPE_CREATED", "containerCgroup": "/docker-c.scope", "containerId": "c",
                "containerRuntime": "docker", "containerName": "web", "containerLabels": ["app=web"], "isPrivileged": true,
                "imageId": "sha256:0f", "imageName": "nginx", "imageTag": "1.2", "imageDigest": "sha256:0e",
                "kubernetesPod": "web-0", "kubernetesNamespace": "shop", "hostNamespaces": ["pid"],
                "containerMounts": ["/:/host"], "args": ["runc", "create"],
                "processUuid": "00000000-0000-8000-8000-000000000001",
                "incidentId": "0197e4a0-0000-7000-8000-000000000001",
            })),
            json!({"eventType": "CONTAINER_EVENT_TYPE_EXITED", "containerCgroup": "/docker-c.scope", "containerId": "c"}),
        ],
        "lost_records" => vec![json!({
            "eventType": "LOST_RECORDS", "time": 5, "sensorId": "s", "stage": "ring", "eventClass": "process",
            "cause": "ring_full", "count": 0,
        })],
        "sensors" => {
            vec![json!({"eventType": "SENSOR_STARTED", "time": 5, "sensorId": "s", "sensorPid": 7, "hostname": "h"})]
        }
        other => panic!("{other} has rows: of which events?"),
    }
}

#[test]
fn a_row_survives_the_wire_with_every_column() {
    for table in TABLES.iter().filter(|table| table.is_filled()) {
        let mut seen = BTreeSet::new();
        for map in events_of(table.name) {
            let (event, host) = event(&map);
            let mut line = Vec::new();
            RowWriter::new(table).write(&mut line, &event, &host);
            let written: Value = serde_json::from_slice(&line).unwrap();
            let row: v1::Row = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(there_and_back(&row), written);
            let columns = written.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
            seen.extend(columns.map(|(column, _)| column.clone()));
        }
        let missing: Vec<_> =
            table.columns.iter().map(|column| column.field.column).filter(|column| !seen.contains(*column)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{}", table.name);
    }
}

#[test]
fn an_alert_survives_the_wire_with_every_key() {
    let (event, mut host) = event(&process_event());
    host.metadata = vec![("os".into(), "Debian".into())];
    let policy = Policy {
        name: "Suspicious Interactive Shell".into(),
        policy_type: "program".into(),
        description: "d".into(),
        comments: "c".into(),
        categories: vec!["MITRE.Execution".into()],
        labels: vec![("team".into(), "blue".into())],
        content_group: "Detection Analytics".into(),
        ..Policy::default()
    };
    let alert = Alert::new(Arc::new(policy), "match uid == 0".into(), event, Arc::new(host));
    for max_bytes in [usize::MAX, 2_500, 2_000, 1_500, 1_024] {
        let mut line = Vec::new();
        alert::json::write(&mut line, &alert, max_bytes);
        let mut written: Value = serde_json::from_slice(&line).unwrap();
        let read: v1::Alert = serde_json::from_value(written.clone()).unwrap();
        let mut sent = there_and_back(&read);
        prune(&mut written);
        prune(&mut sent);
        assert_eq!(sent, written);
    }
}

/// Removes what is empty: on the wire that is the same as absent.
fn prune(value: &mut Value) {
    let is_empty = |value: &Value| match value {
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(prune);
            map.retain(|_, value| !is_empty(value));
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}
