//! What programs have the kernel watch, and which kernel they have started next: performance events, and kexec.

use std::process::Command;

use sensor_tests::hooks::{alone, assert_accounted, assert_attached_while_asked_for, hook, told_of};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const PERF: &str = "Performance Event";
const KEXEC: &str = "Other Kernel";

fn sensor(mark: &Mark) -> Sensor {
    let policy = |name, of: &str| {
        format!("{name}:\n  policy: {of}\n  rules:\n    - 'match {}'\n    - default ignore\n", mark.rule())
    };
    Sensor::start(&mark.config_with(&[policy(PERF, "perfEvent"), policy(KEXEC, "kexec")].concat()))
}

/// What is told of it, and what it said.
fn told(sensor: &Sensor, mark: &Mark, policy: &str, words: &[&str]) -> (Value, String) {
    let mut command = Command::new(programs::act());
    command.args(words).arg(mark.word());
    let (pid, said) = sensor.finish_saying(&mut command);
    let told = sensor.until(policy, || Some(told_of(sensor, policy, pid)).filter(|told| !told.is_empty()));
    assert_eq!(told.len(), 1, "{words:?}: {told:#?}");
    (told[0].clone(), said)
}

fn parts<const N: usize>(told: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| told.get(name).cloned().unwrap_or(Value::Null))
}

#[test]
fn performance_events_are_told_as_the_kernel_has_them() {
    let _alone = alone();
    let mark = Mark::new("perf");
    let sensor = sensor(&mark);
    let software = || [json!("software"), json!("software"), json!("3")];
    for (way, scope, cpu) in [
        ("itself", "itself", Value::Null),
        ("compat-itself", "itself", Value::Null),
        ("everything", "everything", json!("0")),
    ] {
        let told = told(&sensor, &mark, PERF, &["perf", way]).0;
        assert_eq!(parts(&told, ["perf_type", "perf_pmu", "perf_config"]), software(), "{way}");
        assert_eq!(
            parts(&told, ["perf_scope", "perf_cpu", "perf_errno", "perf_target_pid"]),
            [json!(scope), cpu, Value::Null, Value::Null],
            "{way}"
        );
    }
    for (way, errno) in [("child", Value::Null), ("refused", json!("13"))] {
        let (told, said) = told(&sensor, &mark, PERF, &["perf", way]);
        assert_eq!(
            parts(&told, ["perf_type", "perf_scope", "perf_errno", "perf_target_pid", "perf_target_uid"]),
            [json!("software"), json!("process"), errno, json!(said.trim()), json!("0")],
            "{way}"
        );
        let program = told["perf_target_program"].as_str().expect("a program");
        assert!(program.ends_with("/act"), "{program}");
    }
    let told = told(&sensor, &mark, PERF, &["perf", "unknown"]).0;
    assert_eq!(
        parts(&told, ["perf_type", "perf_pmu", "perf_config", "perf_errno"]),
        [json!("software"), Value::Null, json!("4711"), json!("2")]
    );
    assert_accounted(&hook(&sensor, "perf_event"));
}

/// Also those that the kernel refuses, or does not even know.
#[test]
fn kernels_that_are_to_be_started_next_are_told() {
    let _alone = alone();
    let mark = Mark::new("kexec");
    let sensor = sensor(&mark);
    for (way, call, file, is_unload) in [
        ("unload", "kexec_load", Value::Null, "true"),
        ("compat-unload", "kexec_load", Value::Null, "true"),
        ("refused", "kexec_load", Value::Null, "true"),
        ("file", "kexec_file_load", json!("act"), "false"),
    ] {
        let told = told(&sensor, &mark, KEXEC, &["kexec", way]).0;
        assert_eq!(
            parts(&told, ["kexec_call", "kexec_file", "is_kexec_unload"]),
            [json!(call), file, json!(is_unload)],
            "{way}"
        );
        if way == "refused" || way == "file" {
            assert!(told["kexec_errno"].is_string(), "{told:#}");
        }
    }
    assert_accounted(&hook(&sensor, "kexec"));
}

#[test]
fn nothing_is_attached_for_either_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["perf_event", "kexec"]);
}
