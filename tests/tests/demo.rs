//! The demonstration of sensor and Central together, as `make demo` runs it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use sensor_tests::{Said, delivery, programs};

/// The script, with the programs under test and the policy of the self check alone.
fn demo(folder: &Path) -> Command {
    let content = folder.join("content.yaml");
    std::fs::write(&content, delivery::alert_tester()).unwrap();
    // A shell cannot trap what was ignored when it started, as interrupts are in the background of another.
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", concat!(env!("CARGO_MANIFEST_DIR"), "/../setup/demo-central.sh")]);
    command.env("BIN_DIR", programs::central().parent().unwrap()).env("CONTENT", content).stdin(Stdio::null());
    command
}

#[test]
fn an_alert_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let said = Said::of(demo(folder.path()).arg("--once"));
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let (_, alerts) = said.stdout.split_once("Alerts at Central:\n").expect("the list of alerts");
    assert!(alerts.lines().any(|line| line.contains("Alert Tester")), "{alerts}");
    assert!(said.stderr.contains("output mcs"), "{}", said.stderr);
}

#[test]
fn an_interrupt_ends_both() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = demo(folder.path());
    let errors = folder.path().join("stderr");
    let stderr = std::fs::File::create(&errors).unwrap();
    let mut child = command.process_group(0).stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.by_ref().any(|line| line.unwrap().contains("Alert Tester")), "it ended early");
    killpg(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(0), "{}", std::fs::read_to_string(&errors).unwrap());
    // Whoever still had the pipe would keep this from ending.
    assert!(lines.all(|line| line.is_ok()));
}
