//! What a running sensor writes is an event to its own reader: every row of every table, and every alert.

use std::process::Command;

use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

/// Reads each as an event of a policy that takes everything of its kind; what was said of those that are no events.
fn refused(sensor: &Sensor, written: &[Value]) -> Vec<String> {
    let cases: Vec<_> =
        written.iter().map(|event| json!({"policy": "Any Program", "expect": "match", "event": event})).collect();
    sensor.write("any.yaml", "Any Program: {policy: program, rules: [default match]}\n");
    sensor.write("cases.yaml", &serde_json::to_string(&cases).expect("JSON"));
    let (rules, cases) = (sensor.file("any.yaml"), sensor.file("cases.yaml"));
    let said = Command::new(programs::sensor())
        .args(["rules", "test", "-rules"])
        .args([&rules, &cases])
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(text.contains("cases"), "{text}");
    // A row of another kind than the policy sees is an event all the same.
    let mut lines = text.lines();
    let mut refused = Vec::new();
    while lines.find(|line| line.contains("the event cannot be built")).is_some() {
        refused.extend(lines.next().map(str::to_owned));
    }
    refused
}

#[test]
fn every_row_and_every_alert_is_an_event() {
    let mark = Mark::new("readback");
    let (rule, message) = (mark.rule(), mark.rule_of_message());
    // A publisher whom nobody hears loses alerts and rows: what is told of that is a row, too.
    let sensor = Sensor::start(&format!(
        r#"
alert_output:
  outputs:
    - {{type: file, name: "@HOME@/alerts.jsonl"}}
    - {{type: zeromq, name: nobody, endpoint: "ipc://@HOME@/nobody", pattern: pub}}
investigations:
  reporting_interval: 500ms
  sinks:
    - {{backend: file, name: "@HOME@/rows.jsonl"}}
    - {{backend: zeromq, name: nobody, endpoint: "ipc://@HOME@/nobody-rows", pattern: pub}}
  flight_recorder:
    enabled: true
    tables:
      - {{name: process_events, filter: ['match {rule}', default ignore]}}
      - {{name: audit_user_msg, filter: ['match {message}', default ignore]}}
      - {{name: sensors}}
      - {{name: lost_records}}
Marked Program: {{policy: program, rules: ['match {rule}', default ignore]}}
Marked Message: {{policy: auditUserMessage, rules: ['match {message}', default ignore]}}
Forged Message: {{policy: auditUserMessageRefused, rules: ['match {message}', default ignore]}}
"#
    ));
    for _ in 0..20 {
        sensor.finish(Command::new(programs::tiny()).args([mark.word(), "a \u{1b}[2J b"]));
    }
    let text = format!("op=login id=0 hostname=x addr=fe80::1%2 terminal=ssh res=success {}", mark.word());
    for words in
        [&["sendto", "1112"][..], &["sendto", "1199"], &["sendto", "1116"], &["unprivileged", "sendto", "1112"]]
    {
        let sent = Command::new(programs::tell_audit()).args(words).arg(&text).status().expect("the sender runs");
        assert!(sent.success());
    }
    let lost = sensor.until("what was lost", || {
        let rows = sensor.rows("lost_records");
        let told = |class: &str| rows.iter().any(|row| row["event_class"] == class);
        (told("rows") && told("alerts")).then_some(rows)
    });
    sensor.until("the rows of the messages and the alerts", || {
        let forged = sensor.alerts().iter().any(|alert| alert["strategy_name"] == "Forged Message");
        (forged && sensor.rows("audit_user_msg").len() >= 3).then_some(())
    });
    let mut written = lost;
    for table in ["process_events", "audit_user_msg", "sensors"] {
        written.extend(sensor.rows(table));
    }
    written.extend(sensor.alerts());
    assert_eq!(refused(&sensor, &written), Vec::<String>::new());
    // The reader does refuse.
    assert_ne!(refused(&sensor, &[json!({"stage": "rnig"})]), Vec::<String>::new());

    // An alert on a message is explained as one.
    let alert = sensor.alerts().into_iter().find(|alert| alert["strategy_name"] == "Marked Message").expect("an alert");
    sensor.write("alert.json", &alert.to_string());
    sensor.write(
        "root.yaml",
        "Root: {policy: auditUserMessage, rules: ['match messageTypeName == \"USER_LOGIN\" and acct == \"root\" and address == \"fe80::/10\"', default ignore]}\n",
    );
    let said = Command::new(programs::sensor())
        .args(["rules", "explain", "-policy", "Root", "-rules"])
        .args([sensor.file("root.yaml"), sensor.file("alert.json")])
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(text.contains("matches"), "{text}{}", String::from_utf8_lossy(&said.stderr));
}
