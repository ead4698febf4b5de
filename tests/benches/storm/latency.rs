//! From the start of a program to the alert about it, on a quiet host.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use sensor_tests::{Mark, Sensor, programs};

const SAMPLES: u32 = 200;

/// Milliseconds, sorted. Starting the program and writing the alert to a file are part of it; looking for the alert
/// adds up to a fifth of a millisecond.
pub(crate) fn measure() -> Vec<f64> {
    let mark = Mark::new("storm");
    let sensor = Sensor::start(&format!(
        "alert_output:\n  outputs:\n    - type: file\n      enabled: true\n      name: \"@HOME@/alerts.jsonl\"\n\
         Marked:\n  policy: program\n  rules:\n    - match args == \"{}\"\n    - default ignore\n",
        mark.word()
    ));
    let alerts = sensor.file("alerts.jsonl");
    let size = || fs::metadata(&alerts).map_or(0, |metadata| metadata.len());
    let mut samples = Vec::new();
    for sample in 0..SAMPLES {
        // From well within the drain thread's short waits to well within its long one.
        sleep(Duration::from_millis(5 + u64::from(sample * 37 % 150)));
        let before = size();
        let begun = Instant::now();
        Command::new(programs::tiny()).arg(mark.word()).status().expect("the program runs");
        while size() == before {
            assert!(begun.elapsed() < Duration::from_secs(10), "no alert came");
            sleep(Duration::from_micros(200));
        }
        samples.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    assert_eq!(sensor.stop(), Some(0));
    samples.sort_by(f64::total_cmp);
    samples
}
