//! Programs end by faults, in every way that there is.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use sensor_tests::hooks::{alone, assert_accounted, assert_attached_while_asked_for, hook, told_of};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const CRASH: &str = "Program Crashed";
const REPEATED: &str = "Program Crashed Again";

/// A sensor that alerts on crashes of the marked processes.
fn sensor(mark: &Mark) -> Sensor {
    let policy = |name, of: &str| {
        format!("{name}:\n  policy: {of}\n  rules:\n    - 'match {}'\n    - default ignore\n", mark.rule())
    };
    Sensor::start(&mark.config_with(&[policy(CRASH, "crash"), policy(REPEATED, "repeatedCrash")].concat()))
}

/// Where memory may be dumped to.
fn acts(mark: &Mark, way: &str, folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(programs::act());
    command.args(["crash", way]).arg(mark.word()).current_dir(folder);
    command
}

#[test]
fn a_crash_is_told_by_what_led_to_it() {
    let _alone = alone();
    let mark = Mark::new("crash");
    let folder = tempfile::tempdir().expect("a folder");
    let sensor = sensor(&mark);
    let (none, read, write, execute) = (Value::Null, json!("read"), json!("write"), json!("execute"));
    for (way, signal, code, address, access) in [
        ("null", "SIGSEGV", "1", json!("null"), &read),
        ("write-text", "SIGSEGV", "2", json!("other"), &write),
        ("run-null", "SIGSEGV", "1", json!("null"), &execute),
        ("run-stack", "SIGSEGV", "2", json!("stack"), &execute),
        ("overflow", "SIGSEGV", "1", json!("stack"), &write),
        ("overflow-thread", "SIGSEGV", "2", json!("stack"), &write),
        ("heap", "SIGSEGV", "1", json!("heap"), &read),
        ("kernel", "SIGSEGV", "1", json!("kernel"), &read),
        ("wild", "SIGSEGV", "1", json!("other"), &read),
        ("no-address", "SIGSEGV", "128", json!("protection"), &none),
        ("protected", "SIGSEGV", "128", json!("protection"), &none),
        ("no-address-stack", "SIGBUS", "128", json!("protection"), &none),
        ("beyond-file", "SIGBUS", "2", json!("other"), &read),
        ("illegal", "SIGILL", "2", Value::Null, &none),
        ("divide", "SIGFPE", "1", Value::Null, &none),
        ("trap", "SIGTRAP", "128", Value::Null, &none),
        ("abort", "SIGABRT", "-6", Value::Null, &none),
        ("seccomp", "SIGSYS", "1", Value::Null, &none),
        ("sent", "SIGSEGV", "0", Value::Null, &none),
        ("ignored", "SIGSEGV", "1", json!("null"), &read),
        ("blocked", "SIGSEGV", "1", json!("null"), &read),
        ("thread", "SIGSEGV", "1", json!("null"), &read),
        ("dumped", "SIGSEGV", "1", json!("null"), &read),
    ] {
        let mut child = acts(&mark, way, &folder).spawn().expect("it starts");
        let status = child.wait().expect("it ends");
        let told = sensor.until(way, || Some(told_of(&sensor, CRASH, child.id())).filter(|told| !told.is_empty()));
        assert_eq!(told.len(), 1, "{way}: {told:#?}");
        let part = |name: &str| told[0].get(name).unwrap_or(&Value::Null);
        let parts = ["crash_signal", "crash_code", "fault_address_kind", "fault_access"].map(part);
        assert_eq!(parts, [&json!(signal), &json!(code), &address, access], "{way}: {:#}", told[0]);
        let is_sent = code == "0" || code == "-6";
        assert_eq!(part("is_crash_sent"), &json!(is_sent.to_string()), "{way}: {:#}", told[0]);
        assert_eq!(part("is_core_dumped"), &json!(status.core_dumped().to_string()), "{way}: {:#}", told[0]);
    }
    // What is no fault, or handled, is none: what comes after is told.
    let none = ["handled", "killed", "quit"].map(|way| sensor.finish(&mut acts(&mark, way, &folder)));
    let last = sensor.finish(&mut acts(&mark, "null", &folder));
    sensor.until("the last", || told_of(&sensor, CRASH, last).into_iter().next());
    for pid in none {
        assert_eq!(told_of(&sensor, CRASH, pid), [Value::Null; 0]);
    }
    let hook = hook(&sensor, "crash");
    assert_accounted(&hook);
    assert_eq!(hook["failed"], 0);
}

/// Of one program, from the sixth crash on.
#[test]
fn a_program_that_crashes_again_and_again_is_told_as_that() {
    let _alone = alone();
    let mark = Mark::new("again");
    let folder = tempfile::tempdir().expect("a folder");
    // Another program than that of other tests, which crashes too.
    let program = programs::copy(&programs::act(), folder.path().join("falls"));
    let sensor = sensor(&mark);
    let crash = || {
        let mut command = Command::new(&program);
        sensor.finish(command.args(["crash", "null"]).arg(mark.word()).current_dir(&folder))
    };
    let crashed: Vec<u32> = (0..7).map(|_| crash()).collect();
    for (index, &pid) in crashed.iter().enumerate() {
        let told = sensor.until("a crash", || told_of(&sensor, CRASH, pid).into_iter().next());
        assert_eq!(told["crash_count"], json!((index + 1).to_string()), "{told:#}");
    }
    let again = sensor.until("the last", || told_of(&sensor, REPEATED, crashed[6]).into_iter().next());
    assert_eq!(again["crash_count"], "7");
    let told = |&pid: &u32| told_of(&sensor, REPEATED, pid).len();
    assert_eq!(crashed.iter().map(told).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 1, 1]);
}

#[test]
fn nothing_is_attached_for_crashes_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["crash"]);
}
