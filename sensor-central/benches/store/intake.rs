//! CPU and rate of alerts that come in: with the entries that are made behind them, with an index for each column instead, as
//! it was before, and with neither.

use std::time::Instant;

use nix::time::{ClockId, clock_gettime};

use crate::{
    alerts::{Filled, settle},
    at,
};

/// Alerts in each database before the first round.
const BEFORE: usize = 200_000;
/// Alerts in a round.
const ROUND: usize = 50_000;
const ROUNDS: usize = 7;
const JSON_BYTES: usize = 1_500;

/// What version 8 of the database had.
const INDEXES: &str = "
    CREATE INDEX by_severity ON alerts (tenant, severity, raised);
    CREATE INDEX by_policy ON alerts (tenant, policy, raised);
    CREATE INDEX by_host ON alerts (tenant, host, raised);
    CREATE INDEX by_user ON alerts (tenant, user, raised) WHERE user <> '';
    CREATE INDEX by_container ON alerts (tenant, container, raised) WHERE container <> '';
    CREATE INDEX by_incident ON alerts (tenant, incident, raised) WHERE incident <> '';";

/// No alert is behind this one.
const NO_ENTRIES: &str = "UPDATE entries_to SET alert = 9223372036854775807;";

pub(crate) fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let ways = [
        ("neither", NO_ENTRIES.to_owned()),
        ("six indexes", format!("{NO_ENTRIES}{INDEXES}")),
        ("entries", String::new()),
    ];
    let mut stores: Vec<_> = ways
        .iter()
        .map(|(_, sql)| {
            let mut filled = Filled::open();
            filled.database().execute_batch(sql).expect("an index");
            runtime.block_on(filled.take_in(BEFORE, JSON_BYTES));
            (filled, Vec::new(), Vec::new())
        })
        .collect();
    for _ in 0..ROUNDS {
        for (filled, cpu, rate) in &mut stores {
            let database = filled.database();
            settle(&database);
            let (begin, cpu_before) = (Instant::now(), cpu_seconds());
            runtime.block_on(filled.take_in(ROUND, JSON_BYTES));
            rate.push(ROUND as f64 / begin.elapsed().as_secs_f64());
            settle(&database);
            cpu.push((cpu_seconds() - cpu_before) / ROUND as f64 * 1e6);
        }
    }
    println!(
        "| alerts are found by | CPU µs an alert: median (range) | confirmed alerts/s: median (range) |\n| --- | --- | --- |"
    );
    for ((name, _), (filled, mut cpu, mut rate)) in ways.iter().zip(stores) {
        cpu.sort_by(f64::total_cmp);
        rate.sort_by(f64::total_cmp);
        println!(
            "| {name} | {:.1} ({:.1} to {:.1}) | {:.0} ({:.0} to {:.0}) |",
            at(&cpu, 0.5),
            cpu[0],
            at(&cpu, 1.0),
            at(&rate, 0.5),
            rate[0],
            at(&rate, 1.0),
        );
        runtime.block_on(filled.store.close(filled.writer));
    }
}

/// Of this process: the writer, those who ask, and the making of alerts, which is the same in each way.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("a clock");
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}
