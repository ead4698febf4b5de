//! The `parquet` sink with an S3-compatible store.

use std::path::Path;
use std::process::{Command, Stdio};

use sensor_tests::{Mark, Sensor, until};
use serde_json::Value;

use super::python::python;
use super::receiver::Receiver;
use super::{free_port, raise, sink, with_sinks};

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "hunter2/with+odd=characters";

fn script(command: &str, port: u16) -> Command {
    let mut python = Command::new(python());
    python
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/s3.py"))
        .args([command, &port.to_string(), KEY, SECRET])
        .stdin(Stdio::piped());
    python
}

fn store(port: u16) -> Receiver {
    Receiver::start(&mut script("serve", port))
}

fn config(mark: &Mark, port: u16, secret: &str) -> String {
    let sink = format!(
        "    - {{backend: parquet, name: \"@HOME@/lake\", roll_interval: 200ms, bucket: rows, prefix: fleet/a b, \
         endpoint: \"http://127.0.0.1:{port}\", access_key_id: {KEY}, secret_access_key: \"{secret}\", timeout: 5s, \
         retry_min: 50ms, retry_max: 300ms}}"
    );
    with_sinks(&mark.config(), &sink)
}

/// What is in the store about a process.
fn stored(port: u16, pid: u32) -> Vec<Value> {
    let said =
        script("read", port).args(["fleet/a b", "process_events", &pid.to_string()]).output().expect("Python runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).expect("JSON")
}

fn status(sensor: &Sensor) -> Value {
    sink(sensor, &sensor.file("lake").display().to_string())
}

fn until_error(sensor: &Sensor, words: &str) {
    until(&format!("an error about {words:?}"), || {
        status(sensor)["last_error"].to_string().contains(words).then_some(())
    });
}

/// Waits until all rows about these processes are in the store, as they were written to the file beside it.
fn until_stored(sensor: &Sensor, port: u16, pids: &[u32]) {
    for &pid in pids {
        let written = sensor.until_exit(pid);
        let rows = until("the rows to be in the store", || {
            (status(sensor)["confirmed"].as_u64() > Some(0))
                .then(|| stored(port, pid))
                .filter(|rows| rows.len() >= written.len())
        });
        assert_eq!(rows.len(), written.len());
        for (row, written) in rows.iter().zip(&written) {
            for (column, value) in written.as_object().expect("a row") {
                assert!(column == "table" || row[column] == *value, "{column}: {row}");
            }
        }
    }
}

#[test]
pub(crate) fn rows_reach_a_store_that_was_dead_and_had_other_credentials() {
    let mark = Mark::new("s3");
    let port = free_port();
    let sensor = Sensor::start(&config(&mark, port, "wrong"));
    let first = raise(&sensor, &mark);
    until_error(&sensor, "cannot be reached");

    // There it is, and wants another secret. Nothing is lost, and no secret is told.
    let dead_later = store(port);
    until_error(&sensor, "SignatureDoesNotMatch");
    until_error(&sensor, "check the access key");
    let second = raise(&sensor, &mark);
    sensor.until_exit(second);
    until("rows to wait in the folder", || {
        let waits = status(&sensor);
        (waits["confirmed"] == 0 && waits["spool"]["stored"].as_u64() > Some(0)).then_some(())
    });

    sensor.write_config(&config(&mark, port, SECRET));
    assert_eq!(sensor.reload().code, Some(0));
    until_stored(&sensor, port, &[first, second]);

    // Gone in the middle, and the sensor stops: what was not confirmed waits for its next start.
    drop(dead_later);
    let third = raise(&sensor, &mark);
    sensor.until_exit(third);
    until_error(&sensor, "cannot be reached");
    assert!(status(&sensor)["dropped"].as_object().is_none_or(serde_json::Map::is_empty));
    assert!(!format!("{}{}", sensor.status(), sensor.log()).contains("hunter2"));
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    let _alive = store(port);
    let sensor = Sensor::start_in(&home);
    until_stored(&sensor, port, &[third]);
    assert!(status(&sensor)["spool"]["given_up"].as_object().is_none_or(serde_json::Map::is_empty));
}
