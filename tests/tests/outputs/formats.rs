//! CEF, ECS and OCSF against what is published about them.

mod keys;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Mark, Sensor, programs, until};
use serde_json::{Value, json};

use super::python::python;
use super::{fed, raise, with_outputs, with_sinks};

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs").join(name)
}

/// Messages to the kernel's audit: type, text, and what OCSF has for it.
const MESSAGES: &[(&str, &str, u64)] = &[
    (
        "1100",
        "op=PAM:authentication acct=\"uxbob\" exe=\"/usr/sbin/sshd\" hostname=far.test addr=203.0.113.7 terminal=ssh res=failed",
        300_201,
    ),
    (
        "1112",
        "op=login id=0 exe=\"/usr/sbin/sshd\" hostname=? addr=fe80::7%eth0 terminal=/dev/pts/0 res=success",
        300_201,
    ),
    ("1113", "op=logout id=4294967295 exe=\"/usr/bin/x\" hostname=? addr=? terminal=? res=success", 300_202),
    (
        "1105",
        "op=PAM:session_open acct=\"root\" exe=\"/usr/bin/sudo\" hostname=? addr=? terminal=/dev/pts/0 res=success",
        300_201,
    ),
    ("1103", "op=PAM:setcred acct=\"root\" exe=\"/usr/bin/sudo\" hostname=? addr=? terminal=cron res=success", 300_299),
    ("1114", "op=add-user id=0 exe=\"/usr/sbin/useradd\" hostname=? addr=? terminal=pts/0 res=success", 300_101),
    (
        "1108",
        "op=PAM:chauthtok acct=\"uxbob\" exe=\"/usr/bin/passwd\" hostname=? addr=? terminal=pts/0 res=failed",
        300_103,
    ),
    (
        "1102",
        "op=delete-user-from-shadow-group wheel=\"grp\" id=0 exe=\"/x\" hostname=? addr=? terminal=? res=success",
        300_604,
    ),
    ("1116", "op=add-group id=27 exe=\"/usr/sbin/groupadd\" hostname=? addr=? terminal=pts/0 res=success", 300_606),
    (
        "2301",
        "op=x acct=\"root\" old-seuser=? new-seuser=staff_u exe=\"/x\" hostname=? addr=? terminal=? res=success",
        300_501,
    ),
    (
        "1130",
        "unit=ssh comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=failed",
        600_203,
    ),
    ("1123", "cwd=\"/\" cmd=\"id\" exe=\"/usr/bin/sudo\" terminal=pts/0 res=success", 99),
    ("1199", "nothing to read", 99),
];

/// Sends each of them with the mark.
fn tell(mark: &Mark) {
    for (message_type, text, _) in MESSAGES {
        let text = format!("{text} {}", mark.word());
        let mut sender = Command::new(programs::tell_audit());
        assert!(sender.args(["sendto", message_type, &text]).output().expect("the sender runs").status.success());
    }
    let forged = format!("op=login acct=\"root\" addr=10.0.0.1 res=success {}", mark.word());
    let mut sender = Command::new(programs::tell_audit());
    assert!(
        sender.args(["unprivileged", "sendto", "1112", &forged]).output().expect("the sender runs").status.success()
    );
}

