//! What tests of delivery to Central have in common.

use std::collections::HashSet;
use std::process::Command;

use serde_json::Value;

use crate::{Central, Mark, Sensor, programs, until};

/// A sensor that raises an alert for each marked program, and delivers alerts and rows to this Central.
#[must_use]
pub fn config(central: &Central, mark: &Mark, more: &str) -> String {
    config_of_mcs(&central.keys(""), mark, more)
}

/// The same for these keys of MCS.
#[must_use]
pub fn config_of_mcs(mcs: &str, mark: &Mark, more: &str) -> String {
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

/// Runs so many marked programs, one after the other.
pub fn run_marked(sensor: &Sensor, mark: &Mark, count: usize) {
    for _ in 0..count {
        sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    }
}

/// The `mcs` output, or sink (`role`), in a status.
///
/// # Panics
/// There is none.
#[must_use]
pub fn mcs<'a>(status: &'a Value, role: &str) -> &'a Value {
    let all = status[role].as_array().expect("a list");
    all.iter().find(|output| output["kind"] == "mcs").unwrap_or_else(|| panic!("no output of kind mcs in {status:#}"))
}

/// The alerts' uuids.
///
/// # Panics
/// An alert has none.
#[must_use]
pub fn uuids(alerts: &[Value]) -> Vec<String> {
    alerts.iter().map(|alert| alert["uuid"].as_str().expect("a uuid").to_owned()).collect()
}

/// Those about marked programs: the sensor has some about itself, such as of a run that was killed.
#[must_use]
pub fn marked(mut alerts: Vec<Value>) -> Vec<Value> {
    alerts.retain(|alert| alert["strategy_name"] == "Marked Program");
    alerts
}

/// The uuids of the alerts once the file has so many: each output has a pace of its own, so what is on its way to
/// Central may not be in the file yet.
#[must_use]
#[track_caller]
pub fn until_written(sensor: &Sensor, count: usize) -> Vec<String> {
    sensor.until(&format!("{count} alerts in the file"), || {
        let alerts = sensor.alerts();
        (alerts.len() >= count).then(|| uuids(&alerts))
    })
}

/// Waits until all these alerts are there, each once, and no others.
///
/// # Panics
/// There are others, or one is there twice.
#[track_caller]
pub fn until_arrived(central: &Central, wanted: &[String]) {
    let wanted: HashSet<&String> = wanted.iter().collect();
    let arrived = || uuids(&marked(central.alerts()));
    until(&format!("{} alerts at Central", wanted.len()), || (arrived().len() >= wanted.len()).then_some(()));
    let arrived = arrived();
    assert_eq!(arrived.len(), wanted.len());
    assert_eq!(arrived.iter().collect::<HashSet<_>>(), wanted);
}

/// The shipped policy that the self check needs, alone: others would tell of what else goes on on the host.
///
/// # Panics
/// It is not there.
#[must_use]
pub fn alert_tester() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/content/runtimedetections-content.yaml");
    let content = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let begin = content.find("\nAlert Tester:\n").expect("the policy") + 1;
    let end = content[begin..].find("\n\n").map_or(content.len(), |end| begin + end + 1);
    content[begin..end].to_owned()
}
