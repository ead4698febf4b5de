//! Files that are made, and opened to be changed, are told with the path that the kernel found, whichever way they were opened.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use sensor_tests::hooks::{alone, assert_attached_while_asked_for, assert_flood_costs_others_nothing};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const POLICY: &str = "Marked File";

/// A sensor that records what is done to files in folders of this mark, and alerts on it.
fn sensor(mark: &Mark) -> Sensor {
    Sensor::start(&config(mark, &table(mark)))
}

fn config(mark: &Mark, table: &str) -> String {
    let word = mark.word();
    format!(
        r#"
alert_output:
  outputs:
    - {{type: file, name: "@HOME@/alerts.jsonl"}}
investigations:
  reporting_interval: 200ms
  sinks:
    - {{backend: file, name: "@HOME@/rows.jsonl"}}
  flight_recorder:
    enabled: true
    tables:
      - name: process_events
        filter: ['match {rule}', default ignore]
      - name: lost_records
{table}
{POLICY}:
  policy: fileMonitor
  rules:
    - 'match filePath == "*/{word}*"'
    - default ignore
"#,
        rule = mark.rule(),
    )
}

fn table(mark: &Mark) -> String {
    format!("      - name: file_events\n        filter: ['match filePath == \"*/{}*\"', default ignore]", mark.word())
}

fn rows_of(sensor: &Sensor, pid: u32) -> Vec<Value> {
    let is_one = |row: &Value| row["pid"] == pid;
    sensor.home().rows("file_events").into_iter().filter(is_one).collect()
}

/// Runs `act file` in this way, and waits until this many rows tell of it.
fn told(sensor: &Sensor, way: &str, path: &Path, count: usize) -> (u32, Vec<Value>) {
    let pid = sensor.finish(Command::new(programs::act()).args(["file", way]).arg(path));
    let rows = sensor.until(way, || Some(rows_of(sensor, pid)).filter(|rows| rows.len() >= count));
    (pid, rows)
}

#[test]
fn a_file_is_told_whichever_way_it_is_opened() {
    let _alone = alone();
    let mark = Mark::new("files");
    let sensor = sensor(&mark);
    let home = sensor.home();
    let folder = home.file(mark.word());
    fs::create_dir(&folder).unwrap();
    for way in ["open", "creat", "openat", "openat2", "compat", "root", "thread", "link", "chroot", "namespace"] {
        let path = folder.join(way);
        let (pid, rows) = told(&sensor, way, &path, 1);
        let made =
            rows.iter().find(|row| row["event_type"] == "FILE_EVENT_TYPE_CREATE" && row["file_type"] == "regular");
        let row = made.unwrap_or_else(|| panic!("{way}: {rows:#?}"));
        let file = fs::metadata(&path).unwrap();
        let of_host = way != "namespace";
        for (column, value) in [
            ("file_path", json!(path)),
            ("file_inode", json!(file.ino())),
            ("file_device", json!(file.dev())),
            ("new_mode", json!(file.mode())),
            ("new_owner", json!(0)),
            ("is_file_host_mounts", json!(of_host)),
            ("is_file_user_mounts", json!(false)),
            ("path", json!(programs::act().canonicalize().unwrap())),
            ("uid", json!(0)),
            ("file_error", Value::Null),
        ] {
            assert_eq!(row[column], value, "{way}: {column} of {row:#}");
        }
        let alerts = sensor.until(way, || {
            let is_one = |alert: &Value| alert["strategy_name"] == POLICY && alert["process_info"]["pid"] == pid;
            Some(sensor.alerts().into_iter().filter(is_one).collect::<Vec<_>>()).filter(|alerts| !alerts.is_empty())
        });
        assert!(alerts.iter().any(|alert| alert["notifications"][0]["message_fields"]["file_path"] == json!(path)));
    }
    // What is there already is opened to be changed.
    for way in ["append", "both", "truncate", "descriptor"] {
        let path = folder.join("open");
        let (_, rows) = told(&sensor, way, &path, 1);
        let told: Vec<_> = rows.iter().map(|row| (&row["event_type"], &row["file_path"])).collect();
        assert_eq!(told, [(&json!("FILE_EVENT_TYPE_OPEN_FOR_MODIFY"), &json!(path))], "{way}");
    }
    // And who only reads it changes nothing: what comes after is there.
    let path = folder.join("open");
    let reader = sensor.finish(Command::new(programs::act()).args(["file", "read"]).arg(&path));
    told(&sensor, "append", &path, 1);
    assert_eq!(rows_of(&sensor, reader), [Value::Null; 0]);
    let status = sensor.status();
    for hook in status["hooks"].as_array().expect("hooks") {
        let count = |name: &str| hook[name].as_u64().unwrap_or_default();
        let ends = ["submitted", "ring_full", "over_budget", "filtered", "failed"];
        assert_eq!(count("seen"), ends.into_iter().map(count).sum::<u64>(), "{hook:#}");
    }
}

#[test]
fn a_mount_of_a_part_has_the_path_that_it_was_opened_by() {
    let _alone = alone();
    let mark = Mark::new("bind");
    let sensor = sensor(&mark);
    let home = sensor.home();
    let [real, other] = ["real", "other"].map(|name| home.file(&format!("{}-{name}", mark.word())));
    fs::create_dir(&real).unwrap();
    fs::create_dir(&other).unwrap();
    let script = format!(
        "mount --bind {real} {other} && echo >{other}/by-mount",
        real = real.display(),
        other = other.display()
    );
    let pid = sensor.finish(Command::new("unshare").args(["-m", "sh", "-c", &script]));
    let rows = sensor.until("the file", || Some(rows_of(&sensor, pid)).filter(|rows| !rows.is_empty()));
    assert_eq!(rows[0]["file_path"], json!(other.join("by-mount")), "{rows:#?}");
    assert_eq!(rows[0]["file_inode"], json!(fs::metadata(real.join("by-mount")).unwrap().ino()));
}

#[test]
fn nothing_is_attached_for_it_until_somebody_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked-files");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["file_open"]);
}

/// Beyond the budget what is done to files is counted as lost, and processes are told as if there were none of it.
#[test]
fn a_flood_of_it_costs_others_nothing() {
    let _alone = alone();
    let mark = Mark::new("flood-of-files");
    // A policy asks, and none of it is anything to it.
    let sensor = Sensor::start(&config(&mark, "").replace("match filePath ==", "match fileError == 5 and filePath =="));
    let path = sensor.home().file(mark.word());
    fs::write(&path, "").unwrap();
    let flooding =
        sensor.finish(Command::new(programs::act()).args(["file", "flood"]).arg(&path).arg("400000").arg(mark.word()));
    assert_flood_costs_others_nothing(&sensor, &mark, flooding, "file");
}
