//! What is told of executables that are more, or less, than a file at a path.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Mark, Sensor, of_kind, programs};
use serde_json::{Value, json};
use tempfile::TempDir;

const NOBODY: u32 = 65_534;
/// Any user who is neither root nor nobody.
const OWNER: u32 = 2;

/// A folder that everyone may enter, and its real path.
fn folder() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

/// A marked copy of the program that only ends.
fn tiny(folder: &Path, mark: &Mark) -> PathBuf {
    programs::copy(&programs::tiny(), folder.join(mark.word()))
}

/// The names of the policies that a process violated.
fn violated(alerts: &[Value]) -> Vec<&str> {
    alerts.iter().map(|alert| alert["strategy_name"].as_str().unwrap()).collect()
}

#[test]
fn a_script_is_its_interpreter_and_names_itself() {
    let mark = Mark::new("script");
    let sensor = Sensor::start(&mark.config());
    let (_dir, folder) = folder();
    let script = programs::script(folder.join(mark.word()), "#!/bin/sh -e\nexit 3\n");
    let pid = sensor.finish(Command::new(&script).arg("x"));
    let exec = sensor.exec_of(pid);
    assert_eq!(exec["path"], json!(Path::new("/bin/sh").canonicalize().unwrap()));
    assert_eq!(exec["script_path"], json!(script));
    assert_eq!(exec["args"], json!(["/bin/sh", "-e", script, "x"]));
    assert_eq!(of_kind(&sensor.until_exit(pid), "_EXIT")[0]["exit_code"], 3);
    assert_eq!(sensor.alerts_about(pid, 1)[0]["process_info"]["script_path"], json!(script));
}

#[test]
fn a_script_whose_interpreter_env_finds_stays_that_script() {
    let mark = Mark::new("env");
    let more = format!(
        "Script:\n  policy: program\n  rules: ['match scriptPath == \"*{}\" and programName == \"dash\"', default ignore]\n",
        mark.word()
    );
    let sensor = Sensor::start(&mark.config_with(&more));
    let (_dir, folder) = folder();
    let text = "#!/usr/bin/env -S dash -e\n/usr/bin/true \"$0\"\nexit 3\n";
    let script = programs::script(folder.join(mark.word()), text);
    let pid = sensor.finish(Command::new(&script).arg("x"));
    let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
    let told: Vec<_> = execs.iter().map(|exec| (&exec["name"], &exec["script_path"])).collect();
    assert_eq!(told, [(&json!("env"), &json!(script)), (&json!("dash"), &json!(script))]);
    let alerts = sensor.alerts_about(pid, 3);
    assert!(violated(&alerts).contains(&"Script"), "{alerts:#?}");
    // What the script runs is not it, though it is given its name.
    let rows = sensor.rows("process_events");
    let other = of_kind(&rows, "_EXEC").into_iter().find(|row| row["ppid"] == pid).expect("what the script runs");
    assert_eq!((&other["name"], &other["script_path"]), (&json!("true"), &Value::Null));
}

#[test]
fn a_program_in_memory_has_no_path_and_says_so() {
    let mark = Mark::new("memfd");
    let sensor = Sensor::start(&mark.config());
    let tiny = programs::tiny();
    let mut command = Command::new(programs::act());
    let pid = sensor.finish(command.args(["memfd", "in-memory"]).arg(&tiny).arg(mark.word()));
    let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
    // First `act` itself, which has the mark too.
    assert_eq!(execs.len(), 2, "{execs:#?}");
    let exec = &execs[1];
    assert_eq!((&exec["is_memfd"], &exec["is_deleted"]), (&json!(true), &json!(false)), "{exec:#}");
    assert_eq!((&exec["path"], &exec["name"]), (&json!("memfd:in-memory"), &json!("memfd:in-memory")));
    assert_eq!(exec["args"], json!([tiny, mark.word()]));
    assert_eq!((&execs[0]["is_memfd"], &execs[0]["process_uuid"]), (&json!(false), &exec["process_uuid"]));

    // A file may be called so, and is none.
    let (_dir, folder) = folder();
    let file = programs::copy(&tiny, folder.join("memfd:in-memory"));
    let exec = sensor.exec_of(sensor.finish(Command::new(&file).arg(mark.word())));
    assert_eq!((&exec["path"], &exec["is_memfd"]), (&json!(file), &json!(false)));
}

