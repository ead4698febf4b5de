//! What a message costs: its sender with the whole sensor running and without, and the sensor itself.

use std::fs;
use std::process::Command;
use std::time::Duration;

use sensor_tests::loads::{Load, MESSAGES, Outcome, pin, without_rights};
use sensor_tests::{Sensor, programs, until};

use crate::ratios::Median;

/// Pairs of runs; the medians count.
const PAIRS: usize = 8;
const RUN: Duration = Duration::from_millis(200);
/// Messages of the burst.
const BURST: u64 = 20_000;

/// Rows are made of all messages and go nowhere.
const CONFIG: &str =
    "investigations:\n  flight_recorder:\n    enabled: true\n    tables:\n      - name: audit_user_msg\n";

/// What a message costs its sender.
pub(crate) struct Cost {
    pub(crate) load: &'static str,
    /// Nanoseconds of a message and the kernel's answer, without the sensor and with it.
    pub(crate) without: f64,
    pub(crate) with: f64,
    pub(crate) ratio: Median,
}

pub(crate) fn measure() -> Outcome<Vec<Cost>> {
    let mut pairs: Vec<Vec<(f64, f64)>> = MESSAGES.iter().map(|_| Vec::new()).collect();
    for _ in 0..PAIRS {
        let run = || MESSAGES.iter().map(|load| nanoseconds(load)).collect::<Outcome<Vec<_>>>();
        let without = run()?;
        let sensor = Sensor::start(CONFIG);
        let with = run()?;
        assert_eq!(sensor.stop(), Some(0));
        for (pairs, pair) in pairs.iter_mut().zip(without.into_iter().zip(with)) {
            pairs.push(pair);
        }
    }
    let costs = MESSAGES.iter().zip(&pairs).map(|(load, pairs)| Cost {
        load,
        without: Median::of(pairs.iter().map(|pair| pair.0)).value,
        with: Median::of(pairs.iter().map(|pair| pair.1)).value,
        ratio: Median::of(pairs.iter().map(|(without, with)| with / without)),
    });
    Ok(costs.collect())
}

/// One round, in a thread of its own: it may give up its rights.
fn nanoseconds(load: &'static str) -> Outcome<f64> {
    let measured = std::thread::spawn(move || {
        let run = || {
            pin()?;
            if load == "forged" {
                without_rights()?;
            }
            Load::new(load)?.run(RUN)
        };
        run().map_err(|error| format!("{load}: {error}"))
    });
    Ok(measured.join().map_err(|_| format!("{load} panicked"))??)
}

/// What a message costs the sensor's own threads, in a sentence.
pub(crate) fn of_the_sensor() -> String {
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
    let ran = Command::new(programs::tell_audit()).args(["storm", &BURST.to_string(), "1120", text]).output();
    assert!(ran.expect("the sender runs").status.success());
    let after = until("the messages to be worked off", || {
        let (now, cpu) = (submitted(), cpu());
        (now.0 + now.1 >= before.1.0 + before.1.1 + BURST).then_some((cpu, now))
    });
    let told = after.1.0 - before.1.0;
    assert_eq!(sensor.stop(), Some(0));
    format!(
        "In a burst of {BURST} messages, {told} of which the ring took, the sensor's own threads spent {:.1} µs on each of \
         these.\n",
        (after.0 - before.0) as f64 / 1000.0 / told as f64
    )
}
