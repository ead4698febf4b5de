//! What a service counts of itself, for Prometheus, and how it is.

mod serve;

use std::sync::{Mutex, PoisonError, atomic::AtomicI64};

use exposition::Form;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

pub use serve::serve;

use crate::item::Stream;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "they are the words of the label")]
enum Outcome {
    handed_over,
    known,
    dead_letter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Items {
    output: String,
    stream: &'static str,
    outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOutput {
    output: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStream {
    stream: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Place {
    output: String,
    tenant: String,
    stream: &'static str,
}

/// All that is counted.
pub struct Metrics {
    registry: Mutex<Registry>,
    items: Family<Items, Counter>,
    failures: Family<OfOutput, Counter>,
    lost: Family<OfOutput, Counter>,
    gaps: Family<OfOutput, Counter>,
    faults: Family<OfStream, Counter>,
    complete: Family<Place, Gauge<i64, AtomicI64>>,
    tenants: Gauge<i64, AtomicI64>,
    /// What keeps items from where they should go.
    troubles: Mutex<Vec<String>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("sensor_siem");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version that runs", build);
        let items = Family::default();
        registry.register(
            "items",
            "Items that were read for an output: handed over, known since they were handed over before, or set aside",
            items.clone(),
        );
        let failures = Family::default();
        registry.register("output_failures", "Rounds in which an output could not be written", failures.clone());
        let lost = Family::default();
        registry.register(
            "lost_messages",
            "Messages that went out and that one of their receivers is known not to have: it was too slow, or left",
            lost.clone(),
        );
        let gaps = Family::default();
        registry.register("gaps", "Times between two readings that Central did not keep", gaps.clone());
        let faults = Family::default();
        registry.register("stream_faults", "Streams of tenants that could not be read to their end", faults.clone());
        let complete = Family::default();
        registry.register(
            "complete_timestamp_seconds",
            "When a stream had been handed over to its end the last time, by Central's clock",
            complete.clone(),
        );
        let tenants = Gauge::default();
        registry.register("tenants", "Tenants that are read", tenants.clone());
        let troubles = Mutex::default();
        Self { registry: Mutex::new(registry), items, failures, lost, gaps, faults, complete, tenants, troubles }
    }
}

impl Metrics {
    /// Items of a page: handed over, known, set aside.
    pub(crate) fn handed(&self, output: &str, stream: Stream, [new, known, aside]: [u64; 3]) {
        for (outcome, count) in [(Outcome::handed_over, new), (Outcome::known, known), (Outcome::dead_letter, aside)] {
            let items = Items { output: output.to_owned(), stream: stream.word(), outcome };
            self.items.get_or_create(&items).inc_by(count);
        }
    }

    pub(crate) fn failed(&self, output: &str) {
        self.failures.get_or_create(&OfOutput { output: output.to_owned() }).inc();
    }

    pub(crate) fn lost(&self, output: &str, count: u64) {
        self.lost.get_or_create(&OfOutput { output: output.to_owned() }).inc_by(count);
    }

    pub(crate) fn gap(&self, output: &str) {
        self.gaps.get_or_create(&OfOutput { output: output.to_owned() }).inc();
    }

    pub(crate) fn fault(&self, stream: Stream) {
        self.faults.get_or_create(&OfStream { stream: stream.word() }).inc();
    }

    pub(crate) fn reached(&self, output: &str, tenant: &str, stream: Stream, complete: Option<i64>) {
        let Some(complete) = complete else { return };
        let place = Place { output: output.to_owned(), tenant: tenant.to_owned(), stream: stream.word() };
        self.complete.get_or_create(&place).set(complete);
    }

    pub(crate) fn tenants(&self, count: usize) {
        self.tenants.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// What keeps items from where they should go, as of now.
    pub(crate) fn set_troubles(&self, troubles: Vec<String>) {
        *self.troubles.lock().unwrap_or_else(PoisonError::into_inner) = troubles;
    }

    pub(crate) fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All of it, in the form that whoever asks understands.
    #[must_use]
    pub fn write(&self, form: Form) -> String {
        form.write(&self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
