//! What the hooks for audit messages cost: those that send messages, and those that never do.
//!
//! ```text
//! cargo bench -p sensor-tests --bench audit                  prints two tables
//! UPDATE_DOCS=1 cargo bench -p sensor-tests --bench audit    and puts them into docs/audit.md
//! ```
//!
//! Each load runs without the sensor and with it in turn. Of each run the quickest stretch counts, as what else goes on
//! only ever adds; so of all runs the quickest is shown, and of the ratios of pairs the median. Run it on an idle machine,
//! as root.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use sensor_tests::{Sensor, programs, until};

/// Pairs of runs; the medians count.
const PAIRS: usize = 15;
/// Milliseconds of one run.
const RUN: &str = "400";
const LOADS: &[&str] =
    &["getpid", "read", "write", "capability", "udp", "tcp", "bulk", "unix-stream", "unix-datagram", "audit", "forged"];
const BEGIN: &str = "<!-- measured: audit -->\n";
const END: &str = "<!-- end -->";

fn main() -> ExitCode {
    let mut measured: Vec<Vec<(f64, f64)>> = LOADS.iter().map(|_| Vec::new()).collect();
    let mut rung = String::new();
    for pair in 0..PAIRS {
        eprintln!("pair {} of {PAIRS} …", pair + 1);
        let without: Vec<f64> = LOADS.iter().map(|load| nanoseconds(load)).collect();
        let sensor = Sensor::start(CONFIG);
        rung = serving(&sensor);
        let with: Vec<f64> = LOADS.iter().map(|load| nanoseconds(load)).collect();
        assert_eq!(sensor.stop(), Some(0));
        for (pairs, (without, with)) in measured.iter_mut().zip(without.into_iter().zip(with)) {
            pairs.push((without, with));
        }
    }
    let mut text = format!("{}; the hook was `{rung}`.\n\n", machine());
    text.push_str("| one round of | ns without | ns with | difference | ratio of pairs: median (middle half) |\n| --- | --- | --- | --- | --- |\n");
    for (load, pairs) in LOADS.iter().zip(&measured) {
        let ratios = sorted(pairs.iter().map(|(without, with)| with / without));
        let quickest = |nanoseconds: fn(&(f64, f64)) -> f64| pairs.iter().map(nanoseconds).fold(f64::MAX, f64::min);
        let (without, with) = (quickest(|pair| pair.0), quickest(|pair| pair.1));
        let _ = writeln!(
            text,
            "| {load} | {without:.0} | {with:.0} | {:+.0} | {:.3} ({:.3} to {:.3}) |",
            with - without,
            at(&ratios, 0.5),
            at(&ratios, 0.25),
            at(&ratios, 0.75)
        );
    }
    let _ = writeln!(text, "\n{}", per_message());
    println!("{text}");
    match keep(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Rows are made of all messages and go nowhere.
const CONFIG: &str =
    "investigations:\n  flight_recorder:\n    enabled: true\n    tables:\n      - name: audit_user_msg\n";

fn nanoseconds(load: &str) -> f64 {
    let output = Command::new(programs::loops()).args([load, RUN]).output().expect("the load runs");
    assert!(output.status.success(), "{load}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("nanoseconds")
}

fn serving(sensor: &Sensor) -> String {
    let status = sensor.status();
    let hooks = status["hooks"].as_array().cloned().unwrap_or_default();
    let serving = hooks.iter().find(|hook| hook["name"] == "audit" && hook["attached"] == true);
    serving.and_then(|hook| hook["hook"].as_str()).expect("a hook for audit messages").to_owned()
}

/// What a message costs the sensor's own threads.
fn per_message() -> String {
    const MESSAGES: u64 = 20_000;
    let sensor = Sensor::start(CONFIG);
    let tasks = format!("/proc/{}/task", sensor.pid());
    let cpu = || -> u64 {
        let entries = fs::read_dir(&tasks).into_iter().flatten().flatten();
        let spent = entries.filter_map(|entry| fs::read_to_string(entry.path().join("schedstat")).ok());
        spent.filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum()
    };
    let submitted = || {
        let status = sensor.status();
        let hooks = status["hooks"].as_array().cloned().unwrap_or_default();
        let hook = hooks.into_iter().find(|hook| hook["name"] == "audit" && hook["attached"] == true);
        hook.map_or((0, 0), |hook| (hook["submitted"].as_u64().unwrap_or(0), hook["ring_full"].as_u64().unwrap_or(0)))
    };
    let before = (cpu(), submitted());
    let text =
        "op=PAM:session_open acct=\"nobody\" exe=\"/usr/bin/tell-audit\" hostname=? addr=? terminal=? res=success";
    let ran = Command::new(programs::tell_audit()).args(["storm", &MESSAGES.to_string(), "1120", text]).output();
    assert!(ran.expect("the sender runs").status.success());
    let after = until("the messages to be worked off", || {
        let (now, cpu) = (submitted(), cpu());
        (now.0 + now.1 >= before.1.0 + before.1.1 + MESSAGES).then_some((cpu, now))
    });
    let told = after.1.0 - before.1.0;
    assert_eq!(sensor.stop(), Some(0));
    format!(
        "In a burst of {MESSAGES} messages, {told} of which the ring took, the sensor's own threads spent {:.1} µs on each of \
         these.\n",
        (after.0 - before.0) as f64 / 1000.0 / told as f64
    )
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn at(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

fn machine() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    let cpus = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Measured on {cpus} CPUs ({model}), Linux {}", kernel.trim())
}

/// Puts the text between the marks in docs/audit.md, if `UPDATE_DOCS` is set.
fn keep(text: &str) -> std::io::Result<()> {
    if std::env::var_os("UPDATE_DOCS").is_none() {
        return Ok(());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/audit.md");
    let page = fs::read_to_string(&path)?;
    let lost = || std::io::Error::other("docs/audit.md has lost its marks");
    let (head, rest) = page.split_once(BEGIN).ok_or_else(lost)?;
    let (_, tail) = rest.split_once(END).ok_or_else(lost)?;
    fs::write(path, format!("{head}{BEGIN}{text}{END}{tail}"))
}
