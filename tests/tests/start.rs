//! The start in the midst of a storm: what was running, and what starts meanwhile, is each told once; and what a start costs.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sensor_tests::{Home, Mark, Sensor, of_kind, programs};
use serde_json::Value;

/// Programs that run until they are dropped.
#[derive(Default)]
struct Holders(Mutex<Vec<Child>>);

impl Holders {
    fn start_one(&self, mark: &Mark) {
        let mut command = Command::new(programs::act());
        let child = command.args(["hold", mark.word()]).stdin(Stdio::piped()).spawn().expect("it starts");
        self.0.lock().unwrap().push(child);
    }

    fn pids(&self) -> Vec<u32> {
        self.0.lock().unwrap().iter().map(Child::id).collect()
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        for child in self.0.get_mut().unwrap() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// How often each program was told as running, by its process: one that was forked before the start and has executed nothing by then
/// runs its parent's program, and another one later.
fn told(rows: &[Value], holders: bool) -> BTreeMap<(u32, String), Vec<String>> {
    let mut told = BTreeMap::<_, Vec<String>>::new();
    for row in rows.iter().filter(|row| (row["name"] == "act") == holders) {
        let kind = row["event_type"].as_str().unwrap();
        if kind.ends_with("_EXEC") || kind == "BASELINE_TASK" {
            let process = (row["pid"].as_u64().unwrap().try_into().unwrap(), row["name"].to_string());
            told.entry(process).or_default().push(kind.to_owned());
        }
    }
    told
}

#[test]
fn each_program_is_told_once_as_running_or_as_started() {
    let mark = Mark::new("start");
    let holders = Holders::default();
    let go_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        // Ends the spawner also when an assertion fails.
        let _stop = OnDrop(|| go_on.store(false, Ordering::Relaxed));
        scope.spawn(|| {
            while go_on.load(Ordering::Relaxed) {
                holders.start_one(&mark);
                std::thread::sleep(Duration::from_millis(25));
            }
        });
        for round in 0..4 {
            let target = holders.pids().len() + 10;
            sensor_tests::until("programs before the start", || (holders.pids().len() >= target).then_some(()));
            let mut short_lived = programs::start_storm(400, 200, &mark);
            let sensor = Sensor::start_in(&Arc::new(Home::new(&mark.config())));
            let running = holders.pids();
            sensor.until("each program that ran to be told", || {
                let told = told(&sensor.rows("process_events"), true);
                running.iter().all(|pid| told.keys().any(|(told, _)| told == pid)).then_some(())
            });
            short_lived.wait().expect("the storm ends");
            let home = sensor.home();
            assert_eq!(sensor.stop(), Some(0));

            let rows = home.rows("process_events");
            let told_as = told(&rows, true);
            for (process, kinds) in &told_as {
                assert_eq!(kinds.len(), 1, "round {round}: {process:?} is told as {kinds:?}");
            }
            let kinds: Vec<&String> = told_as.values().flatten().collect();
            assert!(kinds.iter().any(|kind| *kind == "BASELINE_TASK"), "round {round}");
            for (process, kinds) in told(&rows, false) {
                assert_eq!(kinds.len(), 1, "round {round}: the short-lived {process:?} is told as {kinds:?}");
            }
        }
    });
}

/// What the verifier looks at is most of what a start costs. A loop of more than a few rounds, or code for each of many ways that lead
/// to it, goes beyond this at once; a function of global linkage is looked at once.
#[test]
fn the_verifier_has_little_to_look_at() {
    const MOST: u64 = 300_000;
    let mark = Mark::new("verified");
    let sensor = Sensor::start(&mark.config());
    let mut programs = BTreeMap::new();
    for entry in std::fs::read_dir(format!("/proc/{}/fdinfo", sensor.pid())).unwrap() {
        let Ok(text) = std::fs::read_to_string(entry.unwrap().path()) else { continue };
        let fact = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok());
        if let (Some(id), Some(verified)) = (fact("prog_id:"), fact("verified_insns:")) {
            programs.insert(id, verified);
        }
    }
    // The kernel tells it since Linux 5.16.
    assert!(programs.len() > 12, "{programs:?}");
    let all: u64 = programs.values().sum();
    assert!(all < MOST, "{all} instructions: {programs:?}");
}

#[test]
fn what_ran_before_is_told_as_it_is() {
    let mark = Mark::new("before");
    let holders = Holders::default();
    holders.start_one(&mark);
    let pid = holders.pids()[0];
    // Its arguments are in place when it holds, not when it has been forked.
    sensor_tests::until("the program to run", || {
        let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&cmdline).contains(mark.word()).then_some(())
    });
    let sensor = Sensor::start(&mark.config());
    let rows =
        sensor.until("the row of the program", || Some(sensor.rows("process_events")).filter(|rows| !rows.is_empty()));
    assert_eq!(rows.len(), 1, "{rows:#?}");
    let row = &rows[0];
    let act = programs::act().canonicalize().unwrap();
    assert_eq!(row["event_type"], "BASELINE_TASK");
    assert_eq!((&row["pid"], &row["ppid"]), (&pid.into(), &std::process::id().into()));
    assert_eq!((&row["path"], &row["name"]), (&act.to_str().unwrap().into(), &"act".into()));
    assert_eq!(row["args"], serde_json::json!([programs::act(), "hold", mark.word()]));
    assert_eq!((&row["uid"], &row["username"]), (&0.into(), &"root".into()));
    assert_eq!(row["cwd"], std::env::current_dir().unwrap().to_str().unwrap());
    assert_eq!(row["parents"].as_array().unwrap().last(), Some(&1.into()));
    // It runs nothing now: no alert. And its end is the end of the same process.
    drop(holders);
    let rows = sensor.until_exit(pid);
    assert_eq!(of_kind(&rows, "_EXIT")[0]["process_uuid"], row["process_uuid"]);
    assert_eq!(rows.len(), 2, "{rows:#?}");
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    assert_eq!(home.alerts().len(), 0);
}

/// Does something at the end of a scope, however that comes.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
