//! Outputs and sinks against the receivers that people have.

mod authority;
mod collector;
mod formats;
mod http;
mod parquet;
mod python;
mod receiver;
mod rsyslog;
mod s3;
mod secrets;
mod settings;
mod sizes;
mod syslog;
mod syslog_ng;
mod unopened;
mod zeromq;
mod zeromq_peer;

use std::io::{Seek as _, Write as _};
use std::process::{Command, Stdio};

use sensor_tests::{Mark, Sensor, free_port, programs};

/// Adds outputs to a configuration of [`Mark`].
fn with_outputs(config: &str, outputs: &str) -> String {
    config.replacen("  outputs:\n", &format!("  outputs:\n{outputs}\n"), 1)
}

/// Adds sinks.
fn with_sinks(config: &str, sinks: &str) -> String {
    config.replacen("  sinks:\n", &format!("  sinks:\n{sinks}\n"), 1)
}

/// Runs a program with the mark, which raises an alert; its pid.
fn raise(sensor: &Sensor, mark: &Mark) -> u32 {
    sensor.finish(Command::new(programs::tiny()).arg(mark.word()))
}

/// What the status says of an output.
fn output(sensor: &Sensor, name: &str) -> serde_json::Value {
    of(&sensor.status()["outputs"], name)
}

/// What the status says of a sink.
fn sink(sensor: &Sensor, name: &str) -> serde_json::Value {
    of(&sensor.status()["sinks"], name)
}

fn of(list: &serde_json::Value, name: &str) -> serde_json::Value {
    let found = list.as_array().expect("a list").iter().find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list:#}")).clone()
}

/// Runs a program to its end with this as its input; what it printed. The input is a file: with a pipe to either side, it
/// and the test wait for each other once neither pipe takes more.
fn fed(command: &mut Command, input: &str) -> String {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(input.as_bytes()).and_then(|()| file.rewind()).expect("its content");
    let said = command.stdin(file).stderr(Stdio::inherit()).output().expect("the program runs");
    assert!(said.status.success(), "{command:?}: {}", said.status);
    String::from_utf8(said.stdout).expect("UTF-8")
}
