//! Parquet files, as DuckDB and pyarrow read them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Home, Mark, Sensor, until};
use serde_json::Value;

use super::python::python;
use super::{raise, sink, with_sinks};

/// What DuckDB and what pyarrow finds about a process.
fn read(home: &Home, pid: u32) -> (Vec<Value>, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/parquet.py");
    let said = Command::new(python())
        .arg(script)
        .arg(home.file("lake"))
        .args(["process_events", &pid.to_string()])
        .output()
        .expect("Python runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8(said.stdout).expect("text");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let rows = lines.next().expect("what DuckDB found");
    (rows.as_array().expect("rows").clone(), lines.next().expect("what pyarrow found"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn rows_are_the_same_in_parquet() {
    let mark = Mark::new("parquet");
    let sinks = "    - {backend: parquet, name: \"@HOME@/lake\", roll_interval: 300ms}";
    let sensor = Sensor::start(&with_sinks(&mark.config(), sinks));
    let name = format!("odd \u{e9}\n{}", mark.word());
    let pid = sensor.finish(Command::new(sensor_tests::programs::tiny()).args([mark.word(), "", &name]));
    let written = sensor.until_exit(pid);
    let last = raise(&sensor, &mark);
    sensor.until_exit(last);
    until("all to be written", || {
        let status = sink(&sensor, &sensor.file("lake").display().to_string());
        let rows = sensor.rows("process_events").len() as u64;
        (status["sent"].as_u64() >= Some(rows)).then_some(())
    });
    let hidden = |file: &PathBuf| file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    for file in files(&sensor.file("lake")).into_iter().filter(|file| !hidden(file)) {
        assert_eq!(file.extension().and_then(|end| end.to_str()), Some("parquet"), "{}", file.display());
        assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    }
    let (rows, arrow) = read(&sensor, pid);
    assert_eq!(rows.len(), written.len());
    for (row, written) in rows.iter().zip(&written) {
        for (column, value) in written.as_object().expect("a row") {
            if column != "table" {
                assert_eq!(row[column], *value, "{column}");
            }
        }
        assert_eq!(row["args_type"], "VARCHAR[]");
        assert_eq!(row["exit_code"].is_null(), written.get("exit_code").is_none());
    }
    assert_eq!(arrow["rows"], written.len());
    assert_eq!(arrow["schema"]["unix_nano_timestamp"], "int64");
    assert_eq!(arrow["schema"]["pid"], "int64");
    assert!(arrow["schema"]["args"].as_str().is_some_and(|ty| ty.starts_with("list<")));
    assert_eq!(arrow["schema"]["timestamp"], "timestamp[us, tz=UTC]");
    assert_eq!(arrow["schema"]["hour"], "int32");
    assert_eq!(rows[0]["timestamp_type"], "TIMESTAMP WITH TIME ZONE");
    for (row, written) in rows.iter().zip(&written) {
        let nanos = written["unix_nano_timestamp"].as_u64().expect("a time");
        assert_eq!(row["timestamp_us"].as_u64(), Some(nanos / 1000));
    }
}

/// The same files under another hour each: what a reader makes of the partitions does not come with the time of day.
#[test]
fn hours_are_numbers_at_every_time_of_day() {
    let mark = Mark::new("parquethours");
    let sensor = Sensor::start(&with_sinks(
        &mark.config(),
        "    - {backend: parquet, name: \"@HOME@/lake\", roll_interval: 1h}",
    ));
    let home = sensor.home();
    let pid = raise(&sensor, &mark);
    let rows = sensor.until_exit(pid).len();
    assert_eq!(sensor.stop(), Some(0));
    let written: Vec<PathBuf> = files(&home.file("lake/process_events"));
    let day = written[0].parent().and_then(Path::parent).expect("a folder of a day").to_owned();
    let hour = written[0].parent().and_then(Path::file_name).and_then(|name| name.to_str()).expect("an hour");
    let hour: u32 = hour.strip_prefix("hour=").expect("an hour").parse().expect("a number");
    assert!(!written[0].to_string_lossy().contains("hour=0") || hour == 0, "{}", written[0].display());
    for (number, at) in [(1, "6"), (2, "12")] {
        let folder = home.file(&format!("hours{number}/process_events")).join(day.file_name().expect("a day"));
        let folder = folder.join(format!("hour={at}"));
        fs::create_dir_all(&folder).expect("a folder");
        for file in &written {
            fs::copy(file, folder.join(file.file_name().expect("a name"))).expect("a copy");
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/parquet.py");
        let lake = home.file(&format!("hours{number}"));
        let said = Command::new(python())
            .arg(script)
            .arg(lake)
            .args(["process_events", &pid.to_string(), "hour >= 6"])
            .output()
            .expect("Python runs");
        assert!(said.status.success(), "hour={at}: {}", String::from_utf8_lossy(&said.stderr));
        let text = String::from_utf8(said.stdout).expect("text");
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let found = lines.next().expect("what DuckDB found");
        assert_eq!(found.as_array().expect("rows").len(), rows, "hour={at}");
        assert_eq!(found[0]["hour_type"], "BIGINT", "hour={at}");
        assert_eq!(lines.next().expect("what pyarrow found")["schema"]["hour"], "int32", "hour={at}");
    }
}

#[test]
fn an_orderly_stop_writes_what_was_gathered() {
    let mark = Mark::new("parquetstop");
    let sinks = "    - {backend: parquet, name: \"@HOME@/lake\", roll_interval: 1h}";
    let sensor = Sensor::start(&with_sinks(&mark.config(), sinks));
    let home = sensor.home();
    let pid = raise(&sensor, &mark);
    let written = sensor.until_exit(pid);
    assert!(files(&home.file("lake")).is_empty());
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(read(&home, pid).0.len(), written.len());
}

/// An output that takes nothing uses up the time of the end; what is gathered does not wait for that.
#[test]
fn rows_are_safe_before_a_dead_output_has_been_given_up() {
    let mark = Mark::new("parquetdead");
    let dead = "  outputs:\n    - {type: zeromq, endpoint: \"tcp://127.0.0.1:9\", bind: false, pattern: push}\n";
    let config = mark.config().replacen("  outputs:\n", dead, 1);
    let sinks = "    - {backend: parquet, name: \"@HOME@/lake\", roll_interval: 1h}";
    let sensor = Sensor::start(&with_sinks(&config, sinks));
    let home = sensor.home();
    let pid = raise(&sensor, &mark);
    let written = sensor.until_exit(pid);
    sensor.signal(nix::sys::signal::Signal::SIGTERM);
    let is_whole = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "parquet");
    sensor.until("the rows", || files(&home.file("lake/process_events")).iter().any(is_whole).then_some(()));
    assert!(!home.log().contains("what this output was to get is lost"), "{}", home.log());
    sensor.kill();
    assert_eq!(read(&home, pid).0.len(), written.len());
}
