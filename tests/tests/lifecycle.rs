//! What is told of a program from its start to its end: rows and the alert, field by field.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::libc;
use sensor_tests::{Mark, Sensor, of_kind, programs};
use serde_json::{Value, json};

const UUID_DIGITS: usize = 36;

fn is_uuid(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == UUID_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    })
}

/// The kernel's own account of a process: its parent, from `/proc/PID/stat`.
fn parent_in_proc(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is there");
    let after_name = &stat[stat.rfind(')').expect("a name") + 2..];
    after_name.split(' ').nth(1).expect("a parent").parse().expect("a pid")
}

/// From this process's parent up to pid 1.
fn own_ancestors() -> Vec<u32> {
    let ancestors = std::iter::successors(Some(std::process::id()), |&pid| match parent_in_proc(pid) {
        0 => None,
        parent => Some(parent),
    });
    ancestors.skip(1).collect()
}

#[test]
fn a_program_is_told_from_its_fork_to_its_exit() {
    let mark = Mark::new("life");
    // A fork is still the parent's program, which has no mark.
    let own = format!("- 'match {}'\n", mark.rule());
    let forks = format!(
        "{own}          - 'match eventType == \"PROCESS_EVENT_TYPE_FORK\" and parentPid == {}'\n",
        std::process::id()
    );
    let sensor = Sensor::start(&mark.config().replacen(&own, &forks, 1));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let program = programs::copy(&programs::act(), folder.join("program"));
    let at_root = sensor.finish(Command::new(&program).args(["exit", "0", mark.word()]).current_dir("/"));
    assert_eq!(sensor.exec_of(at_root)["cwd"], "/");
    let before = SystemTime::now();
    let pid = sensor.finish(
        Command::new(&program).args(["exit", "42", mark.word(), "", "two words"]).current_dir(&folder).env_clear(),
    );

    let rows = sensor.until_exit(pid);
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["event_type"]).collect();
    assert_eq!(kinds, ["PROCESS_EVENT_TYPE_FORK", "PROCESS_EVENT_TYPE_EXEC", "PROCESS_EVENT_TYPE_EXIT"]);
    assert_eq!((&rows[0]["ppid"], &rows[0]["uid"]), (&json!(std::process::id()), &json!(0)));
    assert_eq!(rows[0]["path"], json!(std::env::current_exe().unwrap()));
    let exec = &rows[1];
    let path = program.to_str().unwrap();
    let args = json!([path, "exit", "42", mark.word(), "", "two words"]);
    let args_bytes: usize = args.as_array().unwrap().iter().map(|arg| arg.as_str().unwrap().len() + 1).sum();
    for (column, expected) in [
        ("table", json!("process_events")),
        ("pid", json!(pid)),
        ("ppid", json!(std::process::id())),
        ("uid", json!(0)),
        ("gid", json!(0)),
        ("euid", json!(0)),
        ("egid", json!(0)),
        ("username", json!("root")),
        ("name", json!("program")),
        ("path", json!(path)),
        ("args", args.clone()),
        ("cmdline", json!(format!("{path} exit 42 {}  two words", mark.word()))),
        ("args_bytes", json!(args_bytes)),
        ("args_truncated", json!(false)),
        ("cwd", json!(folder)),
        ("is_memfd", json!(false)),
        ("is_deleted", json!(false)),
        ("is_upper_layer", json!(false)),
        ("script_path", Value::Null),
        ("exit_code", Value::Null),
    ] {
        assert_eq!(exec[column], expected, "{column} of {exec:#}");
    }
    assert!(is_uuid(&exec["process_uuid"]) && is_uuid(&exec["parent_process_uuid"]) && is_uuid(&exec["sensor_id"]));
    assert_ne!(exec["process_uuid"], exec["parent_process_uuid"]);
    assert!(exec["sophos_pid"].as_str().unwrap().starts_with(&format!("{pid}:")));
    let mut parents = vec![std::process::id()];
    parents.extend(own_ancestors());
    assert_eq!(exec["parents"], json!(parents));

    let exit = &rows[2];
    assert_eq!((&exit["exit_code"], &exit["exit_signal"]), (&json!(42), &Value::Null));
    for same in ["process_uuid", "sophos_pid", "path", "args", "ppid", "incident_id"] {
        assert_eq!(exit[same], exec[same], "{same}");
    }
    assert!(exit["unix_nano_timestamp"].as_u64() > exec["unix_nano_timestamp"].as_u64());

    let alerts = sensor.alerts_about(pid, 1);
    assert_eq!(alerts.len(), 1);
    let alert = &alerts[0];
    assert!(is_uuid(&alert["uuid"]) && is_uuid(&alert["incident_id"]));
    assert_eq!(alert["incident_id"], exec["incident_id"]);
    for (key, expected) in [
        ("strategy_name", json!("Marked Program")),
        ("policy_type", json!("program")),
        ("matched_rule", json!(format!("match {}", mark.rule()))),
        ("priority", json!("High")),
        ("description", json!("A marked program was run.")),
        ("alert_labels", json!({"team": "tests"})),
        ("unix_nano_timestamp", exec["unix_nano_timestamp"].clone()),
        ("timestamp", json!(exec["unix_nano_timestamp"].as_u64().unwrap() / 1_000_000_000)),
    ] {
        assert_eq!(alert[key], expected, "{key} of {:#}", alert["process_info"]);
    }
    let process = &alert["process_info"];
    for (key, expected) in [
        ("pid", json!(pid)),
        ("tgid", json!(pid)),
        ("ppid", json!(std::process::id())),
        ("name", json!(path)),
        ("args", args),
        ("args_truncated", json!(false)),
        ("cwd", json!(folder)),
        ("uid", json!(0)),
        ("euid", json!(0)),
        ("user", json!("root")),
        ("process_uuid", exec["process_uuid"].clone()),
    ] {
        assert_eq!(process[key], expected, "{key} of {:#}", alert["process_info"]);
    }
    // It started after it was asked for and before it ran the program; the time of day may be adjusted a little meanwhile.
    let started = UNIX_EPOCH + Duration::from_nanos(process["start_time"].as_u64().expect("a time"));
    let executed = UNIX_EPOCH + Duration::from_nanos(alert["unix_nano_timestamp"].as_u64().expect("a time"));
    let adjusted = Duration::from_millis(20);
    assert!(before < started + adjusted && started < executed + adjusted, "{before:?}, {started:?}, {executed:?}");
    let lineage: Vec<u64> =
        alert["lineage"].as_array().unwrap().iter().map(|ancestor| ancestor["pid"].as_u64().unwrap()).collect();
    assert_eq!(lineage, parents.iter().copied().map(u64::from).collect::<Vec<_>>());
    assert_eq!(lineage.last(), Some(&1));
    assert_eq!(alert["lineage"][0]["process_uuid"], exec["parent_process_uuid"]);
    assert_eq!(alert["location"]["sensor_id"], exec["sensor_id"]);
}

