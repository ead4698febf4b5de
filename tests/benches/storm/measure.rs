//! Storms without and with the sensor.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sensor_tests::{Mark, Sensor, programs, until};
use serde_json::Value;

/// A storm.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) threads: u32,
    /// Processes a second of all threads together; 0 is as fast as it goes.
    pub(crate) rate: u32,
    pub(crate) count: u64,
}

/// Which of the storm's execs become rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    Every,
    None,
}

/// What a load came to. Medians over the pairs.
pub(crate) struct Outcome {
    /// Rate with the sensor by rate without.
    pub(crate) ratio: f64,
    pub(crate) ratios: Vec<f64>,
    /// Processes a second without the sensor.
    pub(crate) rate_without: f64,
    /// CPU milliseconds of the sensor per 1,000 execs.
    pub(crate) cpu_ms: f64,
    /// The same by thread, microseconds per exec; of the last pair.
    pub(crate) threads: Vec<(String, f64)>,
    /// Most memory since the start, and memory after the storm, megabytes.
    pub(crate) peak_mb: f64,
    pub(crate) resident_mb: f64,
    /// Rows missing and losses counted, all pairs together.
    pub(crate) lost: u64,
}

/// Runs the load in pairs.
pub(crate) fn measure(load: &Load, rows: Rows, pairs: usize) -> Outcome {
    let (mut ratios, mut rates, mut cpus, mut lost) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let (mut threads, mut peak_mb, mut resident_mb) = (Vec::new(), 0.0_f64, 0.0_f64);
    for _ in 0..pairs {
        let mark = Mark::new("storm");
        let without = storm(load, &mark);
        let sensor = Sensor::start(&config(&mark, rows));
        let before = cpu_of_threads(&sensor);
        let with = storm(load, &mark);
        let wanted = if rows == Rows::Every { load.count } else { 0 };
        until("every row to be written", || (rows_of(&sensor, &mark) >= wanted).then_some(()));
        let after = cpu_of_threads(&sensor);
        threads = difference(&before, &after, load.count);
        cpus.push(threads.iter().map(|(_, micros)| micros).sum::<f64>());
        ratios.push(without / with);
        rates.push(load.count as f64 / without);
        peak_mb = peak_mb.max(memory(&sensor, "VmHWM:"));
        resident_mb = resident_mb.max(memory(&sensor, "VmRSS:"));
        lost += rows_of(&sensor, &mark).abs_diff(wanted) + losses(&sensor);
        assert_eq!(sensor.stop(), Some(0));
    }
    Outcome {
        ratio: median(&ratios),
        ratios,
        rate_without: median(&rates),
        cpu_ms: median(&cpus),
        threads,
        peak_mb,
        resident_mb,
        lost,
    }
}

/// Nanoseconds of each kernel program per exec of the storm, by the kernel's own measure, which costs a little itself.
pub(crate) fn kernel_cost(load: &Load) -> Vec<(String, f64)> {
    let _stats = BpfStats::enable();
    let mark = Mark::new("storm");
    let sensor = Sensor::start(&config(&mark, Rows::Every));
    let total = |hook: &Value| hook["runs"].as_f64().unwrap_or(0.0) * hook["avg_ns"].as_f64().unwrap_or(0.0);
    let hooks = |sensor: &Sensor| -> Vec<(String, f64)> {
        let status = sensor.status();
        let hooks = status["hooks"].as_array().cloned().unwrap_or_default();
        hooks.iter().map(|hook| (hook["name"].as_str().unwrap_or_default().to_owned(), total(hook))).collect()
    };
    let before = hooks(&sensor);
    storm(load, &mark);
    let after = hooks(&sensor);
    assert_eq!(sensor.stop(), Some(0));
    let cost = |(name, nanos): (String, f64)| {
        let earlier = before.iter().find(|(other, _)| *other == name).map_or(0.0, |(_, nanos)| *nanos);
        (name, (nanos - earlier) / load.count as f64)
    };
    after.into_iter().map(cost).filter(|(_, nanos)| *nanos > 0.0).collect()
}

/// `kernel.bpf_stats_enabled`, put back when this is dropped.
struct BpfStats(String);

impl BpfStats {
    const PATH: &str = "/proc/sys/kernel/bpf_stats_enabled";

    fn enable() -> Self {
        let before = fs::read_to_string(Self::PATH).expect("the kernel measures its programs");
        fs::write(Self::PATH, "1").expect("the right to have it measured");
        Self(before)
    }
}

impl Drop for BpfStats {
    fn drop(&mut self) {
        let _ = fs::write(Self::PATH, self.0.trim());
    }
}

fn config(mark: &Mark, rows: Rows) -> String {
    let filter = match rows {
        Rows::Every => format!("match eventType == \"PROCESS_EVENT_TYPE_EXEC\" and args == \"{}\"", mark.word()),
        Rows::None => "ignore processPid > 0".to_owned(),
    };
    format!(
        "investigations:\n  reporting_interval: 1s\n  sinks:\n    - backend: file\n      name: \"@HOME@/rows.jsonl\"\n  \
         flight_recorder:\n    enabled: true\n    tables:\n      - name: process_events\n        enabled: true\n        \
         rows: 1000\n        filter:\n          - '{filter}'\n          - default ignore\n"
    )
}

/// Seconds that the storm takes.
fn storm(load: &Load, mark: &Mark) -> f64 {
    let mut command = Command::new(programs::storm());
    command.arg(programs::tiny()).args([load.count.to_string(), load.threads.to_string(), load.rate.to_string()]);
    let output = command.arg(mark.word()).output().expect("the storm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).expect("the storm tells its seconds")
}

/// Rows of the tiny program. The storm itself carries the mark as well.
fn rows_of(sensor: &Sensor, _mark: &Mark) -> u64 {
    let text = fs::read(sensor.file("rows.jsonl")).unwrap_or_default();
    let tiny = b"\"name\":\"tiny\"";
    text.split(|&byte| byte == b'\n').filter(|line| line.windows(tiny.len()).any(|part| part == tiny)).count() as u64
}

fn losses(sensor: &Sensor) -> u64 {
    let status = sensor.status();
    status["losses"].as_array().into_iter().flatten().filter_map(|loss| loss["count"].as_u64()).sum()
}

/// CPU nanoseconds of each thread, by name.
fn cpu_of_threads(sensor: &Sensor) -> Vec<(String, u64)> {
    let tasks = PathBuf::from(format!("/proc/{}/task", sensor.pid()));
    let entries = fs::read_dir(tasks).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = fs::read_to_string(entry.path().join("comm")).ok()?.trim().to_owned();
            let spent = fs::read_to_string(entry.path().join("schedstat")).ok()?;
            Some((name, spent.split_whitespace().next()?.parse().ok()?))
        })
        .collect()
}

/// Microseconds per exec, of the threads that did anything.
fn difference(before: &[(String, u64)], after: &[(String, u64)], count: u64) -> Vec<(String, f64)> {
    let spent = |(name, nanos): &(String, u64)| {
        let earlier = before.iter().find(|(other, _)| other == name).map_or(0, |(_, nanos)| *nanos);
        (name.clone(), nanos.saturating_sub(earlier) as f64 / 1000.0 / count as f64)
    };
    after.iter().map(spent).filter(|(_, micros)| *micros >= 0.005).collect()
}

/// A line of `/proc/PID/status` in megabytes.
fn memory(sensor: &Sensor, line: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", sensor.pid())).unwrap_or_default();
    let kilobytes = status.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0.0) / 1000.0 * 1.024
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