/// Lines of alerts in each format, whole and short: of plain processes, of one with an odd name, and of audit messages.
fn lines(format: &str) -> Vec<String> {
    let mark = Mark::new(format);
    let outputs = format!(
        "    - {{type: file, name: \"@HOME@/whole\", format: {format}, message_types: [alert, audit]}}\n    \
         - {{type: file, name: \"@HOME@/short\", format: {format}, max_bytes: 1500, message_types: [alert, audit]}}\n    \
         - {{type: file, name: \"@HOME@/least\", format: {format}, max_bytes: 1024, message_types: [alert, audit]}}"
    );
    let audit = format!(
        "Recorded Program:\n  policy: program\n  contentGroup: Audit\n  categories: [\"MITRE.Execution.Unix Shell (T1059.004)\"]\n  \
         rules: ['match {0}', default ignore]\n\
         Marked Message: {{policy: auditUserMessage, rules: ['match {1}', default ignore]}}\n\
         Recorded Message: {{policy: auditUserMessage, responseActions: [audit], rules: ['match {1}', default ignore]}}\n\
         Forged Message: {{policy: auditUserMessageRefused, rules: ['match {1}', default ignore]}}\n",
        mark.rule(),
        mark.rule_of_message(),
    );
    let config = mark.config_with(&audit).replacen(
        "  alertLabels:",
        "  categories: [\"MITRE.Execution.Python (T1059.006)\", \"MITRE.Discovery.System Owner/User Discovery (T1033)\", other]\n  alertLabels:",
        1,
    );
    let sensor = Sensor::start(&with_outputs(&config, &outputs));
    raise(&sensor, &mark);
    let odd = "a=b|c\\ \"x\" \n\u{1b}[2J\u{2028} é";
    sensor.finish(Command::new(programs::tiny()).args([mark.word(), odd, &"long ".repeat(500)]));
    tell(&mark);
    let lines = until("all alerts", || {
        let read = |name| fs::read_to_string(sensor.file(name)).unwrap_or_default();
        let lines: Vec<String> = ["whole", "short", "least"]
            .iter()
            .flat_map(|name| read(name).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        // Also the programs that sent the messages have the mark in their arguments.
        (lines.len() >= 3 * (2 * (2 + 2 * MESSAGES.len() + 1) + 1)).then_some(lines)
    });
    assert!(lines.iter().all(|line| !line.contains(char::is_control)));
    lines
}

#[test]
fn ocsf_is_valid_by_the_published_schema() {
    let lines = lines("ocsf");
    let classes: Vec<u64> = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).expect("JSON")["class_uid"].as_u64())
        .collect();
    for class in [2004, 1007].into_iter().chain(MESSAGES.iter().map(|(.., activity)| activity / 100)) {
        assert!(classes.contains(&class), "{class} in {classes:?}");
    }
    assert_valid_ocsf(&lines);
    // Findings are also what a reader of theirs takes, who wants more than the schema does.
    let findings = lines.iter().filter(|line| line.contains("\"class_uid\":2004")).cloned().collect::<Vec<_>>();
    let said = fed(Command::new(python()).arg(beside("ocsf_models.py")), &(findings.join("\n") + "\n"));
    assert_eq!(said, format!("taken: {}\n", findings.len()));
}