#[test]
fn a_fork_without_exec_has_its_parents_image() {
    let mark = Mark::new("fork");
    let sensor = Sensor::start(&mark.config());
    let child = Command::new(programs::act()).args(["fork", mark.word()]).output().unwrap();
    assert_eq!(child.status.code(), Some(3));
    let forked: u32 = String::from_utf8(child.stdout).unwrap().trim().parse().unwrap();

    let rows = sensor.until_exit(forked);
    let kinds: Vec<&Value> = rows.iter().map(|row| &row["event_type"]).collect();
    assert_eq!(kinds, ["PROCESS_EVENT_TYPE_FORK", "PROCESS_EVENT_TYPE_EXIT"]);
    let parent = rows[0]["ppid"].as_u64().unwrap().try_into().unwrap();
    let exec = sensor.exec_of(parent);
    for row in &rows {
        for same in ["path", "args", "cwd", "uid", "euid", "username", "incident_id"] {
            assert_eq!(row[same], exec[same], "{same} of {row:#}");
        }
        assert_eq!(row["parent_process_uuid"], exec["process_uuid"]);
        assert_ne!(row["process_uuid"], exec["process_uuid"]);
    }
    assert_eq!(rows[1]["exit_code"], 7);
    // A fork runs no program: one alert, about the parent.
    assert_eq!(sensor.alerts_about(parent, 1).len(), 1);
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(home.alerts().len(), 1);
}

