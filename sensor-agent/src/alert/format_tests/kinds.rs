//! Of each kind of event, what it is in each format.

use serde_json::{Value, json};

use super::super::{cef, ecs, ocsf};
use super::{alert_on, line, message, parse_cef, parsed, value};
use crate::policy::MessageType;

/// Each kind of event, what it is in the schemas, and how it ended.
#[test]
fn every_kind_of_event_is_told_as_what_it_is_and_as_it_ended() {
    let process = |kind: &str| json!({"eventType": kind, "programName": "/bin/x", "processPid": 7});
    let mut failed = process("PROCESS_EVENT_TYPE_EXEC_FAILED");
    failed["errno"] = 2.into();
    let mut forged = message("USER_LOGIN", "op=login acct=\"root\" res=success");
    forged["refusal"] = "capability".into();
    let loaded = |mut event: Value| {
        event["processPid"] = 7.into();
        event
    };
    let said = |name: &str, rest: &str| message(name, &format!("op=x acct=\"bob\" {rest}"));
    for (event, category, kind, class, outcome) in [
        (process("PROCESS_EVENT_TYPE_EXEC"), "process", "start", 100_701, "success"),
        (process("PROCESS_EVENT_TYPE_FORK"), "process", "start", 100_701, "success"),
        (process("PROCESS_EVENT_TYPE_EXIT"), "process", "end", 100_702, "success"),
        (process("BASELINE_TASK"), "process", "info", 100_799, "unknown"),
        (failed, "process", "start", 100_701, "failure"),
        (forged, "intrusion_detection", "denied", 99, "failure"),
        (said("USER_AUTH", "res=failed"), "authentication", "start", 300_201, "failure"),
        (said("USER_AUTH", "res=success"), "authentication", "start", 300_201, "success"),
        (said("USER_AUTH", ""), "authentication", "start", 300_201, "unknown"),
        (said("USER_LOGIN", "res=0"), "authentication", "start", 300_201, "failure"),
        (said("USER_LOGOUT", "res=1"), "authentication", "end", 300_202, "success"),
        (said("USER_START", "res=perhaps"), "session", "start", 300_201, "unknown"),
        (said("USER_END", "res=success"), "session", "end", 300_202, "success"),
        (said("USER_ACCT", "res=failed"), "authentication", "info", 300_299, "failure"),
        (said("CRED_ACQ", "res=success"), "authentication", "info", 300_299, "success"),
        (said("ADD_USER", "res=failed"), "iam", "user", 300_101, "failure"),
        (said("DEL_USER", "res=success"), "iam", "user", 300_106, "success"),
        (said("USER_CHAUTHTOK", "res=failed"), "iam", "user", 300_103, "failure"),
        (said("ACCT_LOCK", "res=success"), "iam", "user", 300_109, "success"),
        (said("USER_MGMT", "res=success"), "iam", "user", 300_199, "success"),
        (
            message("USER_MGMT", "op=add-user-to-group grp=\"wheel\" acct=\"bob\" res=failed"),
            "iam",
            "user",
            300_603,
            "failure",
        ),
        (said("ADD_GROUP", "res=success"), "iam", "group", 300_606, "success"),
        (said("ROLE_ASSIGN", "res=success"), "iam", "admin", 300_501, "success"),
        (said("SERVICE_START", "unit=x res=failed"), "process", "start", 600_203, "failure"),
        (said("USER_CMD", "res=failed"), "process", "start", 99, "failure"),
        (said("USYS_CONFIG", "res=success"), "configuration", "change", 99, "success"),
        (said("VIRT_CONTROL", "res=success"), "host", "info", 99, "success"),
        (said("ANOM_LOGIN_FAILURES", ""), "authentication", "info", 300_299, "unknown"),
        (loaded(json!({"moduleName": "dummy"})), "driver", "start", 100_201, "success"),
        (loaded(json!({"bpfName": "watch", "bpfType": "lsm"})), "driver", "start", 100_201, "success"),
        (loaded(json!({"newEuid": 0, "credentialCall": "setuid"})), "authentication", "info", 300_299, "success"),
        (loaded(json!({"traceRequest": "seize", "targetPid": 9})), "process", "access", 100_703, "success"),
        (loaded(json!({"traceRequest": "mem_write", "traceErrno": 5})), "process", "change", 100_704, "failure"),
        (loaded(json!({"dstAddr": "10.0.0.1"})), "network", "connection", 400_101, "unknown"),
        (
            loaded(json!({"dstAddr": "10.0.0.1", "networkResult": "success"})),
            "network",
            "connection",
            400_101,
            "success",
        ),
        (
            loaded(json!({"dstAddr": "10.0.0.1", "networkResult": "failed"})),
            "network",
            "connection",
            400_104,
            "failure",
        ),
        (
            loaded(json!({"eventType": "NETWORK_EVENT_TYPE_SENDTO", "networkResult": "success"})),
            "network",
            "info",
            400_106,
            "success",
        ),
        (
            loaded(json!({"dstPort": 80, "eventType": "NETWORK_EVENT_TYPE_LISTEN"})),
            "network",
            "info",
            400_107,
            "success",
        ),
        (loaded(json!({"namespaceCall": "setns"})), "process", "change", 99, "success"),
        (loaded(json!({"mountCall": "mount", "mountErrno": 1})), "configuration", "change", 99, "failure"),
        (loaded(json!({"memoryKind": "stack"})), "process", "change", 100_402, "success"),
        (loaded(json!({"memfdName": "x", "memfdErrno": 22})), "process", "change", 100_401, "failure"),
        (loaded(json!({"isUserModeOnly": true})), "process", "change", 100_499, "success"),
        (loaded(json!({"crashSignal": "SIGSEGV"})), "process", "end", 100_702, "failure"),
        (loaded(json!({"sysctlName": "kernel.modprobe", "sysctlErrno": 22})), "configuration", "change", 99, "failure"),
        (loaded(json!({"ioUringEntries": 8})), "host", "info", 99, "success"),
        (loaded(json!({"perfType": "software", "perfErrno": 13})), "host", "info", 99, "failure"),
        (loaded(json!({"kexecCall": "kexec_load"})), "driver", "start", 100_201, "success"),
        (loaded(json!({"bpfCall": "link_create", "bpfCallErrno": 1})), "driver", "start", 100_201, "failure"),
        (loaded(json!({"helperPath": "/sbin/modprobe"})), "process", "start", 99, "unknown"),
        (loaded(json!({"rawSocketFamily": "packet", "rawSocketErrno": 1})), "host", "info", 99, "failure"),
        (loaded(json!({"socketPath": "/run/docker.sock"})), "host", "info", 99, "success"),
        (loaded(json!({"sensorObject": "map", "bpfCall": "map_update"})), "configuration", "change", 99, "success"),
        (json!({"stage": "ring", "eventClass": "process", "cause": "ring_full"}), "host", "info", 99, "unknown"),
        (json!({"eventType": "SENSOR_STARTED"}), "host", "info", 99, "unknown"),
    ] {
        let (found, recorded) = (alert_on(&event, MessageType::Alert), alert_on(&event, MessageType::Audit));
        let (_, pairs) = parse_cef(&line(cef::write, &found, usize::MAX));
        assert_eq!(value(&pairs, "outcome"), outcome, "{event}");
        let ecs = parsed(ecs::write, &found);
        assert_eq!(
            (&ecs["event"]["category"][0], &ecs["event"]["type"][0], &ecs["event"]["outcome"]),
            (&json!(category), &json!(kind), &json!(outcome)),
            "{event}"
        );
        let finding = parsed(ocsf::write, &found);
        assert_eq!(finding["class_uid"], 2004, "{event}");
        if event.get("processPid").is_some() {
            let ocsf = parsed(ocsf::write, &recorded);
            assert_eq!((&ocsf["type_uid"], &ocsf["status"]), (&json!(class), &json!(title(outcome))), "{event}");
            // Who did it, and all that is told of it, whatever the schema has a class for.
            let pids = [&ocsf["process"]["pid"], &ocsf["actor"]["process"]["pid"]];
            assert!(pids.contains(&&event["processPid"]), "{ocsf:#}");
            let is_message = event.get("message").is_some();
            assert!(is_message || ocsf["unmapped"]["event"] == finding["evidences"][0]["data"], "{ocsf:#}");
            assert!(!is_message || ocsf["unmapped"]["audit_message"]["outcome"] == outcome, "{ocsf:#}");
        }
    }
}

/// As the schema spells it.
fn title(outcome: &str) -> String {
    outcome[..1].to_uppercase() + &outcome[1..]
}
