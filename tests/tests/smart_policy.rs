//! A Smart Policy on the real kernel: it alerts on what a process under suspicion starts, and on nothing else.

use std::process::Command;

use sensor_tests::{Mark, Sensor, programs};

#[test]
fn a_smart_policy_alerts_on_children_of_an_alert_alone() {
    let mark = Mark::new("smart");
    let word = mark.word();
    let sensor = Sensor::start(&Mark::config_for(
        &format!(r#"args == "{word}-suspect""#),
        &format!(
            "Inside Incident:\n  policy: program\n  contentGroup: Smart Policy\n  rules:\n    - match programName == \
             \"tiny\" and args == \"{word}\"\n    - default ignore\n"
        ),
    ));
    let tiny = programs::tiny();
    // A shell that starts the program as a child of its own, since something is left to do after it.
    let shell = |name: String| {
        let mut command = Command::new("sh");
        command.args(["-c", "\"$0\" \"$1\"; exit 0"]).arg(&tiny).arg(word).arg(name);
        command
    };
    sensor.finish(&mut shell(format!("{word}-harmless")));
    sensor.finish(Command::new(&tiny).arg(word));
    let suspect = sensor.finish(&mut shell(format!("{word}-suspect")));

    let inside = |alert: &serde_json::Value| alert["strategy_name"] == "Inside Incident";
    let alert = sensor.until("the alert of the Smart Policy", || sensor.alerts().into_iter().find(inside));
    assert_eq!(alert["process_info"]["ppid"], suspect, "{alert:#}");
    let first = &sensor.alerts_about(suspect, 1)[0];
    assert_eq!((&first["strategy_name"], &first["incident_id"]), (&"Marked Program".into(), &alert["incident_id"]));
    // Alerts come in the order of what they are about: those before would be there.
    assert_eq!(sensor.alerts().iter().filter(|alert| inside(alert)).count(), 1);
}
