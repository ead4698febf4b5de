//! What the sensor costs a host that starts programs as fast as it can: the whole program on the running kernel.
//!
//! ```text
//! make bench                      prints one table
//! UPDATE_DOCS=1 make bench        and puts it into docs/performance.md
//! ```
//!
//! A storm starts and waits for a tiny static program, again and again. It runs without the sensor and with it in turn,
//! and what counts is the ratio of each pair: machines are noisy, and both halves of a pair meet the same noise. Every
//! exec is written as a JSON row to a file. Run it on an idle machine, as root.

mod latency;
mod measure;
mod report;

use std::process::ExitCode;

use measure::{Load, Rows, kernel_cost, measure};
use report::Report;

/// Pairs of runs per load; the medians count.
const PAIRS: usize = 5;

fn main() -> ExitCode {
    // cargo passes `--bench`; a filter is of no use here.
    let storm = |name, threads, rate, count| Load { name, threads, rate, count };
    let loads = [
        (storm("2 threads", 2, 0, 20_000), Rows::Every),
        (storm("1 thread", 1, 0, 20_000), Rows::Every),
        (storm("paced at 2,000/s", 2, 2000, 10_000), Rows::Every),
        (storm("2 threads, filtered out", 2, 0, 20_000), Rows::None),
    ];
    let mut report = Report::default();
    for (load, rows) in &loads {
        eprintln!("{} …", load.name);
        let outcome = measure(load, *rows, PAIRS);
        report.load(load, &outcome);
    }
    eprintln!("kernel programs …");
    report.kernel(&kernel_cost(&loads[0].0));
    eprintln!("alert latency …");
    report.latency(&latency::measure());
    let text = report.text();
    println!("{text}");
    match report::keep(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
