//! How a sensor ends, and how the next one begins.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::Signal;
use sensor_tests::{Home, Mark, Sensor, of_kind, of_pid, programs};

fn hold(mark: &Mark) -> Child {
    Command::new(programs::act()).args(["hold", mark.word()]).stdin(Stdio::piped()).spawn().expect("it starts")
}

fn release(mut child: Child) -> u32 {
    drop(child.stdin.take());
    child.wait().expect("it ends");
    child.id()
}

#[test]
fn what_was_captured_before_the_end_is_delivered() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mark = Mark::new("end");
        let mut sensor = Sensor::start(&Mark::config_for(&mark.rule_of_storm(), ""));
        programs::run_storm(500, &mark);
        // At once: most of it is still in the ring buffer.
        sensor.signal(signal);
        assert_eq!(sensor.wait().code(), Some(0), "{}", sensor.log());
        let rows = sensor.rows("process_events");
        assert_eq!((of_kind(&rows, "_EXEC").len(), of_kind(&rows, "_EXIT").len()), (500, 500), "{signal}");
        assert_eq!(sensor.alerts().len(), 500, "{signal}");
        assert_eq!(sensor.rows("lost_records").len(), 0);
        assert!(sensor.log().contains("stopped"));
        assert!(!sensor.file("run/sophoslinuxsensor.sock").exists());
        assert_eq!(sensor.status_if_any(), None);
    }
}

#[test]
fn a_sensor_that_was_killed_is_followed_by_another() {
    let mark = Mark::new("killed");
    let held = hold(&mark);
    let home = Arc::new(Home::new(&mark.config()));
    let first = Sensor::start_in(&home);
    first.until("the program to be told", || {
        (!of_pid(&home.rows("process_events"), held.id()).is_empty()).then_some(())
    });
    let id = home.rows("process_events")[0]["sensor_id"].clone();
    first.kill();
    assert!(home.file("run/sophoslinuxsensor.sock").exists(), "a socket that nobody listens on");
    let said = home.ask(&["status"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("no sensor runs"), "{}", said.stderr);

    let second = Sensor::start_in(&home);
    let pid = release(held);
    second.until_exit(pid);
    assert_eq!(second.stop(), Some(0));
    let rows = home.rows("process_events");
    assert!(rows.iter().all(|row| row["sensor_id"] == id), "the id outlives the sensor");
    let of_process = of_pid(&rows, pid);
    // Each of the two found it running.
    assert_eq!(of_kind(&of_process, "BASELINE_TASK").len(), 2, "{of_process:#?}");
    assert_eq!(of_kind(&of_process, "_EXIT").len(), 1);
    let mut names: Vec<String> = of_process.iter().map(|row| row["process_uuid"].to_string()).collect();
    names.dedup();
    assert_eq!(names.len(), 1, "a process has one name, whichever sensor sees it");
}

#[test]
fn two_sensors_see_the_same_and_leave_each_other_alone() {
    let mark = Mark::new("two");
    let sensors = [Sensor::start(&mark.config()), Sensor::start(&mark.config())];
    let pid = sensors[0].finish(Command::new(programs::tiny()).arg(mark.word()));
    let execs = sensors.each_ref().map(|sensor| sensor.exec_of(pid));
    assert_eq!(execs[0]["process_uuid"], execs[1]["process_uuid"]);
    assert_ne!(execs[0]["sensor_id"], execs[1]["sensor_id"]);
    let [one, other] = sensors;
    assert_eq!(one.stop(), Some(0));
    let pid = other.finish(Command::new(programs::tiny()).arg(mark.word()));
    assert_eq!(other.alerts_about(pid, 1).len(), 1);
    other.until_exit(pid);
    let rows = other.rows("process_events");
    assert_eq!((of_kind(&rows, "_EXEC").len(), of_kind(&rows, "_EXIT").len()), (2, 2));
}

#[test]
fn a_second_sensor_with_the_same_state_directory_is_refused() {
    let mark = Mark::new("state");
    let sensor = Sensor::start(&mark.config());
    let said = sensor.run(&["-run-dir", &sensor.file("other").display().to_string()]);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    let expected = [
        format!("{}: another sensor (pid {}) keeps its state there", sensor.file("state").display(), sensor.pid()),
        "-state-dir".to_owned(),
    ];
    for text in expected {
        assert!(said.stderr.contains(&text), "{text}: {}", said.stderr);
    }
    // That one was no run: nobody killed it.
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    let sensor = Sensor::start_in(&home);
    assert_eq!(sensor.stop(), Some(0));
    assert!(
        !home.log().contains("Ended Unexpectedly") && !home.log().contains("without being told to"),
        "{}",
        home.log()
    );
}

#[test]
fn a_second_sensor_with_the_same_run_directory_is_refused() {
    let mark = Mark::new("same");
    let sensor = Sensor::start(&mark.config());
    let said = sensor.run(&[]);
    assert_eq!(said.code, Some(1));
    let expected = [
        "another sensor runs with the run directory",
        &sensor.file("run").display().to_string(),
        &format!("pid {}", sensor.pid()),
        "-run-dir",
    ];
    for text in expected {
        assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
    }
    // The first one is as it was.
    assert_eq!(sensor.status()["pid"], sensor.pid());
    let pid = sensor.finish(Command::new(programs::tiny()).arg(mark.word()));
    assert_eq!(sensor.exec_of(pid)["pid"], pid);
}
