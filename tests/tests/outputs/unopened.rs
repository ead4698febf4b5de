//! What cannot be opened when the sensor starts: the host's state, which keeps nothing else from working.

use std::fs;
use std::net::TcpListener;

use sensor_tests::{Mark, Sensor};
use serde_json::Value;

use super::{output, raise, sink, with_outputs, with_sinks};

fn is_failing(delivery: &Value, text: &str) -> bool {
    delivery["failing"] == true && delivery["last_error"].as_str().is_some_and(|error| error.contains(text))
}

#[test]
fn the_sensor_starts_without_them_and_they_get_what_waited() {
    let mark = Mark::new("unopened");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("tcp://{}", taken.local_addr().expect("its address"));
    // A file stands where the folder is to be.
    let outputs = format!(
        r#"    - {{type: file, name: "@HOME@/later/alerts.jsonl"}}
    - {{type: zeromq, name: taken, endpoint: "{endpoint}"}}"#
    );
    let sinks = r#"    - {backend: file, name: "@HOME@/later/rows.jsonl"}
    - {backend: parquet, name: "@HOME@/later/parquet", roll_interval: 1s}"#;
    let home =
        std::sync::Arc::new(sensor_tests::Home::new(&with_sinks(&with_outputs(&mark.config(), &outputs), sinks)));
    fs::write(home.file("later"), "").expect("a file in the way");
    let sensor = Sensor::start_in(&home);
    let [alerts, rows, parquet] =
        ["alerts.jsonl", "rows.jsonl", "parquet"].map(|name| home.file(&format!("later/{name}")).display().to_string());

    let pid = raise(&sensor, &mark);
    let _ = sensor.alerts_about(pid, 1);
    let until_failing =
        |of: &dyn Fn() -> Value, text: &str| sensor.until(text, || is_failing(&of(), text).then_some(()));
    until_failing(&|| output(&sensor, &alerts), "a part of the path is a file");
    until_failing(&|| output(&sensor, "taken"), "in use");
    for name in [&rows, &parquet] {
        until_failing(&|| sink(&sensor, name), "a part of the path is a file");
    }
    sensor.until("word in the log", || sensor.log().contains("output fails; it is tried again").then_some(()));
    let waits = |sensor: &Sensor| output(sensor, &alerts)["queued"].as_u64() >= Some(1);
    sensor.until("the alert to wait", || waits(&sensor).then_some(()));

    // A reload that names one more such is taken, and says so.
    let more = outputs.clone() + "\n    - {type: file, name: \"@HOME@/later/more.jsonl\"}";
    sensor.write_config(&with_sinks(&with_outputs(&mark.config(), &more), sinks));
    let said = sensor.reload();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!((said.stdout + &said.stderr).contains("more.jsonl: cannot write to "), "{}", sensor.log());

    fs::remove_file(home.file("later")).expect("the file in the way");
    drop(taken);
    sensor.until("the alert that waited", || {
        let text = fs::read_to_string(&alerts).unwrap_or_default();
        text.lines().any(|line| line.contains(&format!("\"pid\":{pid}"))).then_some(())
    });
    sensor.until("rows that waited", || {
        let text = fs::read_to_string(&rows).unwrap_or_default();
        text.contains(mark.word()).then_some(())
    });
    sensor.until("all of them to work", || {
        let status = sensor.status();
        let all = ["outputs", "sinks"].map(|role| status[role].as_array().expect("a list").clone()).concat();
        all.iter().all(|delivery| delivery["failing"] == false).then_some(())
    });
    assert_eq!(sensor.stop(), Some(0));
}
