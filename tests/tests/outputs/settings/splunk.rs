//! Splunk's collector.

use sensor_tests::until;

use super::super::collector::{Came, Collector};
use super::{Effect, Place, alert, requests, status};

pub(super) const OUTPUT: &[Effect] = &[
    ("url", it_goes_to_the_collector),
    ("token", the_token_is_sent),
    ("token_file", the_token_of_a_file_is_sent),
    ("index", where_it_is_kept_goes_along),
    ("sourcetype", where_it_is_kept_goes_along),
    ("source", where_it_is_kept_goes_along),
    ("ack", an_alert_waits_until_it_is_indexed),
    ("gzip", requests_are_compressed),
    ("batch_size", alerts_go_together),
    ("batch_delay", alerts_go_together),
    ("timeout", a_reply_is_waited_for_so_long),
    ("retry_min", tries_are_repeated_after_so_long),
    ("retry_max", tries_are_repeated_after_so_long),
    ("ca_file", over_tls_both_are_known),
    ("cert_file", over_tls_both_are_known),
    ("key_file", over_tls_both_are_known),
];

/// The first request of an output with these settings.
fn first(more: &str) -> Came {
    requests::first("splunk_hec", more).0
}

#[test]
fn it_goes_to_the_collector() {
    assert_eq!(first("token: t").path, "/services/collector/event");
}

#[test]
fn the_token_is_sent() {
    assert_eq!(first("token: given").header("authorization"), "Splunk given");
}

#[test]
fn the_token_of_a_file_is_sent() {
    assert_eq!(first("token_file: \"@HERE@/secret\"").header("authorization"), "Splunk of-a-file");
}

#[test]
fn where_it_is_kept_goes_along() {
    let event = first("token: t, index: i, sourcetype: st, source: s").values().remove(0);
    assert_eq!((&event["index"], &event["sourcetype"], &event["source"]), (&"i".into(), &"st".into(), &"s".into()));
    let event = first("token: t").values().remove(0);
    assert!(["index", "sourcetype", "source"].iter().all(|key| event[key].is_null()), "{event}");
}

#[test]
fn an_alert_waits_until_it_is_indexed() {
    for ack in [true, false] {
        let (place, collector) = (Place::new(), Collector::start());
        collector.index(false);
        let settings = format!("token: t, batch_delay: 1ms, ack: {ack}");
        let outputs = place.outputs(&format!("{{type: splunk_hec, url: '{}', {settings}}}", collector.url()));
        outputs.send(alert());
        until("the event", || (!collector.came().is_empty()).then_some(()));
        if ack {
            assert_eq!(status(&outputs).confirmed, Some(0));
            collector.index(true);
        }
        until("it to be confirmed", || (status(&outputs).confirmed == Some(1)).then_some(()));
    }
}

#[test]
fn requests_are_compressed() {
    assert_eq!(first("token: t").header("content-encoding"), "gzip");
    assert_eq!(first("token: t, gzip: false").header("content-encoding"), "");
}

#[test]
fn alerts_go_together() {
    requests::batches("splunk_hec", |body| body.lines().count());
}

#[test]
fn a_reply_is_waited_for_so_long() {
    requests::timeout("splunk_hec");
}

#[test]
fn tries_are_repeated_after_so_long() {
    requests::retries("splunk_hec");
}

#[test]
fn over_tls_both_are_known() {
    requests::tls("splunk_hec");
}
