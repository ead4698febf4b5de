//! Memory becomes executable, files are made in memory, and faults are handled by a program, in every way that there is.

use std::process::Command;

use sensor_tests::hooks::{
    alone, assert_accounted, assert_attached_while_asked_for, assert_flood_is_counted, hook, told_of,
};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const EXECUTABLE: &str = "Memory Made Executable";
const MEMFD: &str = "File In Memory";
const FAULTS: &str = "Faults Handled";

/// A sensor that alerts on whatever the marked processes do of it.
fn sensor(mark: &Mark) -> Sensor {
    let policy = |name, of: &str| {
        format!("{name}:\n  policy: {of}\n  rules:\n    - 'match {}'\n    - default ignore\n", mark.rule())
    };
    let policies = [policy(EXECUTABLE, "memoryExec"), policy(MEMFD, "memfdCreate"), policy(FAULTS, "userfaultfd")];
    Sensor::start(&mark.config_with(&policies.concat()))
}

fn acts(mark: &Mark, words: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.arg("memory").args(words).arg(mark.word());
    command
}

#[test]
fn memory_is_told_by_what_it_is() {
    let _alone = alone();
    let mark = Mark::new("memory");
    let sensor = sensor(&mark);
    let page = json!("4096");
    for (way, call, kind, protection, size, file) in [
        ("mmap", "mmap", "anonymous", "rwx", json!("16384"), Value::Null),
        ("mprotect", "mprotect", "anonymous", "r-x", json!("8192"), Value::Null),
        ("compat-mprotect", "mprotect", "anonymous", "r-x", page.clone(), Value::Null),
        ("stack", "mprotect", "stack", "rwx", page.clone(), Value::Null),
        ("heap", "mprotect", "heap", "rwx", page.clone(), Value::Null),
        ("text", "mprotect", "written", "rwx", page.clone(), json!("act")),
        ("shared", "mprotect", "shared", "r-x", page.clone(), json!("zero")),
        ("memfd", "mmap", "memfd", "r-x", page.clone(), json!("memfd:some-memfd")),
        ("written", "mprotect", "written", "r-x", page.clone(), json!("act")),
    ] {
        let pid = sensor.finish_saying(&mut acts(&mark, &[way])).0;
        let told = sensor.until(way, || Some(told_of(&sensor, EXECUTABLE, pid)).filter(|told| !told.is_empty()));
        assert_eq!(told.len(), 1, "{way}: {told:#?}");
        let part = |name: &str| told[0].get(name).unwrap_or(&Value::Null);
        let parts = ["memory_call", "memory_kind", "memory_protection"].map(part);
        assert_eq!(parts, [call, kind, protection], "{way}: {:#}", told[0]);
        assert_eq!((part("memory_size"), part("memory_errno")), (&size, &Value::Null), "{way}: {:#}", told[0]);
        assert!(part("memory_file") == &file || way == "shared", "{way}: {:#}", told[0]);
    }
    // What is of an unchanged file, or stays data, is none: what comes after is told.
    let pid = sensor.finish_saying(&mut acts(&mark, &["unwritten"])).0;
    let last = sensor.finish(&mut acts(&mark, &["mmap"]));
    sensor.until("the last", || told_of(&sensor, EXECUTABLE, last).into_iter().next());
    assert_eq!(told_of(&sensor, EXECUTABLE, pid), [Value::Null; 0]);
    for name in ["memory_exec", "memory_file"] {
        assert_accounted(&hook(&sensor, name));
    }
}

/// Also where a process has more of it than one node of the kernel's tree.
#[test]
fn each_of_many_parts_is_found() {
    let _alone = alone();
    let mark = Mark::new("many");
    let sensor = sensor(&mark);
    let pid = sensor.finish(&mut acts(&mark, &["many", "300"]));
    let told = sensor.until("all of it", || Some(told_of(&sensor, EXECUTABLE, pid)).filter(|told| told.len() >= 300));
    assert_eq!(told.len(), 300);
    assert!(told.iter().all(|one| one["memory_kind"] == "anonymous" && one["memory_size"] == "4096"), "{told:#?}");
    assert_eq!(hook(&sensor, "memory_exec")["failed"], 0);
}

#[test]
fn files_in_memory_and_faults_are_told() {
    let _alone = alone();
    let mark = Mark::new("files");
    let sensor = sensor(&mark);
    for (way, name, flags, errno) in [
        (vec!["memfd_create", "kworker:0"], "kworker:0", "3", Value::Null),
        (vec!["memfd_create-refused"], "refused", "1048576", json!("22")),
    ] {
        let pid = sensor.finish_saying(&mut acts(&mark, &way)).0;
        let told = sensor.until(name, || told_of(&sensor, MEMFD, pid).into_iter().next());
        assert_eq!((&told["memfd_name"], &told["memfd_flags"]), (&name.into(), &flags.into()), "{told:#}");
        assert_eq!(told.get("memfd_errno").unwrap_or(&Value::Null), &errno, "{told:#}");
    }
    // There are kernels without it: these are refused.
    let pid = sensor.finish(&mut acts(&mark, &["userfaultfd"]));
    let told = sensor.until("faults", || told_of(&sensor, FAULTS, pid).into_iter().next());
    assert_eq!((&told["userfaultfd_flags"], &told["is_user_mode_only"]), (&"1".into(), &"true".into()), "{told:#}");
}

#[test]
fn nothing_is_attached_for_it_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["memory_exec", "memory_file"]);
}

/// Beyond the budget it is counted as lost, and processes are told as if there were none.
#[test]
fn a_flood_of_it_costs_others_nothing() {
    let _alone = alone();
    let mark = Mark::new("flood");
    let rule = mark.rule();
    let sensor = Sensor::start(&mark.config_with(&format!(
        "{EXECUTABLE}:\n  policy: memoryExec\n  rules:\n    - 'match memoryKind == \"stack\" and {rule}'\n    - default ignore\n"
    )));
    let flooding = sensor.finish(&mut acts(&mark, &["flood", "100000"]));
    assert_flood_is_counted(&sensor, &mark, flooding, "memory");
}
