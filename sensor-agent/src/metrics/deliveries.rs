//! Of outputs and sinks.

use std::collections::BTreeSet;
use std::iter::repeat;

use delivery::cause::{Cause, on_disk};
use delivery::latency::{BOUNDS, LatencyStatus};

use super::{Family, Kind, Sample, counter, gauge, sample};
use crate::control::Status;
use crate::control::status::Delivery;

pub(super) fn deliveries(status: &Status) -> Vec<Family> {
    let with = |value: fn(&Delivery) -> Option<u64>| -> Vec<Sample> {
        all_deliveries(status).filter_map(|(role, to)| Some(sample(of_delivery(role, to), value(to)?))).collect()
    };
    vec![
        counter(
            "delivery_sent",
            "Alerts or rows handed over; of a receiver that confirms, those it has answered for.",
            with(|to| Some(to.sent)),
        ),
        counter(
            "delivery_confirmed",
            "Of those sent, the ones that the receiver has confirmed; only of receivers that confirm.",
            with(|to| to.confirmed),
        ),
        counter(
            "delivery_turned_away",
            "Receivers that connected and cannot be served: another protocol, version or security.",
            with(|to| (to.kind == "zeromq").then_some(to.turned_away)),
        ),
        counter("delivery_retries", "Attempts made again.", with(|to| Some(to.retried))),
        counter(
            "delivery_template_failures",
            "Alerts sent in the output's format because its template could not be filled.",
            with(|to| Some(to.template_failed)),
        ),
        counter("delivery_dropped", "Alerts or rows given up, by cause.", dropped(status)),
        gauge("delivery_queued", "Alerts or rows that wait.", with(|to| Some(to.queued))),
        gauge("delivery_failing", "Whether the last attempt failed.", with(|to| Some(u64::from(to.failing)))),
        gauge(
            "delivery_oldest_age_seconds",
            "Age of the oldest that waits.",
            with(|to| Some(to.oldest_age_seconds.unwrap_or(0))),
        ),
        Family {
            name: "delivery_latency_seconds",
            help: "From what an alert tells of until it was written, sent, or, of outputs that keep on disk what is not confirmed, safe there.",
            kind: Kind::Histogram,
            samples: status.outputs.iter().map(|to| latency(of_delivery("output", to), &to.latency)).collect(),
        },
    ]
}

/// Every cause that there can be, so that each counter is there before it first counts.
fn dropped(status: &Status) -> Vec<Sample> {
    let causes = |to: &Delivery| -> BTreeSet<String> {
        let on_disk = on_disk().filter(|_| to.spool.is_some());
        let possible = Cause::ALL.map(Cause::word).into_iter().chain(on_disk).map(str::to_owned);
        possible.chain(to.dropped_by_cause.keys().cloned()).collect()
    };
    let of = |(role, to)| {
        causes(to).into_iter().map(move |cause| {
            let count = to.dropped_by_cause.get(&cause).copied().unwrap_or(0);
            let [role, name, kind] = of_delivery(role, to);
            sample([role, name, kind, ("cause", cause)], count)
        })
    };
    all_deliveries(status).flat_map(of).collect()
}

/// Outputs and sinks, with the word for which of the two.
fn all_deliveries(status: &Status) -> impl Iterator<Item = (&'static str, &Delivery)> {
    let outputs = status.outputs.iter().map(|to| ("output", to));
    outputs.chain(status.sinks.iter().map(|to| ("sink", to)))
}

fn of_delivery(role: &str, to: &Delivery) -> [(&'static str, String); 3] {
    [("role", role.to_owned()), ("name", to.name.clone()), ("kind", to.kind.clone())]
}

/// All counts are there from the beginning.
fn latency(labels: [(&'static str, String); 3], latency: &LatencyStatus) -> Sample {
    let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e3).chain([f64::INFINITY]);
    let counts = latency.counts.iter().copied().chain(repeat(0));
    let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
    Sample { labels: labels.into(), value: latency.micros as f64 / 1e6, buckets }
}
