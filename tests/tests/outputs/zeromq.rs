//! ZeroMQ, against libzmq as Python programs use it, and as C programs do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use prost::Message as _;
use sensor_proto::v1;
use sensor_tests::{Mark, Sensor, until};
use serde_json::Value;

use super::python::python;
use super::receiver::Receiver;
use super::zeromq_peer::{base64, messages, plain_receiver, receiver};
use super::{fed, free_port, output, raise, sink, with_outputs, with_sinks};

/// The pids that alerts or rows are about, one for each message.
fn pids(receiver: &Receiver) -> Vec<u64> {
    let pid = |(_, body): (String, Vec<u8>)| {
        let json: Value = serde_json::from_slice(&body).expect("JSON");
        json["process_info"]["pid"].as_u64().or(json["pid"].as_u64()).expect("a pid")
    };
    messages(receiver).into_iter().map(pid).collect()
}

/// Raises alerts until a subscriber gets one: from then on it misses none.
fn join(sensor: &Sensor, mark: &Mark, subscriber: &Receiver) {
    let before = messages(subscriber).len();
    until("a subscriber to get an alert", || {
        raise(sensor, mark);
        (messages(subscriber).len() > before).then_some(())
    });
}

/// Waits until it has an alert about this process.
fn wait_for(receiver: &Receiver, pid: u32) {
    until("an alert to arrive", || pids(receiver).contains(&pid.into()).then_some(()));
}

#[test]
fn subscribers_come_late_and_sensors_come_back() {
    let mark = Mark::new("pub");
    let config = with_outputs(&mark.config(), "    - {type: zeromq, name: bus, endpoint: \"ipc://@HOME@/bus\"}");
    let sensor = Sensor::start(&config);
    let socket = sensor.file("bus");
    assert_eq!(fs::metadata(&socket).expect("the socket").permissions().mode() & 0o777, 0o600);
    let endpoint = format!("ipc://{}", socket.display());

    // Nobody is there: that is counted, and no fault.
    raise(&sensor, &mark);
    until("an alert that nobody hears", || (output(&sensor, "bus")["dropped"].as_u64() >= Some(1)).then_some(()));

    let first = receiver("sub", "connect", &endpoint, &["alerts"]);
    let deaf = receiver("sub", "connect", &endpoint, &["other"]);
    join(&sensor, &mark, &first);
    let late = plain_receiver("sub", "connect", &endpoint, &[""]);
    join(&sensor, &mark, &late);
    let pid = raise(&sensor, &mark);
    wait_for(&first, pid);
    wait_for(&late, pid);
    assert!(messages(&first).iter().all(|(topic, _)| topic == "alerts"));
    assert!(messages(&deaf).is_empty());

    // Killed, so its socket is left behind; subscribers come back by themselves.
    let home = sensor.home();
    sensor.kill();
    let sensor = Sensor::start_in(&home);
    join(&sensor, &mark, &first);
    join(&sensor, &mark, &late);
    let pid = raise(&sensor, &mark);
    wait_for(&first, pid);
    wait_for(&late, pid);
    // A subscriber that is started anew gets what comes from then on.
    drop(first);
    let again = receiver("sub", "connect", &endpoint, &["alerts"]);
    join(&sensor, &mark, &again);
    assert_eq!(sensor.stop(), Some(0));
    assert!(!socket.exists());
}

#[test]
fn what_is_pushed_waits_for_who_pulls_it() {
    let mark = Mark::new("push");
    let endpoint = format!("tcp://127.0.0.1:{}", free_port());
    let config =
        with_outputs(&mark.config(), &format!("    - {{type: zeromq, endpoint: \"{endpoint}\", pattern: push}}"));
    let sensor = Sensor::start(&config);
    let before: Vec<u32> = (0..5).map(|_| raise(&sensor, &mark)).collect();
    let first = receiver("pull", "bind", &endpoint, &[]);
    before.iter().for_each(|pid| wait_for(&first, *pid));

    drop(first);
    // What was on its way when the receiver ended went down with it. That it has ended shows in the status.
    until("the sensor to notice", || {
        raise(&sensor, &mark);
        (output(&sensor, "zeromq")["queued"].as_u64() > Some(0)).then_some(())
    });
    let between: Vec<u32> = (0..5).map(|_| raise(&sensor, &mark)).collect();
    let second = plain_receiver("pull", "bind", &endpoint, &[]);
    between.iter().for_each(|pid| wait_for(&second, *pid));
    assert_eq!(output(&sensor, "zeromq")["dropped"], 0);
}

