//! What a user does to have one program pass for another: mounts, other names, other parents.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sensor_tests::{Mark, Sensor, of_kind, programs};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A user without any right.
const NOBODY: &[&str] = &["--reuid", "65534", "--regid", "65534", "--clear-groups"];

/// A folder that everyone may enter, and its real path.
fn folder() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

/// A policy on programs with the mark for an argument of its own.
fn policy(name: &str, mark: &Mark, rules: &str) -> String {
    let own = format!("args == \"{}\"", mark.word());
    format!("{name}:\n  policy: program\n  rules: [{}, default ignore]\n", rules.replace("OWN", &own))
}

/// As nobody in namespaces of their own, a shell that does `before` and then runs `program` with the mark: an argument that
/// nothing before has.
fn in_own_mounts(before: &str, program: &str, mark: &Mark, nobody: bool) -> Command {
    let (head, last) = mark.word().split_at(mark.word().len() - 1);
    let script = format!("{before} M=\"$0{last}\"; exec {program} \"$M\"");
    let mut command = Command::new("setpriv");
    command.args(if nobody { NOBODY } else { &[] }).args(["unshare", "-Urm", "sh", "-c", &script, head]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The policies that a process violated, once there are so many, and the process as the first alert tells it.
fn violated(sensor: &Sensor, pid: u32, count: usize) -> (Vec<String>, Value) {
    let alerts = sensor.alerts_about(pid, count);
    let mut names: Vec<_> = alerts.iter().map(|alert| alert["strategy_name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    (names, alerts[0]["process_info"].clone())
}

#[test]
fn a_users_mount_does_not_permit_a_program() {
    let mark = Mark::new("mask");
    let (_dir, folder) = folder();
    let more = [
        policy("Any", &mark, "'match OWN'"),
        policy("Not Permitted", &mark, "'ignore programName == \"/usr/bin/env\"', 'match OWN'"),
        policy("Temporary", &mark, &format!("'match OWN and programName == \"{}/*\"'", folder.display())),
        policy("User Mounts", &mark, "'match OWN and isUserMounts == true and isHostMounts == false'"),
    ];
    let sensor = Sensor::start(&mark.config_with(&more.concat()));
    let probe = programs::copy(&programs::tiny(), folder.join("probe"));
    let expected = ["Any", "Marked Program", "Not Permitted", "Temporary", "User Mounts"];
    let mount = format!("mount --bind {} /usr/bin/env;", probe.display());
    let pid = sensor.finish(&mut in_own_mounts(&mount, "/usr/bin/env", &mark, true));
    // `setpriv`, `unshare` and `sh` have the mark without its end.
    let (names, process) = violated(&sensor, pid, expected.len());
    assert_eq!(names, expected);
    assert_eq!((&process["name"], &process["host_path"]), (&json!("/usr/bin/env"), &json!(probe)));
    assert_eq!(process["is_user_mounts"], true);
    let row = of_kind(&sensor.until_exit(pid), "_EXEC").pop().unwrap();
    let told = ["host_path", "is_user_mounts", "is_host_mounts"].map(|column| row[column].clone());
    assert_eq!(told, [json!(probe), json!(true), json!(false)]);

    // The host's own file is permitted, in a user's mounts too.
    let pid = sensor.finish(&mut in_own_mounts("", "/usr/bin/env", &mark, true));
    let (names, process) = violated(&sensor, pid, 3);
    assert_eq!(process["host_path"], Value::Null);
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(names, ["Any", "Marked Program", "User Mounts"]);
    let of_this = home.alerts().iter().filter(|alert| alert["process_info"]["pid"] == pid).count();
    assert_eq!(of_this, 3);
}

#[test]
fn a_file_that_is_a_mount_of_its_own_has_its_place() {
    let mark = Mark::new("filemount");
    let (_dir, folder) = folder();
    let more = [
        policy("Any", &mark, "'match OWN'"),
        policy("Place", &mark, &format!("'match OWN and programName in (\"{}/*\", \"/dev/shm/*\")'", folder.display())),
        policy("Truncated", &mark, "'match OWN and pathTruncated == true'"),
        policy("Not Permitted", &mark, "'ignore programName == \"/usr/*\"', 'match OWN'"),
        policy("In Its Folder", &mark, &format!("'ignore programName == \"{}/*\"', 'match OWN'", folder.display())),
    ];
    let sensor = Sensor::start(&mark.config_with(&more.concat()));
    let probe = programs::copy(&programs::tiny(), folder.join("probe"));
    // open_tree(AT_FDCWD, file, OPEN_TREE_CLONE), and the file by its descriptor.
    let run = "import ctypes, os, sys; fd = ctypes.CDLL(None).syscall(428, -100, sys.argv[1].encode(), 1); \
               os.execve(fd, [\"x\", sys.argv[2] + sys.argv[3]], {})";
    let (head, last) = mark.word().split_at(mark.word().len() - 1);
    let mut command = Command::new("unshare");
    let pid = sensor.finish(command.args(["-Urm", "python3", "-c", run]).arg(&probe).args([head, last]));
    let (names, process) = violated(&sensor, pid, 5);
    assert_eq!(names, ["Any", "Marked Program", "Not Permitted", "Place", "Truncated"]);
    assert_eq!(process["name"], format!("…{}", probe.display()));
    assert_eq!(process["host_path"], json!(probe));

    // Root's is no claim of a user's: it is what the host has.
    let mut command = Command::new("python3");
    let pid = sensor.finish(command.args(["-c", run]).arg(&probe).args([head, last]));
    let (names, process) = violated(&sensor, pid, 5);
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(names, ["Any", "Marked Program", "Not Permitted", "Place", "Truncated"]);
    assert!(home.alerts().iter().all(|alert| alert["strategy_name"] != "In Its Folder"));
    assert_eq!((&process["host_path"], &process["is_user_mounts"]), (&json!(probe), &Value::Null));
}

#[test]
fn a_path_through_anothers_root_is_not_the_hosts() {
    let mark = Mark::new("root");
    let more = policy("Permitted", &mark, "'ignore programName == \"/usr/bin/env\"', 'match OWN'");
    let sensor = Sensor::start(&mark.config_with(&more));
    let (_dir, folder) = folder();
    let probe = programs::copy(&programs::tiny(), folder.join("probe"));
    let ready = folder.join("ready");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let mut holder = Command::new("unshare")
        .args(["-Urm", "sh", "-c", "mount --bind \"$0\" /usr/bin/env; touch \"$1\"; read -r end"])
        .args([&probe, &ready])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    sensor.until("the mount", || ready.exists().then_some(()));
    let env = format!("/proc/{}/root/usr/bin/env", holder.id());
    let pid = sensor.finish(Command::new(env).arg(mark.word()));
    drop(holder.stdin.take());
    holder.wait().unwrap();
    let (names, process) = violated(&sensor, pid, 2);
    assert_eq!(names, ["Marked Program", "Permitted"]);
    assert!(process["name"].as_str().unwrap().starts_with('…'), "{process}");
    assert_eq!((&process["host_path"], &process["is_user_mounts"]), (&json!(probe), &json!(true)));
}

#[test]
fn a_script_is_its_file_whatever_name_it_is_given_by() {
    let mark = Mark::new("names");
    let (_dir, folder) = folder();
    let at = folder.display();
    let more = policy("Script", &mark, &format!("'match OWN and scriptPath == \"{at}/*\"'"));
    let sensor = Sensor::start(&mark.config_with(&more));
    let script = programs::script(folder.join("script"), "#!/bin/sh\n:\n");
    let by_env = programs::script(folder.join("by-env"), "#!/usr/bin/env sh\n:\n");
    symlink(&script, folder.join("link")).unwrap();
    let by_descriptor = "import os, sys; f = os.open(sys.argv[1], 0); os.set_inheritable(f, True); \
                         os.execve(f, [\"s\", sys.argv[2] + sys.argv[3]], {})";
    let (head, last) = mark.word().split_at(mark.word().len() - 1);
    let around = format!("/usr/..{at}/script");
    let ways: Vec<(&str, Command, &Path)> = vec![
        ("its path", Command::new(&script), &script),
        ("a relative path", Command::new("./script"), &script),
        ("a way round", Command::new(around), &script),
        ("a link", Command::new(folder.join("link")), &script),
        ("env", Command::new(&by_env), &by_env),
    ];
    for (way, mut command, file) in ways {
        let pid = sensor.finish(command.arg(mark.word()).current_dir(&folder));
        let exec = of_kind(&sensor.until_exit(pid), "_EXEC").remove(0);
        assert_eq!(exec["script_path"], json!(file), "{way}");
        assert!(violated(&sensor, pid, 2).0.contains(&"Script".into()), "{way}");
    }
    let mut command = Command::new("python3");
    let pid = sensor.finish(command.args(["-c", by_descriptor]).arg(&script).args([head, last]));
    assert_eq!(violated(&sensor, pid, 2).0, ["Marked Program", "Script"]);
    let exec = of_kind(&sensor.until_exit(pid), "_EXEC").pop().unwrap();
    assert_eq!(exec["script_path"], json!(script));
    assert!(exec["file_path"].as_str().unwrap().starts_with("/dev/fd/"), "{exec}");
}

#[test]
fn a_file_without_a_first_line_is_a_script() {
    let mark = Mark::new("bare");
    let (_dir, folder) = folder();
    let word = mark.word();
    let more = format!(
        "Script:\n  policy: program\n  rules: ['match scriptPath == \"{0}/{word}\" and programName == \"bash\"', default ignore]\n\
         Other:\n  policy: program\n  rules: ['match programName == \"bash\" and args == \"{0}/s\"', default ignore]\n",
        folder.display()
    );
    let sensor = Sensor::start(&mark.config_with(&more));
    let bare = programs::script(folder.join(word), "x=1; exit 0\n");
    fs::write(folder.join("s"), format!("{}\n", bare.display())).unwrap();
    let pid = sensor.finish(Command::new("bash").arg(folder.join("s")));
    let alert = sensor.until("the alert on the script", || {
        sensor.alerts().into_iter().find(|alert| alert["strategy_name"] == "Script")
    });
    assert_eq!((&alert["process_info"]["script_path"], &alert["process_info"]["ppid"]), (&json!(bare), &json!(pid)));
    // Policies that ask for no script see programs alone.
    assert_eq!(sensor.alerts().iter().filter(|alert| alert["strategy_name"] == "Other").count(), 1);
}

#[test]
fn the_parent_is_who_forked() {
    let mark = Mark::new("sibling");
    let sensor = Sensor::start(&mark.config());
    // clone(CLONE_PARENT | SIGCHLD): the child is made a child of this test, as its maker is.
    let sibling = "import ctypes, os, sys; pid = ctypes.CDLL(None).syscall(56, 0x8000 | 17, 0, 0, 0, 0)\n\
                   if pid == 0: os.execv(sys.argv[1], sys.argv[1:])\n\
                   print(pid)";
    let child = Command::new("python3")
        .args(["-c", sibling])
        .arg(programs::tiny())
        .arg(mark.word())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let maker = child.id();
    let output = child.wait_with_output().unwrap();
    let made: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    let rows = sensor.until_exit(made);
    for row in &rows {
        assert_eq!((&row["ppid"], &row["parents"][0]), (&json!(maker), &json!(maker)), "{row:#}");
    }
    assert_eq!(of_kind(&rows, "_EXEC").len(), 1);
    let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(made.try_into().unwrap()), None);
}

#[test]
fn arguments_that_were_read_late_say_so() {
    let mark = Mark::new("late");
    let mut before = Command::new(programs::act()).args(["hold", mark.word()]).stdin(Stdio::piped()).spawn().unwrap();
    let sensor = Sensor::start(&mark.config_with(&policy("Late", &mark, "'match OWN and argsReadLate == true'")));
    let row = sensor.until("the row of what ran before", || {
        of_kind(&sensor.rows("process_events"), "BASELINE_TASK").into_iter().find(|row| row["pid"] == before.id())
    });
    assert_eq!(row["args_read_late"], true);
    let pid = sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    assert_eq!(sensor.exec_of(pid)["args_read_late"], false);
    drop(before.stdin.take());
    before.wait().unwrap();
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert!(
        home.alerts().iter().all(|alert| alert["strategy_name"] != "Late"),
        "read from the new program's own memory"
    );
}
