//! What a running sensor may do, and who may start one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use sensor_tests::{Home, Mark, Said, Sensor, programs};

const NOBODY: u32 = 65_534;
const NO_CAPABILITIES: &str = "0000000000000000";

/// A field of each thread's status.
fn of_threads(pid: u32, field: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the sensor's threads");
    tasks
        .map(|task| {
            let status = fs::read_to_string(task.expect("a thread").path().join("status")).expect("its status");
            let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).expect("the field");
            line.trim().to_owned()
        })
        .collect()
}

/// `CAP_BPF` as a bit; the only capability that a running sensor may keep, on kernels before 5.19.
const CAP_BPF: u64 = 1 << 39;

#[test]
fn every_thread_has_what_the_status_says_and_no_more() {
    let mark = Mark::new("capabilities");
    let sensor = Sensor::start(&mark.config());
    let told: Vec<String> =
        sensor.status()["capabilities"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().into()).collect();
    let bits = match told.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => 0,
        ["CAP_BPF"] => CAP_BPF,
        _ => panic!("{told:?}"),
    };
    for set in ["CapEff", "CapPrm", "CapBnd"] {
        let of_threads = of_threads(sensor.pid(), set);
        assert!(of_threads.len() > 3, "{of_threads:?}");
        for value in of_threads {
            assert_eq!(u64::from_str_radix(&value, 16).unwrap(), bits, "{set}");
        }
    }
    for set in ["CapInh", "CapAmb"] {
        assert!(of_threads(sensor.pid(), set).iter().all(|value| value == NO_CAPABILITIES), "{set}");
    }
    assert!(of_threads(sensor.pid(), "NoNewPrivs").iter().all(|value| value == "1"));
    assert!(sensor.ask(&["status"]).stdout.contains("capabilities: "));
    // And still it works, reloads, and ends in order.
    let pid = sensor.finish(std::process::Command::new(programs::tiny()).arg(mark.word()));
    assert_eq!(sensor.alerts_about(pid, 1).len(), 1);
    assert_eq!(sensor.reload().code, Some(0));
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn what_it_writes_is_for_root_alone() {
    let mark = Mark::new("modes");
    let sensor = Sensor::start(&mark.config());
    let pid = sensor.finish(std::process::Command::new(programs::tiny()).arg(mark.word()));
    sensor.until_exit(pid);
    assert_eq!(sensor.alerts_about(pid, 1).len(), 1);
    let mode = |name: &str| fs::metadata(sensor.file(name)).unwrap().permissions().mode() & 0o777;
    for file in
        ["rows.jsonl", "alerts.jsonl", "run/sophoslinuxsensor.sock", "run/cache_analytics.yaml", "state/sensor_id"]
    {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert_eq!(mode("run"), 0o700);
}

#[test]
fn a_plain_user_is_told_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = programs::copy(&programs::sensor(), dir.path().join("sophoslinuxsensor"));
    let own = dir.path().join("own");
    fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(NOBODY), Some(NOBODY)).unwrap();
    let config = dir.path().join("config.yaml");
    fs::write(&config, "").unwrap();
    let mut command = std::process::Command::new(&program);
    command.arg("-config").arg(&config).arg("-content").arg(&config).arg("-rules").arg(&config);
    command.arg("-run-dir").arg(own.join("run")).arg("-state-dir").arg(own.join("state"));
    command.env_clear().current_dir("/").uid(NOBODY).gid(NOBODY);
    let said = Said::of(&mut command);
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{}", said.stderr);
    for capability in ["CAP_BPF", "CAP_PERFMON"] {
        assert!(said.stderr.contains(capability), "{capability}: {}", said.stderr);
    }
}

#[test]
fn a_plain_user_may_not_ask_a_running_sensor() {
    let sensor = Sensor::start(&Mark::new("ask").config());
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = programs::copy(&programs::sensor(), dir.path().join("sophoslinuxsensor"));
    for request in ["status", "reload"] {
        let mut command = std::process::Command::new(&program);
        command.arg(request).arg("-run-dir").arg(sensor.file("run")).env_clear().current_dir("/");
        let said = Said::of(command.uid(NOBODY).gid(NOBODY));
        assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{}", said.stderr);
        assert!(said.stderr.contains("only root and the sensor's own user may ask"), "{}", said.stderr);
    }
}

#[test]
fn a_rules_file_that_others_can_write_is_refused() {
    let home = Home::new("");
    fs::set_permissions(home.file("rules.yaml"), fs::Permissions::from_mode(0o666)).unwrap();
    let said = home.run(&["-check"]);
    assert_eq!(said.code, Some(78), "{}", said.stderr);
    assert!(said.stderr.contains("rules.yaml"), "{}", said.stderr);
}