#[test]
fn rows_have_the_topics_of_their_tables() {
    let mark = Mark::new("topics");
    let port = free_port();
    let sinks = format!(
        "    - {{backend: zeromq, name: text, endpoint: \"tcp://127.0.0.1:{port}\"}}\n    \
         - {{backend: zeromq, name: binary, endpoint: \"ipc://@HOME@/rows\", encoding: protobuf}}"
    );
    let config = with_sinks(&mark.config(), &sinks).replacen(
        "investigations:\n",
        "investigations:\n  zeromq: {topics: [{process_events: running_processes}]}\n",
        1,
    );
    let sensor = Sensor::start(&config);
    let text = receiver("sub", "connect", &format!("tcp://127.0.0.1:{port}"), &["running_processes"]);
    let binary = receiver("sub", "connect", &format!("ipc://{}", sensor.file("rows").display()), &[""]);
    join(&sensor, &mark, &text);
    join(&sensor, &mark, &binary);
    let pid = raise(&sensor, &mark);
    let written = sensor.until_exit(pid);
    wait_for(&text, pid);
    until("all rows of the process", || {
        let rows: Vec<Value> = messages(&text)
            .into_iter()
            .map(|(_, body)| serde_json::from_slice(&body).expect("JSON"))
            .filter(|row: &Value| row["pid"] == pid)
            .collect();
        (rows.len() == written.len()).then(|| assert_eq!(rows, written))
    });
    until("the same as protobuf", || {
        let rows: Vec<Value> = messages(&binary)
            .into_iter()
            .filter(|(topic, _)| topic == "running_processes")
            .map(|(_, body)| v1::Row::decode(&*body).expect("a row"))
            .map(|row| serde_json::to_value(row).expect("JSON"))
            .filter(|row: &Value| row["pid"] == pid)
            .collect();
        (rows.len() == written.len()).then(|| assert_eq!(rows, written))
    });
}

