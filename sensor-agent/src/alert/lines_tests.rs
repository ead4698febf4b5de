//! The lines in `tests/siem/lines`, on which what is for SIEMs is tried (`packaging/splunk` and its neighbours), are those that the
//! sensor writes.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Alert, cef, json};
use crate::event::build::build;
use crate::policy::{Confidence, MessageType, Policy, Priority};

type Write = fn(&mut Vec<u8>, &Alert, usize) -> bool;

const FILES: [(&str, Write); 2] =
    [("../tests/siem/lines/alerts.json", json::write), ("../tests/siem/lines/alerts.cef", cef::write)];
/// 2026-11-29T08:00:00.25Z
const TIME: u64 = 1_795_939_200_250_000_000;

/// An event that a process of alice, or of root, tells, below a shell.
fn event(uid: u32, path: &str, args: &[&str], more: &Value) -> Value {
    let shell = json!({
        "programName": "/usr/bin/bash", "args": ["bash", "-c", "x \"y\""], "processPid": 4000, "parentPid": 1, "uid": uid,
        "euid": uid, "userName": if uid == 0 { "root" } else { "alice" }, "cwd": "/srv",
    });
    let mut event = json!({
        "programName": path, "args": args, "processPid": 4001, "parentPid": 4000, "uid": uid, "euid": uid, "cwd": "/srv",
        "userName": shell["userName"], "hostname": "host.example.test",
        "sensorId": "9f8c1a52-6c1e-4a43-9f57-2f6a4c3f0b11", "lineage": [shell],
    });
    let members = more.as_object().expect("members").iter().map(|(name, value)| (name.clone(), value.clone()));
    event.as_object_mut().expect("members").extend(members);
    event
}

fn message(path: &str, args: &[&str], type_name: &str, text: &str) -> Value {
    event(0, path, args, &json!({"messageTypeName": type_name, "message": text}))
}

/// An alert for each thing that a receiver is to tell from others: the policy, its type, its priority, and the event.
fn written() -> Vec<(&'static str, &'static str, Priority, Value)> {
    use Priority::{High, Info, Low, Medium};
    let long = "x".repeat(9_000);
    let useradd = ["useradd", "-m", "mallory"];
    vec![
        (
            "Download",
            "program",
            High,
            event(
                1000,
                "/usr/bin/wget",
                &["wget", "http://example.test/?a=\"b\"", "ü"],
                &json!({"containerId": "4f6e1c0d2b3a"}),
            ),
        ),
        ("Long Command", "program", Medium, event(1000, "/usr/bin/python3.11", &["python3", "-c", &long], &json!({}))),
        (
            "Account Made",
            "auditUserMessage",
            Low,
            message(
                "/usr/sbin/useradd",
                &useradd,
                "ADD_USER",
                "op=add-user acct=\"mallory\" id=1001 exe=\"/usr/sbin/useradd\" hostname=? addr=? terminal=pts/1 res=success",
            ),
        ),
        (
            "Account Locked",
            "auditUserMessage",
            Low,
            message(
                "/usr/sbin/usermod",
                &["usermod", "-L", "bob"],
                "ACCT_LOCK",
                "op=locked-account acct=\"bob\" id=1002 exe=\"/usr/sbin/usermod\" addr=203.0.113.7 res=failed",
            ),
        ),
        (
            "Group Deleted",
            "auditUserMessage",
            Low,
            message(
                "/usr/sbin/groupdel",
                &["groupdel", "wheel"],
                "DEL_GROUP",
                "op=delete-group grp=\"wheel\" id=10 exe=\"/usr/sbin/groupdel\" res=success",
            ),
        ),
        (
            "Group Joined",
            "auditUserMessage",
            Low,
            message(
                "/usr/bin/gpasswd",
                &["gpasswd", "-a", "bob", "wheel"],
                "USER_MGMT",
                "op=add-user-to-group grp=\"wheel\" acct=\"bob\" exe=\"/usr/bin/gpasswd\" res=success",
            ),
        ),
        (
            "Login Failed",
            "auditUserMessage",
            Info,
            message(
                "/usr/sbin/sshd",
                &["sshd: bob [priv]"],
                "USER_LOGIN",
                "op=login acct=\"bob\" exe=\"/usr/sbin/sshd\" hostname=far.test addr=203.0.113.7 terminal=ssh res=failed",
            ),
        ),
        (
            "Module Loaded",
            "loadKernelModule",
            High,
            event(
                0,
                "/usr/bin/kmod",
                &["insmod", "dummy.ko"],
                &json!({"moduleName": "dummy", "isModuleUnsigned": true}),
            ),
        ),
        (
            "BPF Program Loaded",
            "bpfExec",
            High,
            event(
                0,
                "/usr/bin/bpftool",
                &["bpftool", "prog"],
                &json!({"bpfName": "watch", "bpfId": 77, "bpfType": "lsm"}),
            ),
        ),
        (
            "Root Taken",
            "credentialChange",
            High,
            event(
                1000,
                "/tmp/x",
                &["./x"],
                &json!({"credentialCall": "other", "oldUid": 1000, "newUid": 0, "newEuid": 0}),
            ),
        ),
        (
            "Records lost",
            "sensor",
            Medium,
            json!({
                "stage": "ring", "eventClass": "process", "cause": "ring_full", "count": 7, "hostname": "host.example.test",
                "sensorId": "9f8c1a52-6c1e-4a43-9f57-2f6a4c3f0b11",
            }),
        ),
    ]
}