/// What an alert says in three formats of how a message ended, of its account, and of its origin.
#[test]
fn a_message_is_told_as_what_it_says_in_every_format() {
    let mark = Mark::new("facts");
    let outputs = ["cef", "ecs", "ocsf"].map(|format| {
        format!("    - {{type: file, name: \"@HOME@/{format}\", format: {format}, message_types: [alert, audit]}}")
    });
    let rule = mark.rule_of_message();
    let config = format!(
        "alert_output:\n  outputs:\n{}\n\
         Marked Message: {{policy: auditUserMessage, rules: ['match {rule}', default ignore]}}\n\
         Recorded Message: {{policy: auditUserMessage, responseActions: [audit], rules: ['match {rule}', default ignore]}}\n\
         Forged Message: {{policy: auditUserMessageRefused, rules: ['match {rule}', default ignore]}}\n",
        outputs.join("\n")
    );
    let sensor = Sensor::start(&config);
    tell(&mark);
    let told = |name: &str| {
        until("all alerts", || {
            let text = fs::read_to_string(sensor.file(name)).unwrap_or_default();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            (lines.len() > 2 * MESSAGES.len()).then_some(lines)
        })
    };
    let (cef, ecs, ocsf) = (told("cef"), told("ecs"), told("ocsf"));
    let json =
        |lines: &[String]| lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>();
    let (ecs, ocsf) = (json(&ecs), json(&ocsf));

    // The failed login over ssh.
    let has = |line: &&String, pair: &str| line.contains(pair);
    let failed = cef.iter().find(|line| has(line, " act=USER_AUTH ")).expect("its alert");
    for pair in [" outcome=failure ", " duser=uxbob ", " src=203.0.113.7 ", " shost=far.test ", " cs6=ssh "] {
        assert!(has(&failed, pair), "{pair} in {failed}");
    }
    let failed = ecs.iter().find(|alert| alert["event"]["action"] == "USER_AUTH").expect("its alert");
    assert_eq!(
        (&failed["event"]["outcome"], &failed["event"]["category"]),
        (&json!("failure"), &json!(["authentication"]))
    );
    assert_eq!((&failed["user"]["name"], &failed["source"]["ip"]), (&json!("uxbob"), &json!("203.0.113.7")));
    let of_type = |number: u64| {
        let found = ocsf.iter().find(|event| event["type_uid"] == number);
        found.unwrap_or_else(|| panic!("no {number}"))
    };
    let failed = of_type(300_201);
    assert_eq!((&failed["status"], &failed["user"]["name"]), (&json!("Failure"), &json!("uxbob")), "{failed:#}");
    assert_eq!(failed["src_endpoint"], json!({"ip": "203.0.113.7", "hostname": "far.test"}));

    // The login that tells an id: the account has its name all the same.
    let login = cef.iter().find(|line| has(line, " act=USER_LOGIN outcome=success ")).expect("its alert");
    for pair in [" duid=0 ", " duser=root ", " c6a2=fe80::7 "] {
        assert!(has(&login, pair), "{pair} in {login}");
    }
    let login = ecs
        .iter()
        .find(|alert| alert["event"]["action"] == "USER_LOGIN" && alert["event"]["code"] == "AUDIT_USER_MESSAGE");
    let login = login.expect("its alert");
    assert_eq!((&login["user"], &login["source"]["ip"]), (&json!({"id": "0", "name": "root"}), &json!("fe80::7")));

    // Each has its class, and none passes for a process that was launched.
    for (message_type, _, activity) in MESSAGES {
        assert!(ocsf.iter().any(|event| event["type_uid"] == *activity), "{message_type}: {activity}");
    }
    assert!(ocsf.iter().all(|event| event["class_uid"] != 1007), "{ocsf:#?}");
    let group = of_type(300_604);
    assert_eq!((&group["group"]["name"], &group["user"]["name"]), (&json!("wheel"), &json!("root")), "{group:#}");
    let account = of_type(300_103);
    assert_eq!(
        (&account["status"], &account["actor"]["user"]["name"]),
        (&json!("Failure"), &json!("root")),
        "{account:#}"
    );
    assert_eq!(of_type(600_203)["app"]["name"], "ssh");

    // Of what says nothing of it the outcome is not known; what the kernel refused has failed, whatever it says.
    let unknown = cef.iter().find(|line| has(line, "UNKNOWN[1199]")).expect("its alert");
    assert!(has(&unknown, " outcome=unknown "), "{unknown}");
    let forged = ecs.iter().find(|alert| alert["event"]["code"] == "AUDIT_USER_MESSAGE_REFUSED").expect("its alert");
    assert_eq!((&forged["event"]["outcome"], &forged["event"]["type"]), (&json!("failure"), &json!(["denied"])));
    assert_eq!(forged["event"]["category"], json!(["intrusion_detection"]));
}

#[test]
fn rows_of_messages_in_ocsf_are_of_the_class_of_what_was_done() {
    let mark = Mark::new("rowaudit");
    let sinks = "    - {backend: file, name: \"@HOME@/ocsf\", format: ocsf}";
    let sensor = Sensor::start(&with_sinks(&mark.audit_config(""), sinks));
    tell(&mark);
    let events = until("all rows", || {
        let text = fs::read_to_string(sensor.file("ocsf")).unwrap_or_default();
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (events.len() >= MESSAGES.len()).then_some(events)
    });
    let rows = sensor.rows("audit_user_msg");
    for ((row, event), (_, _, activity)) in rows.iter().zip(&events).zip(MESSAGES) {
        assert_eq!(event["type_uid"], *activity, "{event:#}");
        let status = match row["result"].as_str() {
            Some("success") => "Success",
            Some(_) => "Failure",
            None => "Unknown",
        };
        assert_eq!(event["status"], status, "{event:#}");
        for (column, value) in row.as_object().expect("a row") {
            if column != "table" && column != "sensor_id" {
                assert_eq!(event["unmapped"][column], *value, "{column} in {event:#}");
            }
        }
    }
    assert_valid_ocsf(&events.iter().map(Value::to_string).collect::<Vec<_>>());
}

