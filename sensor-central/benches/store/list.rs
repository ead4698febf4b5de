//! The first page of the list, filters and counts over many alerts.

use std::time::Instant;

use sensor_central::store::{Place, Sought, StoreError};

use crate::{
    alerts::{Filled, TENANT, settle},
    at,
};

/// How often each is asked.
const TIMES: usize = 41;
/// Detections on a page of the list.
const PAGE: usize = 50;
const END: Place = Place { raised: i64::MAX, row: 0 };

pub(crate) fn measure(count: usize, json_bytes: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let mut filled = Filled::open();
    let begin = Instant::now();
    runtime.block_on(filled.take_in(count, json_bytes));
    let took = begin.elapsed().as_secs_f64();
    settle(&filled.database());
    let reader = filled.store.reader();
    let bytes = reader.bytes().expect("a size");
    println!(
        "\n{count} alerts with JSON of {json_bytes} bytes, taken in at {:.0}/s, {:.1} GB:\n",
        count as f64 / took,
        bytes as f64 / 1e9
    );
    let newest = reader.newest_place(TENANT).expect("an answer");
    let oldest = reader.alerts_after(TENANT, Place { raised: 0, row: 0 }, 1).expect("an answer").remove(0).place.raised;
    let last = reader.listing(TENANT, &Sought::default(), newest, 1).expect("an answer").found.remove(0);
    let first = reader
        .listing_after(TENANT, &Sought::default(), Place { raised: 0, row: 0 }, 1)
        .expect("an answer")
        .0
        .remove(0);
    let text = |text: &str| Some(text.to_owned());
    let everything = Sought { from: Some(oldest), to: Some(newest.raised + 1), ..Sought::default() };
    let pages = [
        ("first page, everything", Sought::default()),
        ("first page of a host", Sought { host: text("host-77.example.com"), ..Sought::default() }),
        ("first page of a host that there is not", Sought { host: text("no"), ..Sought::default() }),
        ("first page of a user", Sought { user: text("user7"), ..Sought::default() }),
        ("first page of a policy", Sought { policy: text("Policy Number 7"), ..Sought::default() }),
        ("first page of a priority", Sought { severity: Some(8), ..Sought::default() }),
        ("first page of a container", Sought { container: text(&last.container), ..Sought::default() }),
        ("the oldest incident", Sought { incident: text(&first.incident), ..Sought::default() }),
        (
            "first page of a policy on a host",
            Sought { policy: text("Policy Number 7"), host: text("host-77.example.com"), ..Sought::default() },
        ),
        (
            "a word that no alert has, as far as a page looks",
            Sought { words: vec!["no such word".to_owned()], ..Sought::default() },
        ),
    ];
    println!("| | p50 ms | p95 ms |\n| --- | --- | --- |");
    for (name, sought) in pages {
        timed(name, || reader.listing(TENANT, &sought, END, PAGE).map(drop));
    }
    let counts = [
        ("counts by priority, all of the time", everything.clone()),
        ("counts of a host", Sought { host: text("host-77.example.com"), ..everything.clone() }),
        ("counts of a policy", Sought { policy: text("Policy Number 7"), ..everything }),
    ];
    for (name, sought) in counts {
        timed(name, || reader.counts(TENANT, &sought, 48).map(drop));
    }
    runtime.block_on(filled.store.close(filled.writer));
}

fn timed(name: &str, ask: impl Fn() -> Result<(), StoreError>) {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let begin = Instant::now();
            ask().expect("an answer");
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("| {name} | {:.1} | {:.1} |", at(&times, 0.5), at(&times, 0.95));
}
