//! Statistics on the sensor's health, which go along with its greeting to Central if the configuration lets them.
//!
//! Whoever watches over the sensor publishes them; the greeting, which knows nothing of it, takes the newest. A process is one
//! sensor, so there is one place for them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

static NEWEST: Mutex<Vec<(String, f64)>> = Mutex::new(Vec::new());

/// Puts these in place of those before: names with labels, as in the metrics, and values.
pub fn publish(statistics: Vec<(String, f64)>) {
    *NEWEST.lock().unwrap_or_else(PoisonError::into_inner) = statistics;
}

/// The newest; none before the first were published.
pub(super) fn newest() -> BTreeMap<String, f64> {
    NEWEST.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}