#[test]
fn a_signal_that_ends_a_process_is_told() {
    let mark = Mark::new("signal");
    let sensor = Sensor::start(&mark.config());
    for signal in [9, 15, 6] {
        let pid = sensor.finish(Command::new(programs::act()).args(["signal", &signal.to_string(), mark.word()]));
        let rows = of_kind(&sensor.until_exit(pid), "_EXIT");
        assert_eq!((&rows[0]["exit_signal"], &rows[0]["exit_code"]), (&json!(signal), &Value::Null), "{rows:#?}");
    }
}

/// By whichever hook the kernel allows.
#[test]
fn a_failed_exec_is_told_with_its_reason_and_its_file() {
    let mark = Mark::new("failed");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(format!("{}-{name}", mark.word()));
        fs::write(&path, text).unwrap();
        path
    };
    let not_executable = file("denied", "no program");
    let missing = dir.path().join(format!("{}-missing", mark.word()));
    let bare = programs::script(dir.path().join(format!("{}-bare", mark.word())), "x=1\n");
    let lost = programs::script(dir.path().join(format!("{}-lost", mark.word())), "#!/no/such/interpreter\n");
    // By a descriptor and no name; and what only asks whether it could be run (`AT_EXECVE_CHECK`, Linux 6.14).
    let by_descriptor = "import ctypes, os, sys\n\
        execveat = lambda path, flags: ctypes.CDLL(None).syscall(322, os.open(path, os.O_RDONLY), b'', 0, 0, flags)\n\
        execveat(sys.argv[1], 0x1000); execveat(sys.argv[1], 0x11000)";
    for path in [&not_executable, &missing, &bare, &lost] {
        // Not by a shell, nor by what runs a file without a first line by one.
        let run = "import os, sys\ntry: os.execv(sys.argv[1], sys.argv[1:])\nexcept OSError: pass";
        assert!(Command::new("python3").args(["-c", run]).arg(path).status().unwrap().success());
    }
    assert!(Command::new("python3").args(["-c", by_descriptor]).arg(&bare).status().unwrap().success());
    let rows = sensor.until("the rows of the failed execs", || {
        Some(of_kind(&sensor.rows("process_events"), "_EXEC_FAILED")).filter(|rows| rows.len() >= 5)
    });
    let told: Vec<_> = rows.iter().map(|row| (&row["errno"], &row["file_path"], &row["script_path"])).collect();
    let (denied, none, unknown) = (json!(libc::EACCES), json!(libc::ENOENT), json!(libc::ENOEXEC));
    let paths = [&not_executable, &missing, &bare, &lost].map(|path| json!(path));
    assert_eq!((told[0].0, told[0].1), (&denied, &paths[0]));
    assert_eq!(told[1], (&none, &paths[1], &Value::Null));
    assert_eq!(told[2], (&unknown, &paths[2], &paths[2]));
    assert_eq!((told[3].0, told[3].1), (&none, &paths[3]));
    assert_eq!((told[4].0, told[4].2), (&unknown, &paths[2]));
    assert_eq!(rows.len(), 5, "{rows:#?}");
    let status = sensor.status();
    let hooks = status["hooks"].as_array().unwrap();
    let one = hooks.iter().any(|hook| hook["name"] == "exec_failed" && hook["attached"] == true);
    assert!(
        one && hooks.iter().all(|hook| hook["name"] != "exec_not_opened" || hook["missed"].is_null()),
        "{hooks:#?}"
    );
}

#[test]
fn the_sensors_own_start_is_a_row() {
    let sensor = Sensor::start(&Mark::new("start").config());
    let rows = sensor.until("a row of the sensor", || Some(sensor.rows("sensors")).filter(|rows| !rows.is_empty()));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["sensor_pid"], sensor.pid());
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(rows[0]["hostname"], hostname.trim());
    assert!(is_uuid(&rows[0]["sensor_id"]));
}
