//! The running sensor and the real Central: alerts and rows arrive once, through restarts, kills and faults of either.

use std::collections::HashSet;
use std::process::Command;
use std::sync::Arc;

use sensor_central::store::Reader;
use sensor_tests::{Central, Home, Mark, Said, Sensor, programs, until};
use serde_json::Value;

/// A sensor that raises an alert for each marked program, and delivers alerts and rows to this Central.
fn config(central: &Central, mark: &Mark, more: &str) -> String {
    config_of_mcs(&central.keys(""), mark, more)
}

fn config_of_mcs(mcs: &str, mark: &Mark, more: &str) -> String {
    let rule = mark.rule();
    format!(
        r#"
{mcs}
endpoint_telemetry_enabled: true
alert_output:
  outputs:
    - {{type: file, name: "@HOME@/alerts.jsonl"}}
    - {{type: mcs}}
investigations:
  reporting_interval: 200ms
  sinks:
    - {{backend: mcs}}
  flight_recorder:
    enabled: true
    tables:
      - name: process_events
        rows: 20000
        filter:
          - 'match {rule}'
          - default ignore
Marked Program:
  policy: program
  rules:
    - 'match {rule}'
    - default ignore
{more}
"#
    )
}

fn run_marked(sensor: &Sensor, mark: &Mark, count: usize) {
    for _ in 0..count {
        sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    }
}

fn output<'a>(status: &'a Value, role: &str) -> &'a Value {
    let all = status[role].as_array().unwrap();
    all.iter().find(|output| output["kind"] == "mcs").unwrap_or_else(|| panic!("no output of kind mcs in {status:#}"))
}

fn uuids(alerts: &[Value]) -> Vec<String> {
    alerts.iter().map(|alert| alert["uuid"].as_str().unwrap().to_owned()).collect()
}

/// Waits until all these alerts are there, each once, and no others.
#[track_caller]
fn until_arrived(central: &Central, wanted: &[String]) {
    let wanted: HashSet<&String> = wanted.iter().collect();
    until(&format!("{} alerts at Central", wanted.len()), || (central.alerts().len() >= wanted.len()).then_some(()));
    let arrived = uuids(&central.alerts());
    assert_eq!(arrived.len(), wanted.len());
    assert_eq!(arrived.iter().collect::<HashSet<_>>(), wanted);
}

#[test]
fn alerts_and_rows_arrive() {
    let central = Central::start();
    let mark = Mark::new("arrives");
    let sensor = Sensor::start(&config(&central, &mark, ""));
    run_marked(&sensor, &mark, 20);
    sensor.until("20 alerts", || (sensor.alerts().len() == 20).then_some(()));
    until_arrived(&central, &uuids(&sensor.alerts()));
    let alert = &central.alerts()[0];
    assert_eq!((&alert["strategy_name"], &alert["policy_type"]), (&"Marked Program".into(), &"program".into()));
    assert_eq!(alert["process_info"]["args"], sensor.alerts()[0]["process_info"]["args"]);

    let reader = Reader::open(central.path()).unwrap();
    let exits = || {
        let rows = reader.rows("process_events", 1000).unwrap();
        rows.iter().filter(|row| row.contains("_EXIT") && row.contains(mark.word())).count()
    };
    until("20 exits in the rows", || (exits() == 20).then_some(()));
    let status = until("empty spools", || {
        let status = sensor.status();
        (output(&status, "outputs")["queued"] == 0 && output(&status, "sinks")["queued"] == 0).then_some(status)
    });
    let to_central = output(&status, "outputs");
    assert_eq!((&to_central["confirmed"], &to_central["dropped"]), (&20.into(), &0.into()), "{to_central}");
    assert_eq!(to_central["failing"], false);
    assert!(output(&status, "sinks")["confirmed"].as_u64().unwrap() >= 20);
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn the_self_check_waits_for_central() {
    let mut central = Central::start();
    let mark = Mark::new("check");
    let home = Arc::new(Home::new(&config(&central, &mark, "")));
    home.write_content(&alert_tester());
    let sensor = Sensor::start_in(&home);
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(stage_of_mcs(&said).contains("confirmed"), "{}", said.stderr);
    // Checks of other sensors on the host may be seen as well.
    let own = |central: &Central, sensor: &Sensor| {
        central.alerts().iter().filter(|alert| alert["process_info"]["ppid"] == sensor.pid()).count()
    };
    assert_eq!(own(&central, &sensor), 1);

    // With nobody there it fails, and says which stage and why; the alert is kept.
    central.stop();
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(stage_of_mcs(&said).contains("cannot be reached"), "{}", said.stderr);
    central.resume(&[]);
    // Whoever waits does not wait for the next try of what failed before.
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(own(&central, &sensor), 3);
    let before = central.alerts().len();
    assert_eq!(sensor.stop(), Some(0));

    // Without a running sensor too.
    let said = home.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(central.alerts().len() > before);
}

fn stage_of_mcs(said: &Said) -> &str {
    said.stderr.lines().find(|line| line.contains("output mcs")).unwrap_or_else(|| panic!("{}", said.stderr))
}

fn alert_tester() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/content/runtimedetections-content.yaml");
    let content = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let begin = content.find("\nAlert Tester:\n").expect("the policy") + 1;
    let end = content[begin..].find("\n\n").map_or(content.len(), |end| begin + end + 1);
    content[begin..end].to_owned()
}