fn alerts() -> Vec<Alert> {
    let made = written().into_iter().enumerate().map(|(number, (name, policy_type, priority, mut event))| {
        let number = number as u64;
        event["unix_nano_timestamp"] = (TIME + number * 1_000_000_000 + number).into();
        let (event, mut host) = build(&event).unwrap_or_else(|errors| panic!("{event}: {errors:?}"));
        host.metadata = vec![("os_name".into(), "Debian GNU/Linux".into())];
        let policy = Policy {
            name: name.into(),
            policy_type: policy_type.into(),
            message_type: MessageType::Alert,
            priority,
            confidence: Confidence::High,
            description: format!("What {name} says of itself."),
            comments: String::new(),
            categories: vec![
                "MITRE.Execution.Unix Shell (T1059.004)".into(),
                "MITRE.Execution.Command-Line Interface".into(),
                "MITRE.Command and Control.Ingress Tool Transfer (T1105)".into(),
            ],
            labels: Vec::new(),
            content_group: "Detection Analytics".into(),
            response: crate::policy::Response::default(),
        };
        let mut alert = Alert::new(Arc::new(policy), "match uid == 0".into(), event, Arc::new(host));
        // Else each is another one each time.
        let uuid = |kind: u16| Uuid::from_fields(0x019a_cf14, kind, 0x7000, &[0x80, 0, 0, 0, 0, 0, 0, number as u8]);
        (alert.uuid, alert.incident_id, alert.notifications[0].uuid) = (uuid(1), uuid(1), uuid(2));
        alert
    });
    made.collect()
}

#[test]
fn the_lines_that_receivers_are_tried_with_are_what_the_sensor_writes() {
    let alerts = alerts();
    for (file, write) in FILES {
        let mut lines = Vec::new();
        for alert in &alerts {
            write(&mut lines, alert, usize::MAX);
        }
        if file.ends_with("json") {
            // The first one once more, as short as it gets.
            json::least(&mut lines, &alerts[0], usize::MAX).expect("written to memory");
            lines.push(b'\n');
        }
        // A new version changes no file.
        let version = format!("|sensor|{}|", env!("CARGO_PKG_VERSION"));
        let lines = String::from_utf8(lines).expect("text").replace(&version, "|sensor|1.0.0|");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(file, &lines).expect("written");
        }
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(committed == lines, "{file} is stale: UPDATE_DOCS=1 cargo test alert::lines_tests");
    }
}