/// What a reader of protobuf that is none of ours reads: names of messages and their bytes in base64.
fn read_protobuf(messages: &[(&str, String)]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/protobuf_reader.py");
    let lines: String = messages.iter().map(|(name, body)| format!("{name} {body}\n")).collect();
    let said = fed(Command::new(python()).arg(script), &lines);
    said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Whether this is the same in protobuf's JSON, where long integers are texts and what is nothing is left out.
fn is_told(value: &Value, told: &Value) -> bool {
    match (value, told) {
        (Value::Bool(false), Value::Null) => true,
        (Value::Number(number), Value::Null) => number.as_u64() == Some(0),
        (Value::Number(number), Value::String(text)) => number.to_string() == *text,
        (Value::Array(list), Value::Null) => list.is_empty(),
        (Value::Array(list), Value::Array(told)) => {
            list.len() == told.len() && list.iter().zip(told).all(|(value, told)| is_told(value, told))
        }
        (Value::Object(map), _) => map.iter().all(|(key, value)| is_told(value, &told[key])),
        (Value::String(text), Value::Null) => text.is_empty(),
        _ => value == told,
    }
}

#[test]
fn protobuf_is_what_the_published_definitions_say() {
    let mark = Mark::new("binary");
    let config =
        with_outputs(&mark.config(), "    - {type: zeromq, endpoint: \"ipc://@HOME@/bus\", encoding: protobuf}");
    let config = with_sinks(&config, "    - {backend: zeromq, endpoint: \"ipc://@HOME@/rows\", encoding: protobuf}");
    let sensor = Sensor::start(&config);
    let lines = |receiver: &Receiver| -> Vec<(String, String)> {
        let line = |line: String| {
            let (topic, body) = line.split_once(' ').expect("two frames");
            (String::from_utf8(base64(topic)).expect("a topic"), body.to_owned())
        };
        receiver.lines().into_iter().map(line).collect()
    };
    let alerts = plain_receiver("sub", "connect", &format!("ipc://{}", sensor.file("bus").display()), &["alerts"]);
    let rows = receiver("sub", "connect", &format!("ipc://{}", sensor.file("rows").display()), &["process_events"]);
    join(&sensor, &mark, &alerts);
    join(&sensor, &mark, &rows);
    let pid = raise(&sensor, &mark);
    let written = sensor.until_exit(pid);
    let about = |read: Vec<Value>, pid_of: fn(&Value) -> &Value| -> Vec<Value> {
        read.into_iter().filter(|one| *pid_of(one) == pid).collect()
    };
    let told = until("all rows of the process", || {
        let messages: Vec<_> = lines(&rows).into_iter().map(|(_, body)| ("Row", body)).collect();
        let told = about(read_protobuf(&messages), |row| &row["process_events"]["pid"]);
        (told.len() == written.len()).then_some(told)
    });
    for (row, told) in written.iter().zip(&told) {
        let mut row = row.clone();
        row.as_object_mut().expect("a row").remove("table");
        assert!(is_told(&row, &told["process_events"]), "{row:#}\n{told:#}");
    }
    let alert = sensor.until("the alert", || sensor.alerts().into_iter().find(|one| one["process_info"]["pid"] == pid));
    let told = until("the alert as protobuf", || {
        let messages: Vec<_> = lines(&alerts).into_iter().map(|(_, body)| ("Alert", body)).collect();
        about(read_protobuf(&messages), |alert| &alert["process_info"]["pid"]).pop()
    });
    assert!(is_told(&alert, &told), "{alert:#}\n{told:#}");
}

#[test]
fn one_that_takes_nothing_costs_the_others_nothing() {
    let mark = Mark::new("slow");
    let rows = "    - {backend: zeromq, endpoint: \"ipc://@HOME@/rows\", high_water_mark: 50}";
    let sensor = Sensor::start(&with_sinks(&mark.config(), rows));
    let endpoint = format!("ipc://{}", sensor.file("rows").display());
    let stuck = receiver("sub", "connect", &endpoint, &["process_events"]);
    let fast = receiver("sub", "connect", &endpoint, &["process_events"]);
    join(&sensor, &mark, &stuck);
    join(&sensor, &mark, &fast);
    stuck.signal(Signal::SIGSTOP);
    sensor_tests::programs::run_storm(2_000, &mark);
    let last = raise(&sensor, &mark);
    sensor.until_exit(last);
    wait_for(&fast, last);
    // The file has every row: so has the one that reads.
    let all: Vec<u64> = sensor.rows("process_events").iter().filter_map(|row| row["pid"].as_u64()).collect();
    let got = pids(&fast);
    assert!(got.len() > 2_000, "{}", got.len());
    assert!(all.ends_with(&got), "{} of {}", got.len(), all.len());
    let lost = sink(&sensor, "zeromq")["dropped"].as_u64();
    assert!(lost > Some(0), "{lost:?}");
    stuck.signal(Signal::SIGCONT);
    join(&sensor, &mark, &stuck);
}

#[test]
fn a_reload_keeps_subscribers() {
    let mark = Mark::new("stay");
    let config = |more: &str| {
        let output = format!("    - {{type: zeromq, endpoint: \"ipc://@HOME@/bus\", topic: one{more}}}");
        with_outputs(&mark.config(), &output)
    };
    let sensor = Sensor::start(&config(""));
    let endpoint = format!("ipc://{}", sensor.file("bus").display());
    let subscriber = receiver("sub", "connect", &endpoint, &["one"]);
    join(&sensor, &mark, &subscriber);
    sensor.write_config(&config(", template: '{\"pid\": {{.ProcessInfo.Pid}}}'"));
    assert_eq!(sensor.reload().code, Some(0), "{}", sensor.log());
    // The very next alert arrives: nobody had to connect again.
    let pid = raise(&sensor, &mark);
    wait_for(&subscriber, pid);
    // What was raised while nobody had joined may be told of meanwhile.
    let wanted = ("one".to_owned(), format!("{{\"pid\": {pid}}}").into_bytes());
    assert!(messages(&subscriber).contains(&wanted), "{:?}", messages(&subscriber));
}

#[test]
fn a_subscriber_that_wants_encryption_is_told_at_once() {
    let mark = Mark::new("curve");
    let config = with_outputs(&mark.config(), "    - {type: zeromq, name: bus, endpoint: \"ipc://@HOME@/bus\"}");
    let sensor = Sensor::start(&config);
    // One that was there before the socket took connections does not come again.
    let mut curve = Vec::new();
    let mut looks = 0;
    let told = until("it to be told", || {
        if looks % 100 == 0 {
            curve.push(receiver("curve", "connect", &format!("ipc://{}", sensor.file("bus").display()), &["alerts"]));
        }
        looks += 1;
        let status = output(&sensor, "bus");
        (status["turned_away"].as_u64() > Some(0)).then_some(status)
    });
    // libzmq leaves once it knows, before or after it has said what it wants.
    let error = told["last_error"].to_string();
    assert!(told["failing"] == true && (error.contains("CURVE") || error.contains("encryption")), "{told:#}");
    sensor.until("word in the log", || sensor.log().contains("a receiver cannot be served").then_some(()));
}
