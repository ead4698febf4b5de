//! `-test-alert`: the whole way from the kernel to each output, or the name of the stage where it ends.

use std::process::Command;

use sensor_tests::{Home, Mark, Said, Sensor, programs};
use serde_json::Value;

/// The shipped policy that the self check needs, alone: others would tell of what else goes on on the host.
fn alert_tester() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/content/runtimedetections-content.yaml");
    let content = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let begin = content.find("\nAlert Tester:\n").expect("the policy") + 1;
    let end = content[begin..].find("\n\n").map_or(content.len(), |end| begin + end + 1);
    content[begin..end].to_owned()
}

/// The documented template on the standard output, and a file.
const CONFIG: &str = r#"
alert_output:
  outputs:
    - type: stdout
      enabled: true
      template: 'Alert triggered: {{ .StrategyName}}'
    - type: file
      name: "@HOME@/alerts.jsonl"
"#;

/// What the standard output must be: the documented line, once a check. Checks of other sensors on the host may be
/// seen as well.
fn documented_lines(stdout: &str, checks: usize) {
    assert!(stdout.lines().all(|line| line == "Alert triggered: Alert Tester"), "{stdout}");
    assert!(stdout.lines().count() >= checks && stdout.ends_with('\n'), "{stdout}");
}

/// The alerts about the process that this sensor ran.
fn own_alerts(home: &Home, sensor: u32) -> Vec<Value> {
    let mut alerts = home.alerts();
    alerts.retain(|alert| alert["process_info"]["ppid"] == sensor);
    alerts
}

fn home(config: &str) -> std::sync::Arc<Home> {
    let home = Home::new(config);
    home.write_content(&alert_tester());
    std::sync::Arc::new(home)
}

/// The lines that name a stage.
fn stages(said: &Said) -> Vec<&str> {
    said.stderr.lines().filter(|line| ["kernel", "rules", "output"].iter().any(|stage| line.contains(stage))).collect()
}

#[test]
fn a_running_sensor_tells_the_documented_line() {
    let home = home(CONFIG);
    let sensor = Sensor::start_in(&home);
    let said = sensor.run(&["-test-alert"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), ""), "{}", said.stderr);
    assert_eq!(stages(&said).len(), 4, "{}", said.stderr);
    assert!(said.stderr.contains("alerts.jsonl"), "{}", said.stderr);
    // It was confirmed: so it is there.
    documented_lines(&sensor.stdout(), 1);
    let alerts = own_alerts(&sensor, sensor.pid());
    assert_eq!(alerts.len(), 1);
    assert_eq!((&alerts[0]["strategy_name"], &alerts[0]["priority"]), (&"Alert Tester".into(), &"Info".into()));
    let uuid = alerts[0]["uuid"].as_str().unwrap();
    assert!(said.stderr.contains(uuid), "{}", said.stderr);

    // Each check is a new alert.
    assert_eq!(sensor.run(&["--test-alert"]).code, Some(0));
    documented_lines(&sensor.stdout(), 2);
    let alerts = own_alerts(&sensor, sensor.pid());
    assert_eq!(alerts.len(), 2);
    assert_ne!(alerts[1]["uuid"], uuid);
}

#[test]
fn without_a_sensor_it_runs_one_for_itself() {
    let home = home(CONFIG);
    let said = home.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    documented_lines(&said.stdout, 1);
    assert!(!home.alerts().is_empty());
    assert_eq!(home.status_if_any(), None, "it has ended");
}

#[test]
fn an_output_that_fails_is_named() {
    let home = home(&CONFIG.replace("@HOME@/alerts.jsonl", "@HOME@/out/alerts.jsonl"));
    let sensor = Sensor::start_in(&home);
    assert_eq!(sensor.run(&["-test-alert"]).code, Some(0));
    // A folder in the file's place.
    let file = home.file("out/alerts.jsonl");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let failed: Vec<&str> = stages(&said).into_iter().filter(|line| line.contains("alerts.jsonl")).collect();
    assert!(!failed.is_empty() && failed.iter().any(|line| line.to_lowercase().contains("fail")), "{}", said.stderr);
    // The other one was not held up.
    documented_lines(&sensor.stdout(), 2);
    let status = sensor.ask(&["status"]).stdout;
    assert!(status.contains("alerts.jsonl") && !status.contains("No problems"), "{status}");
}

#[test]
fn without_the_policy_the_rules_are_the_stage_that_failed() {
    let home = std::sync::Arc::new(Home::new(CONFIG));
    let sensor = Sensor::start_in(&home);
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("rules") && said.stderr.contains("Alert Tester"), "{}", said.stderr);
    assert_eq!(sensor.alerts().len(), 0);
}

/// Policies that match all programs, and are judged before and after: one is only audited, so no output takes its alert.
#[test]
fn it_follows_its_own_alert_whatever_other_policies_say_of_the_process() {
    let others = ["A First Policy", "Zz Last Policy"].map(|name| {
        format!("{name}: {{policy: program, responseActions: [audit], rules: ['match args == \"-alert-tester-marker\"', default ignore]}}\n")
    });
    let home = home(&format!("{CONFIG}{}", others.concat()));
    let rules = others.concat().replace("Policy:", "Policy of Content:");
    home.write_content(&format!("{rules}{}", alert_tester()));
    let sensor = Sensor::start_in(&home);
    let said = sensor.run(&["-test-alert"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(stages(&said).iter().all(|line| line.starts_with("ok")), "{}", said.stderr);
    documented_lines(&sensor.stdout(), 1);
}

#[test]
fn without_outputs_it_fails_and_says_so() {
    let home = home("");
    let said = home.run(&["-test-alert"]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    assert!(said.stderr.contains("alert_output.outputs"), "{}", said.stderr);
}

#[test]
fn the_marker_raises_no_alert_for_other_programs() {
    let home = home(CONFIG);
    let sensor = Sensor::start_in(&home);
    let mark = Mark::new("not-the-tester");
    let dir = tempfile::tempdir().unwrap();
    let other = programs::copy(&programs::tiny(), dir.path().join("other"));
    let pid = sensor.finish(Command::new(other).args(["-alert-tester-marker", mark.word()]));
    assert_eq!(sensor.run(&["-test-alert"]).code, Some(0));
    assert_eq!(own_alerts(&sensor, sensor.pid()).len(), 1);
    assert!(sensor.alerts().iter().all(|alert| alert["process_info"]["pid"] != pid));
}