#[test]
fn a_deleted_program_keeps_its_last_path() {
    let mark = Mark::new("deleted");
    let sensor = Sensor::start(&mark.config());
    let (_dir, folder) = folder();
    let program = tiny(&folder, &mark);
    let pid = sensor.finish(Command::new(programs::act()).arg("deleted").arg(&program));
    let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
    assert_eq!(execs.len(), 2, "{execs:#?}");
    assert_eq!((&execs[0]["is_deleted"], &execs[1]["is_deleted"]), (&json!(false), &json!(true)));
    assert_eq!(execs[1]["path"], json!(program));
    assert_eq!(execs[1]["is_memfd"], false);
}

#[test]
fn a_link_is_resolved_and_known_as_it_was_typed() {
    let mark = Mark::new("link");
    let (_dir, folder) = folder();
    let program = programs::copy(&programs::tiny(), folder.join("program"));
    let link = folder.join(mark.word());
    symlink(&program, &link).unwrap();
    let typed = format!(
        "As Typed:\n  policy: program\n  rules: ['match filePath == \"{}\" and programName == \"{}\"', default ignore]",
        link.display(),
        program.display()
    );
    let sensor = Sensor::start(&mark.config_with(&typed));
    let pid = sensor.finish(&mut Command::new(&link));
    let exec = sensor.exec_of(pid);
    assert_eq!((&exec["path"], &exec["name"], &exec["args"]), (&json!(program), &json!("program"), &json!([link])));
    let alerts = sensor.alerts_about(pid, 2);
    let mut names = violated(&alerts);
    names.sort_unstable();
    assert_eq!(names, ["As Typed", "Marked Program"]);
}

#[test]
fn a_thread_that_executes_is_the_same_process() {
    let mark = Mark::new("thread");
    let sensor = Sensor::start(&mark.config());
    let tiny = programs::tiny();
    let pid = sensor.finish(Command::new(programs::act()).arg("thread-exec").arg(&tiny).arg(mark.word()));
    let rows = sensor.until_exit(pid);
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["event_type"]).collect();
    assert_eq!(kinds, ["PROCESS_EVENT_TYPE_EXEC", "PROCESS_EVENT_TYPE_EXEC", "PROCESS_EVENT_TYPE_EXIT"]);
    assert_eq!(rows[1]["args"], json!([tiny, mark.word()]));
    for row in &rows {
        for same in ["process_uuid", "ppid", "parent_process_uuid"] {
            assert_eq!(row[same], rows[0][same], "{same} of {row:#}");
        }
        assert_eq!(row["ppid"], std::process::id());
    }
    assert_eq!(rows[2]["path"], json!(tiny));
}

#[test]
fn a_setuid_program_is_told_with_both_users() {
    let mark = Mark::new("setuid");
    let raised = format!(
        "Raised:\n  policy: program\n  rules: ['match {} and isSetuid == true and isSecureExec == true', default ignore]",
        mark.rule()
    );
    let sensor = Sensor::start(&mark.config_with(&raised));
    let (_dir, folder) = folder();
    let plain = tiny(&folder, &mark);
    let setuid = programs::copy(&programs::tiny(), folder.join(format!("{}-setuid", mark.word())));
    chown(&setuid, Some(OWNER), Some(OWNER)).unwrap();
    fs::set_permissions(&setuid, fs::Permissions::from_mode(0o4755)).unwrap();

    let run = |program: &Path| sensor.finish(Command::new(program).current_dir("/").uid(NOBODY).gid(NOBODY));
    let (lowered, raised) = (run(&plain), run(&setuid));
    let ids = |row: &Value| ["uid", "euid", "gid", "egid"].map(|column| row[column].clone());
    assert_eq!(ids(&sensor.exec_of(lowered)), [NOBODY; 4].map(|id| json!(id)));
    assert_eq!(ids(&sensor.exec_of(raised)), [NOBODY, OWNER, NOBODY, NOBODY].map(|id| json!(id)));
    // Login names are asked for on the side: a user who is seen for the first time may still be without.
    sensor.until("the login name of nobody", || {
        let exec = sensor.exec_of(run(&plain));
        let name = exec["username"].as_str()?;
        assert_eq!(name, "nobody");
        Some(())
    });

    let alerts = sensor.alerts_about(raised, 2);
    assert_eq!(
        (&alerts[0]["process_info"]["uid"], &alerts[0]["process_info"]["euid"]),
        (&json!(NOBODY), &json!(OWNER))
    );
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    let of_policy = |name: &str| home.alerts().iter().filter(|alert| alert["strategy_name"] == name).count();
    assert_eq!(of_policy("Raised"), 1);
    assert!(of_policy("Marked Program") > 2);
}
