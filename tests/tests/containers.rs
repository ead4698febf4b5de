//! Which container a process is in, by its control group.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sensor_tests::{Mark, Sensor, of_kind, of_pid, programs};
use serde_json::{Value, json};

/// A control group; removed when this is dropped.
struct Group(PathBuf);

impl Group {
    /// A new one where containers have theirs: in the unified hierarchy if it is the host's one, else in that of a
    /// controller.
    fn new(name: &str) -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let unified = root.join("cgroup.procs").exists();
        let hierarchy = if unified { root.to_owned() } else { root.join("pids") };
        let path = hierarchy.join(name);
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes have ended; the kernel may still be at their last steps.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        eprintln!("{} is left over", self.0.display());
    }
}

/// 64 hexadecimal digits that no container has.
fn container_id() -> String {
    let random = fs::read_to_string("/proc/sys/kernel/random/uuid").expect("a random number");
    random.trim().replace('-', "").repeat(2)
}

#[test]
fn a_process_in_a_containers_group_carries_the_containers_id() {
    let mark = Mark::new("container");
    let id = container_id();
    let in_container = format!(
        "In Container:\n  policy: program\n  rules:\n    - 'match {} and containerId == \"{id}\" and containerRuntime == \
         \"docker\" and isContainer == true'\n    - default ignore",
        mark.rule()
    );
    let sensor = Sensor::start(&mark.config_with(&in_container));
    let group = Group::new(&format!("docker-{id}.scope"));
    let program = programs::tiny();
    let run =
        || sensor.finish(Command::new(programs::act()).arg("cgroup").arg(&group.0).arg(&program).arg(mark.word()));
    // The second one comes without the group's path: the sensor knows it by then.
    for pid in [run(), run()] {
        let execs = of_kind(&sensor.until_exit(pid), "_EXEC");
        let ids: Vec<&Value> = execs.iter().map(|exec| &exec["container_id"]).collect();
        // `act` itself was outside when it was executed.
        assert_eq!(ids, [&Value::Null, &json!(id)], "{execs:#?}");
        let alerts = sensor.alerts_about(pid, 3);
        let inside = alerts.iter().find(|alert| alert["strategy_name"] == "In Container").expect("the alert");
        assert_eq!(inside["location"]["container_id"], json!(id));
        assert_eq!(inside["scope"], "Container");
    }
    let outside = sensor.finish(Command::new(&program).arg(mark.word()));
    assert_eq!(sensor.exec_of(outside)["container_id"], Value::Null);
}

#[test]
fn a_container_that_ran_before_the_sensor_is_known() {
    let mark = Mark::new("running");
    let id = container_id();
    let group = Group::new(&format!("docker-{id}.scope"));
    let act = programs::act();
    let mut held = Command::new(&act)
        .arg("cgroup")
        .arg(&group.0)
        .arg(&act)
        .args(["hold", mark.word()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let cmdline = format!("/proc/{}/cmdline", held.id());
    sensor_tests::until("the program in the container", || {
        let cmdline = fs::read(&cmdline).ok()?;
        (cmdline.split(|&byte| byte == 0).nth(1) == Some(b"hold")).then_some(())
    });
    let sensor = Sensor::start(&mark.config());
    let row = sensor.until("its row", || of_pid(&sensor.rows("process_events"), held.id()).into_iter().next());
    assert_eq!((&row["event_type"], &row["container_id"]), (&json!("BASELINE_TASK"), &json!(id)));
    drop(held.stdin.take());
    held.wait().unwrap();
    let rows = sensor.until_exit(held.id());
    assert_eq!(of_kind(&rows, "_EXIT")[0]["container_id"], json!(id));
}
