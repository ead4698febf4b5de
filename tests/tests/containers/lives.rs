//! Containers that come and go, by their control groups.

use std::fs;
use std::process::Command;

use sensor_tests::hooks::{assert_accounted, assert_attached_while_asked_for, hook};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::Value;

use super::{Group, container_id};

/// The table, and a policy for containers with this id.
fn config(mark: &Mark, id: &str) -> String {
    let config = mark.config_with(&format!(
        "Container Made:\n  policy: containerCreated\n  rules:\n    - 'match containerId == \"{id}\"'\n    - default ignore\n"
    ));
    let table = "      - name: sensors\n";
    assert!(config.contains(table));
    let filter = format!("filter: ['match containerId == \"{id}\"', 'default ignore']");
    config.replacen(table, &format!("{table}      - {{name: container_events, {filter}}}\n"), 1)
}

/// What became of it, and by which program.
fn told(sensor: &Sensor) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = sensor.rows("container_events");
    let kind = |row: &Value| text(row, "event_type").replace("CONTAINER_EVENT_TYPE_", "");
    rows.iter().map(|row| (kind(row), text(row, "path"))).collect()
}

#[test]
fn a_container_is_told_from_its_group_to_its_end() {
    let mark = Mark::new("lives");
    let id = container_id();
    let sensor = Sensor::start(&config(&mark, &id));
    let name = format!("docker-{id}.scope");
    let group = Group::new(&name);
    // A group within it is none of a container, and one beside it is none of this one.
    let inner = Group(group.0.join("inner"));
    fs::create_dir(&inner.0).expect("a group");
    let _other = Group::new(&format!("docker-{}.scope", container_id()));
    let run = || {
        let mut command = Command::new(programs::act());
        sensor.finish(command.arg("cgroup").arg(&inner.0).arg(programs::tiny()).arg(mark.word()))
    };
    run();
    sensor.until("its end", || (told(&sensor).len() == 3).then_some(()));
    run();
    sensor.until("its end", || (told(&sensor).len() == 5).then_some(()));
    drop(inner);
    drop(group);
    let told = sensor.until("it to be taken away", || Some(told(&sensor)).filter(|told| told.len() == 6));
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["CREATED", "RUNNING", "EXITED", "RUNNING", "EXITED", "DESTROYED"]);
    // Who moves itself there starts it. Who was the last in it is told by the kernel, or known as one that ended.
    let tests = std::env::current_exe().expect("this program").display().to_string();
    let who = |at: usize| told[at].1.as_str();
    assert_eq!((who(0), who(5)), (tests.as_str(), tests.as_str()));
    assert!(who(1).ends_with("/act"), "{told:?}");
    assert!(who(2).is_empty() || who(2).ends_with("/tiny"), "{told:?}");

    let row = sensor.rows("container_events").remove(0);
    assert_eq!((&row["container_id"], &row["container_runtime"]), (&id.as_str().into(), &"docker".into()));
    assert_eq!(row["container_cgroup"], format!("/{name}"), "{row:#}");
    let alerts = sensor.alerts().into_iter().filter(|alert| alert["strategy_name"] == "Container Made");
    let alerts: Vec<Value> = alerts.collect();
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    assert_eq!(alerts[0]["location"]["container_id"], id.as_str());
    let sentence = alerts[0]["notifications"][0]["message"].as_str().unwrap_or_default();
    assert!(sentence.contains(&format!("created the container {}", &id[..12])), "{sentence}");
    assert_accounted(&hook(&sensor, "container"));
    assert_attached_while_asked_for(&sensor, &mark, &["container"]);
}
