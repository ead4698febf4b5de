//! `-test-alert`: the whole way from the kernel to each output, or the name of the stage where it ends.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use sensor_tests::{Home, Mark, Said, Sensor, programs};

/// The shipped policy that the self check needs.
fn shipped_content() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/content/runtimedetections-content.yaml");
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
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

fn home(config: &str) -> std::sync::Arc<Home> {
    let home = Home::new(config);
    home.write_content(&shipped_content());
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
    assert_eq!(sensor.stdout(), "Alert triggered: Alert Tester\n");
    let alerts = sensor.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!((&alerts[0]["strategy_name"], &alerts[0]["priority"]), (&"Alert Tester".into(), &"Info".into()));
    assert_eq!(alerts[0]["process_info"]["ppid"], sensor.pid());
    let uuid = alerts[0]["uuid"].as_str().unwrap();
    assert!(said.stderr.contains(uuid), "{}", said.stderr);

    // Each check is a new alert.
    assert_eq!(sensor.run(&["--test-alert"]).code, Some(0));
    assert_eq!(sensor.stdout(), "Alert triggered: Alert Tester\n".repeat(2));
    assert_eq!(sensor.alerts().len(), 2);
    assert_ne!(sensor.alerts()[1]["uuid"], uuid);
}

#[test]
fn without_a_sensor_it_runs_one_for_itself() {
    let home = home(CONFIG);
    let said = home.run(&["-test-alert"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(0), "Alert triggered: Alert Tester\n"), "{}", said.stderr);
    assert_eq!(home.alerts().len(), 1);
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
    assert_eq!(sensor.stdout(), "Alert triggered: Alert Tester\n".repeat(2));
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
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    sensor.finish(Command::new(other).args(["-alert-tester-marker", mark.word()]));
    assert_eq!(sensor.run(&["-test-alert"]).code, Some(0));
    assert_eq!(sensor.alerts().len(), 1, "the one of the self check");
}
