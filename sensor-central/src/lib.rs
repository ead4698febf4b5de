//! Central, the receiving side: what a team runs that wants its sensors' alerts in a place of its own, and the real
//! peer that the sensor's delivery is tested against.
//!
//! ```text
//! sensors ──HTTPS──▶ ingest: auth ▶ body ▶ alerts, events, hello ──▶ store: one writer ──▶ central.db
//! clients ◀─HTTPS── api: access ▶ oauth, whoami, tenants, siem ◀────────── readers ◀──────────┤
//! people  ◀─HTTPS── web: login ▶ pages ◀───────────────────────────────────────────────────────┘
//! ```
//!
//! The one promise: what was answered with 2xx is on the disk, once.

pub mod api;
pub mod attack;
pub mod clients;
pub mod config;
pub mod detections;
pub mod dev;
pub mod event;
pub mod fault;
pub mod ids;
pub mod ingest;
pub mod metrics;
pub mod sensors;
pub mod server;
pub mod severity;
pub mod store;
pub mod tls;
mod told;
pub mod users;
pub mod web;

/// The version told to sensors and in the metrics.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Nanoseconds since the Unix epoch, now.
#[must_use]
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
