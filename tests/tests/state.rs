//! The state directory when it is not as it should be: the sensor watches all the same, and says so.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::mount::MsFlags;
use sensor_tests::{Home, Mark, Sensor, Tmpfs, programs, until};
use serde_json::Value;

fn raise(sensor: &Sensor, mark: &Mark) -> Value {
    let pid = sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    sensor.alerts_about(pid, 1).remove(0)
}

fn tells(home: &Home, policy: &str) -> bool {
    home.alerts().iter().any(|alert| alert.to_string().contains(policy))
}

#[test]
fn a_read_only_state_directory_stops_nothing() {
    let mark = Mark::new("readonly");
    let home = Arc::new(Home::new(&mark.config()));
    let disk = Tmpfs::mount(&home.file("state"), 1024);
    let first = Sensor::start_in(&home);
    let id = raise(&first, &mark)["location"]["sensor_id"].clone();
    assert_eq!(first.stop(), Some(0));
    assert!(!tells(&home, "Sensor State Not Kept"));
    disk.remount(MsFlags::MS_RDONLY);

    let sensor = Sensor::start_in(&home);
    assert_eq!(raise(&sensor, &mark)["location"]["sensor_id"], id, "the id is there to be read");
    sensor.until("word of it", || tells(&home, "Sensor State Not Kept").then_some(()));
    let shown = |text: &str| sensor.until(text, || sensor.ask(&["status"]).stdout.contains(text).then_some(()));
    shown("mounted read-only");
    assert!(sensor.status()["state_trouble"].as_str().is_some_and(|text| text.contains("-state-dir")));
    // One sensor for each state directory, on a read-only one too.
    let said = sensor.run(&["-run-dir", &sensor.file("other").display().to_string()]);
    assert!(said.code == Some(1) && said.stderr.contains("another sensor"), "{}", said.stderr);
    disk.remount(MsFlags::empty());
    sensor.until("the end of the trouble", || sensor.status()["state_trouble"].is_null().then_some(()));
    assert_eq!(sensor.stop(), Some(0));
    assert!(!tells(&home, "Sensor Ended Unexpectedly"));
}

#[test]
fn without_any_state_there_is_an_id_and_alerts_all_the_same() {
    let mark = Mark::new("nostate");
    let home = Arc::new(Home::new(&mark.config()));
    let disk = Tmpfs::mount(&home.file("state"), 1024);
    disk.remount(MsFlags::MS_RDONLY);
    let sensor = Sensor::start_in(&home);
    assert!(raise(&sensor, &mark)["location"]["sensor_id"].as_str().is_some_and(|id| id.len() == 36));
    drop(sensor);
    drop(disk);
    // Full from the first start on.
    let disk = Tmpfs::mount(&home.file("state"), 64);
    let _filler = disk.fill();
    let sensor = Sensor::start_in(&home);
    let _ = raise(&sensor, &mark);
    assert_eq!(sensor.stop(), Some(0));
}

#[test]
fn the_state_directory_is_the_sensors_alone_whatever_the_umask() {
    let mark = Mark::new("umask");
    let home = Arc::new(Home::new(&mark.config()));
    let sensor = home.sensor_command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(sensor.get_program()).args(sensor.get_args());
    let mut child = shell.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the sensor to answer", || home.status_if_any().map(drop));
    child.kill().unwrap();
    child.wait().unwrap();
    for folder in ["state", "run"] {
        assert_eq!(fs::metadata(home.file(folder)).unwrap().mode() & 0o7777, 0o700, "{folder}");
    }
    fs::set_permissions(home.file("state"), fs::Permissions::from_mode(0o777)).unwrap();
    let said = home.run(&[]);
    assert_eq!(said.code, Some(1));
    for text in ["must not be writable for others", "mode is 777", "chmod go-w", "-state-dir"] {
        assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
    }
}

#[test]
fn an_orderly_stop_on_a_full_disk_is_no_kill() {
    let mark = Mark::new("fullstop");
    let home = Arc::new(Home::new(&mark.config()));
    let disk = Tmpfs::mount(&home.file("state"), 4096);
    let sensor = Sensor::start_in(&home);
    let filler = disk.fill();
    assert_eq!(sensor.stop(), Some(0));
    fs::remove_file(filler).unwrap();
    let sensor = Sensor::start_in(&home);
    let _ = raise(&sensor, &mark);
    assert!(!tells(&home, "Sensor Ended Unexpectedly"), "{}", home.log());
    sensor.kill();
    let sensor = Sensor::start_in(&home);
    sensor.until("word of the kill", || tells(&home, "Sensor Ended Unexpectedly").then_some(()));
}
