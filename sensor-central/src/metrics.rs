//! What the service tells of itself. No name of a host, sensor or tenant is in it.

use std::sync::atomic::AtomicU64;

use exposition::Form;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

/// Every metric.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub requests: Family<Request, Counter>,
    pub items: Family<Item, Counter>,
    pub body_bytes: Counter,
    pub decoded_bytes: Counter,
    pub in_flight: Gauge,
    pub commit_seconds: Histogram,
    pub commit_requests: Histogram,
    pub commit_failures: Counter,
    pub expired: Family<Expired, Counter>,
    pub database_bytes: Gauge<u64, AtomicU64>,
    pub logins: Family<Login, Counter>,
}

/// A log-in at the web pages, by what became of it: `succeeded`, `failed` or `limited`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Login {
    pub outcome: &'static str,
}

/// A request, by where it went and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    pub endpoint: String,
    pub status: u16,
}

/// An item of a batch, by what became of it: `stored`, `duplicate` or `rejected`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Item {
    pub kind: &'static str,
    pub outcome: &'static str,
}

/// Something removed by retention: `rows`, `alerts` or `batches`, by `age` or `size`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Expired {
    pub what: &'static str,
    pub cause: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("central"),
            requests: Family::default(),
            items: Family::default(),
            body_bytes: Counter::default(),
            decoded_bytes: Counter::default(),
            in_flight: Gauge::default(),
            commit_seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            commit_requests: Histogram::new(exponential_buckets(1.0, 2.0, 8)),
            commit_failures: Counter::default(),
            expired: Family::default(),
            database_bytes: Gauge::default(),
            logins: Family::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("build", "The version that runs", Info::new([("version", crate::VERSION)]));
        registry.register("requests", "Requests answered", metrics.requests.clone());
        registry.register("items", "Alerts and rows, by what became of them", metrics.items.clone());
        registry.register_with_unit("body", "Size of bodies as sent", Unit::Bytes, metrics.body_bytes.clone());
        let decoded = metrics.decoded_bytes.clone();
        registry.register_with_unit("decoded_body", "Size of bodies after decompression", Unit::Bytes, decoded);
        registry.register("bodies_in_flight", "Bodies held in memory", metrics.in_flight.clone());
        let seconds = metrics.commit_seconds.clone();
        registry.register_with_unit("commit", "Time to make a group of requests durable", Unit::Seconds, seconds);
        registry.register("commit_requests", "Requests made durable together", metrics.commit_requests.clone());
        registry.register("commit_failures", "Commits that failed", metrics.commit_failures.clone());
        registry.register("expired", "Removed because of age or size", metrics.expired.clone());
        registry.register_with_unit("database", "Size of the database", Unit::Bytes, metrics.database_bytes.clone());
        registry.register("logins", "Log-ins at the web pages, by what became of them", metrics.logins.clone());
        metrics
    }
}

impl Metrics {
    /// All of them as text.
    #[must_use]
    pub fn text(&self, form: Form) -> String {
        form.write(&self.registry)
    }

    /// Counts a request.
    pub fn request(&self, endpoint: &str, status: u16) {
        self.requests.get_or_create(&Request { endpoint: endpoint.to_owned(), status }).inc();
    }

    /// Counts a log-in at the web pages.
    pub fn login(&self, outcome: &'static str) {
        self.logins.get_or_create(&Login { outcome }).inc();
    }

    /// Counts items of a batch.
    pub fn items(&self, kind: &'static str, outcome: &'static str, count: usize) {
        self.items.get_or_create(&Item { kind, outcome }).inc_by(count as u64);
    }

    /// Counts what retention removed.
    pub fn expired(&self, what: &'static str, cause: &'static str, count: usize) {
        self.expired.get_or_create(&Expired { what, cause }).inc_by(count as u64);
    }
}
