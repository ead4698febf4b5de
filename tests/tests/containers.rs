//! Which container a process is in, by its control group.

#[path = "containers/lives.rs"]
mod lives;
#[path = "containers/names.rs"]
mod names;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

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
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    /// The same as systemd leaves it to a user.
    fn given_away(self) -> Self {
        std::os::unix::fs::chown(&self.0, Some(65534), Some(65534)).expect("another owner");
        self
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes have ended; the kernel may still be at their last steps.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                // Those above, as far as they are nobody else's.
                self.0.ancestors().skip(1).take_while(|above| fs::remove_dir(above).is_ok()).count();
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

/// Which of [`policies`] holds for a program that is run in this group by these words, and the container's id.
fn told(sensor: &Sensor, mark: &Mark, group: &Group, words: &[&str]) -> (String, Option<String>) {
    let mut command = Command::new(programs::act());
    command.arg("cgroup").arg(&group.0);
    match words {
        [] => command.arg(programs::tiny()),
        words => command.arg("/usr/bin/env").args(words),
    };
    static RUN: AtomicU32 = AtomicU32::new(0);
    let word = format!("{}-run{}z", mark.word(), RUN.fetch_add(1, Ordering::Relaxed));
    let status = command.arg(&word).status().expect("a program");
    assert!(status.success(), "{words:?}");
    let alert = sensor.until("the alert", || {
        sensor.alerts().into_iter().find(|alert| {
            let info = &alert["process_info"];
            info["name"].as_str().is_some_and(|name| name.ends_with("/tiny"))
                && info["args"].to_string().contains(&word)
                && alert["strategy_name"] != "Marked Program"
        })
    });
    let id = alert["location"]["container_id"].as_str().map(str::to_owned);
    (alert["strategy_name"].as_str().unwrap_or_default().to_owned(), id)
}

/// Policies of which exactly one holds.
fn policies(mark: &Mark) -> String {
    let policy = |name: &str, rules: &[&str]| {
        let rules: String = rules.iter().map(|rule| format!("    - '{rule}'\n")).collect();
        format!("{name}:\n  policy: program\n  rules:\n{rules}    - default ignore\n")
    };
    let marked = mark.rule();
    policy("Unknown", &[&format!("match {marked} and not isContainer exists")])
        + &policy(
            "Unnamed",
            &["ignore not isContainer exists", &format!("match {marked} and containerRuntime == \"unknown\"")],
        )
        + &policy(
            "Named",
            &[
                "ignore not isContainer exists",
                &format!("match {marked} and isContainer == true and containerRuntime != \"unknown\""),
            ],
        )
        + &policy("Host", &["ignore not isContainer exists", &format!("match {marked} and isContainer == false")])
}

#[test]
fn a_process_is_in_a_container_by_more_than_its_groups_name() {
    let mark = Mark::new("facts");
    let id = container_id();
    let sensor = Sensor::start(&mark.config_with(&policies(&mark)));
    let named = Some(id.clone());
    let tiny = programs::tiny();
    let tiny = tiny.to_str().expect("a path");
    let root = tempfile::tempdir().expect("a folder");
    let _ = programs::copy(&programs::tiny(), root.path().join("tiny"));
    let root = root.path().to_str().expect("a path");

    let quadlet = Group::new(&format!("sensor-web.service/libpod-payload-{id}"));
    assert_eq!(told(&sensor, &mark, &quadlet, &[]), ("Named".into(), named.clone()));
    drop(quadlet);
    let deep = Group::new(&format!("docker-{id}.scope{}", "/g".repeat(300)));
    assert_eq!(told(&sensor, &mark, &deep, &[]), ("Named".into(), named.clone()));
    drop(deep);
    let made_up = Group::new(&format!("sensor-user/docker-{id}.scope")).given_away();
    assert_eq!(told(&sensor, &mark, &made_up, &[]), ("Host".into(), None));
    // Rootless: another mount namespace.
    assert_eq!(told(&sensor, &mark, &made_up, &["unshare", "--mount", tiny]), ("Named".into(), named));
    drop(made_up);

    let other = Group::new("sensor-unheard-of");
    let own = ["unshare", "--mount", "--pid", "--fork"];
    assert_eq!(told(&sensor, &mark, &other, &["unshare", "--mount", tiny]), ("Host".into(), None));
    assert_eq!(told(&sensor, &mark, &other, &[&own[..], &[tiny]].concat()), ("Host".into(), None));
    assert_eq!(told(&sensor, &mark, &other, &["chroot", root, "/tiny"]), ("Host".into(), None));
    let contained = [&own[..], &["chroot", root, "/tiny"]].concat();
    let group = other.0.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    assert_eq!(told(&sensor, &mark, &other, &contained), ("Unnamed".into(), group));
    drop(other);
    let lost = Group::new(&format!("sensor-lost{}", "/g".repeat(40)));
    assert_eq!(told(&sensor, &mark, &lost, &[]), ("Host".into(), None));
    assert_eq!(told(&sensor, &mark, &lost, &["unshare", "--mount", tiny]).0, "Unknown");
}