/// A process that becomes another user: a finding, and a record of what was done.
#[test]
fn a_change_of_credentials_is_valid_by_the_published_schema() {
    let mark = Mark::new("became");
    let rule = mark.rule();
    let config = format!(
        "alert_output:\n  outputs:\n    - {{type: file, name: \"@HOME@/ocsf\", format: ocsf, message_types: [alert, audit]}}\n\
         Found: {{policy: credentialChange, rules: ['match {rule}', default ignore]}}\n\
         Recorded: {{policy: credentialChange, responseActions: [audit], rules: ['match {rule}', default ignore]}}\n"
    );
    let sensor = Sensor::start(&config);
    sensor.finish(Command::new(programs::act()).args(["credentials", "setuid", mark.word()]));
    let lines = until("both alerts", || {
        let text = fs::read_to_string(sensor.file("ocsf")).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (lines.len() >= 2).then_some(lines)
    });
    assert_valid_ocsf(&lines);
    let events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let recorded = events.iter().find(|event| event["class_uid"] == 3002).expect("what was done");
    assert_eq!((&recorded["user"]["uid"], &recorded["status"]), (&json!("1234"), &json!("Success")), "{recorded:#}");
    assert!(events.iter().any(|event| event["class_uid"] == 2004), "{events:#?}");
}

/// A connection that is refused: a finding, and a record of what was done.
#[test]
fn a_connection_is_valid_by_the_published_schema() {
    let mark = Mark::new("refused");
    let rule = mark.rule();
    let config = format!(
        "alert_output:\n  outputs:\n    - {{type: file, name: \"@HOME@/ocsf\", format: ocsf, message_types: [alert, audit]}}\n\
         Found: {{policy: connectResult, rules: ['match {rule}', default ignore]}}\n\
         Recorded: {{policy: connectResult, responseActions: [audit], rules: ['match {rule}', default ignore]}}\n"
    );
    let sensor = Sensor::start(&config);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    sensor.finish(Command::new(programs::act()).args(["network", "connect", &nobody.to_string(), mark.word()]));
    let lines = until("both alerts", || {
        let text = fs::read_to_string(sensor.file("ocsf")).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (lines.len() >= 2).then_some(lines)
    });
    assert_valid_ocsf(&lines);
    let events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let recorded = events.iter().find(|event| event["class_uid"] == 4001).expect("what was done");
    assert_eq!(
        (&recorded["activity_name"], &recorded["dst_endpoint"]["port"]),
        (&json!("Fail"), &json!(nobody.port()))
    );
}

