//! Central's alerts at receivers of a SIEM: all of them, each known by its id, through kills of the exporter.

#[path = "../outputs/authority.rs"]
mod authority;
#[path = "../outputs/collector.rs"]
#[expect(dead_code, reason = "what several tests share is not used whole by each")]
mod collector;
mod disk;
#[expect(dead_code, reason = "what several use is not used whole by each")]
mod fill;
mod http;
mod kafka;
mod kills;
mod local;
mod parquet;
mod partner;
mod people;
#[path = "../outputs/python.rs"]
mod python;
#[path = "../outputs/receiver.rs"]
mod receiver;
#[path = "../outputs/rsyslog.rs"]
mod rsyslog;
mod syslog;
#[path = "../outputs/syslog_ng.rs"]
mod syslog_ng;
mod tenants;
mod zeromq;
#[path = "../outputs/zeromq_peer.rs"]
mod zeromq_peer;

use std::collections::BTreeMap;

use sensor_tests::Said;
use serde_json::Value;

#[track_caller]
fn fine(said: &Said) {
    assert_eq!(said.code, Some(0), "{}", said.stderr);
}

/// How often each id came, of items.
fn counted<'a>(items: impl IntoIterator<Item = &'a Value>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item["id"].as_str().expect("an id").to_owned()).or_default() += 1;
    }
    counts
}
