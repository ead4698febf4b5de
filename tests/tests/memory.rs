//! Memory stays bounded, whatever those who are watched make large: arguments, and what waits because a sink is stuck.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;

use sensor_tests::{Home, Mark, Sensor, Tmpfs, programs};
use serde_json::Value;

/// Arguments of each program, bytes.
const LARGE: usize = 12_000;
/// Programs. Unbounded, what waits for the sinks would take more than 140 MB.
const COUNT: usize = 6_000;
/// A second, so that the kernel's ring buffer does not lose them before they can take memory.
const RATE: usize = 800;
/// What the program takes by itself in a debug build, with what the allocator wastes of the budget; bytes.
const REST: u64 = 72 << 20;
const BUDGET: u64 = 32 << 20;
/// Alerts, spread over the storm.
const ALERTS: usize = 12;

fn config(mark: &Mark) -> String {
    let rule = mark.rule_of_storm();
    let word = mark.word();
    format!(
        r#"
memory_budget: 32MiB
alert_output:
  outputs:
    - {{type: file, name: "@HOME@/alerts.jsonl"}}
    - {{type: zeromq, endpoint: "tcp://127.0.0.1:9", bind: false, pattern: push}}
enabled_content_groups: []
investigations:
  reporting_interval: 1s
  sinks:
    - {{backend: file, name: "@HOME@/full/rows.jsonl"}}
    - {{backend: parquet, name: "@HOME@/full/lake", roll_interval: 1h}}
  flight_recorder:
    enabled: true
    tables:
      - name: process_events
        rows: 50000
        filter:
          - 'match eventType == "PROCESS_EVENT_TYPE_EXEC" and {rule}'
          - default ignore
Told:
  policy: program
  rules:
    - 'match args == "{word}-told"'
    - default ignore
"#
    )
}

fn run(count: usize, words: &[&str]) {
    let large = "x".repeat(LARGE);
    let mut command = Command::new(programs::storm());
    command.arg(programs::tiny()).args([&count.to_string(), "2", &RATE.to_string()]).args(words).arg(&large);
    assert!(command.stdout(Stdio::null()).status().expect("the storm runs").success());
}

fn peak(sensor: &Sensor) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", sensor.pid())).expect("the sensor's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// That of the start, when the kernel's types are read, is not what a storm takes. Since Linux 4.0, see proc(5).
fn forget_peak(sensor: &Sensor) {
    fs::write(format!("/proc/{}/clear_refs", sensor.pid()), "5").expect("its peak can be set anew");
}

#[test]
fn a_stuck_sink_does_not_take_the_memory_and_alerts_stay_whole() {
    let mark = Mark::new("memory");
    let home = Arc::new(Home::new(&config(&mark)));
    let _full = Tmpfs::mount(&home.file("full"), 64);
    let sensor = Sensor::start_in(&home);
    forget_peak(&sensor);
    let told = format!("{}-told", mark.word());
    for alerts in 1..=ALERTS {
        run(COUNT / ALERTS, &[mark.word()]);
        // Again if the kernel had no room for it: that is not what this is about.
        sensor.until("its alert", || {
            run(1, &[mark.word(), &told]);
            (sensor.alerts().len() >= alerts).then_some(())
        });
    }
    let alerts = sensor.alerts();
    let whole = |alert: &Value| {
        let args = alert["process_info"]["args"].as_array().or(alert["process_info"]["arguments"].as_array());
        args.is_some_and(|args| args.iter().any(|arg| arg.as_str().is_some_and(|arg| arg.len() == LARGE)))
    };
    assert!(alerts.iter().all(whole), "{:#}", alerts[0]["process_info"]);
    let peak = peak(&sensor);
    assert!(peak < BUDGET + REST, "{} MB at the peak", peak >> 20);
    let status = sensor.status();
    assert_eq!(status["outputs"][0]["dropped"], 0, "no alert is given up for rows");
    for sink in status["sinks"].as_array().unwrap() {
        assert!(sink["dropped_by_cause"]["memory"].as_u64() > Some(0), "{sink:#}");
    }
    assert_eq!(status["memory"]["budget"], BUDGET);
    assert_eq!(sensor.stop(), Some(0));
}