/// Of every other class something that a process does or is refused: who did it, what it was and how it ended, in each format.
#[test]
fn what_processes_do_is_told_as_what_it_was_in_every_format() {
    let mark = Mark::new("acts");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    fs::write(path("file"), "x").expect("a file");
    for name in ["at", "other"] {
        fs::create_dir(path(name)).expect("a folder");
    }
    let outputs = ["cef", "ecs", "ocsf"].map(|format| {
        format!("    - {{type: file, name: \"@HOME@/{format}\", format: {format}, message_types: [alert, audit]}}\n")
    });
    let policies = ["ptrace", "namespace", "mount", "fileMonitor", "memoryExec", "memfdCreate"].map(|policy| {
        let rules = format!("rules: ['match {}', default ignore]", mark.rule());
        format!(
            "Found {policy}: {{policy: {policy}, {rules}}}\n\
             Recorded {policy}: {{policy: {policy}, responseActions: [audit], {rules}}}\n"
        )
    });
    let sensor = Sensor::start(&format!("alert_output:\n  outputs:\n{}{}", outputs.concat(), policies.concat()));
    let here = folder.path().to_str().expect("text");
    // What is done, by which policy it is seen, its class in OCSF, how it ended, and one thing that is told of it.
    for (act, policy, class, outcome, told) in [
        (vec!["trace", "refused"], "ptrace", 1007, "failure", ("trace_request", json!("attach"))),
        (vec!["contain", "setns-refused"], "namespace", 0, "failure", ("namespace_call", json!("setns"))),
        (vec!["contain", "mount", here], "mount", 0, "success", ("mount_target", json!(path("at")))),
        (vec!["file", "append", &path("file")], "fileMonitor", 1001, "success", ("file_path", json!(path("file")))),
        (vec!["memory", "stack"], "memoryExec", 1004, "success", ("memory_kind", json!("stack"))),
        (vec!["memory", "memfd_create-refused"], "memfdCreate", 1004, "failure", ("memfd_name", json!("refused"))),
    ] {
        let pid = sensor.finish(Command::new(programs::act()).args(&act).arg(mark.word()));
        let lines = |format: &str| {
            let text = fs::read_to_string(sensor.file(format)).unwrap_or_default();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let parsed = |format: &str| {
            lines(format).iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>()
        };
        let is_told = |event: &Value| event["unmapped"]["event"][told.0] == told.1;
        let recorded =
            until(policy, || parsed("ocsf").into_iter().find(|event| event["class_uid"] == class && is_told(event)));
        let status = if outcome == "failure" { "Failure" } else { "Success" };
        assert_eq!(
            (&recorded["status"], &recorded["actor"]["process"]["pid"]),
            (&json!(status), &json!(pid)),
            "{policy}: {recorded:#}"
        );
        let alert = until(policy, || {
            let is_it =
                |alert: &Value| alert["rule"]["category"] == policy && alert["sensor"]["event"][told.0] == told.1;
            parsed("ecs").into_iter().find(is_it)
        });
        assert_eq!(
            (&alert["event"]["outcome"], &alert["process"]["pid"]),
            (&json!(outcome), &json!(pid)),
            "{policy}: {alert:#}"
        );
        let id = format!(" externalId={} ", alert["event"]["id"].as_str().expect("an id"));
        let line = until(policy, || lines("cef").into_iter().find(|line| line.contains(&id)));
        for pair in [format!(" outcome={outcome} "), format!(" dpid={pid} ")] {
            assert!(line.contains(&pair), "{policy}: {pair} in {line}");
        }
        assert_valid_ocsf(&lines("ocsf"));
    }
}

fn assert_valid_ocsf(lines: &[String]) {
    let said = fed(Command::new(python()).arg(beside("ocsf.py")), &(lines.join("\n") + "\n"));
    assert_eq!(said, format!("valid: {}\n", lines.len()));
}

#[test]
fn rows_in_ocsf_are_valid_by_the_published_schema_and_tell_as_much() {
    let mark = Mark::new("rowocsf");
    let sensor =
        Sensor::start(&with_sinks(&mark.config(), "    - {backend: file, name: \"@HOME@/ocsf\", format: ocsf}"));
    let pid = raise(&sensor, &mark);
    let rows = sensor.until_exit(pid);
    let events = || {
        let text = fs::read_to_string(sensor.file("ocsf")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>()
    };
    let of_process = until("all events of the process", || {
        let mut events = events();
        events.retain(|event| event["process"]["pid"] == pid);
        (events.len() == rows.len()).then_some(events)
    });
    for (row, event) in rows.iter().zip(&of_process) {
        let activity = match row["event_type"].as_str() {
            Some("PROCESS_EVENT_TYPE_EXIT") => "Process Activity: Terminate",
            _ => "Process Activity: Launch",
        };
        assert_eq!((&event["class_uid"], &event["type_name"]), (&1007.into(), &activity.into()));
        let told = |event: &Value, column: &str| match column {
            "table" => event["metadata"]["log_name"].clone(),
            "sensor_id" => event["device"]["uid"].clone(),
            "process_uuid" => event["process"]["uid"].clone(),
            "pid" => event["process"]["pid"].clone(),
            "uid" => event["process"]["user"]["uid"].as_str().and_then(|uid| uid.parse::<u32>().ok()).into(),
            "username" => event["process"]["user"]["name"].clone(),
            "tty" => event["process"]["session"]["terminal"].clone(),
            "name" => event["process"]["name"].clone(),
            "path" => event["process"]["path"].clone(),
            "cmdline" => event["process"]["cmd_line"].clone(),
            "cwd" => event["process"]["working_directory"].clone(),
            other => event["unmapped"][other].clone(),
        };
        for (column, value) in row.as_object().expect("a row") {
            assert_eq!(told(event, column), *value, "{column} in {event:#}");
        }
    }
    // Other tables are of the class that takes anything.
    let all = until("the sensor's own row", || {
        Some(events()).filter(|events| events.iter().any(|event| event["metadata"]["log_name"] == "sensors"))
    });
    assert!(all.iter().any(|event| event["class_uid"] == 0 && !event["unmapped"]["hostname"].is_null()));
    assert_valid_ocsf(&all.iter().map(Value::to_string).collect::<Vec<_>>());
}
