//! The webhook.

use delivery::ledger::OutputStatus;
use sensor_tests::until;

use super::super::collector::{Came, Collector, Reply};
use super::{Effect, Place, alert, alert_of, requests, status};

pub(super) const OUTPUT: &[Effect] = &[
    ("url", it_goes_to_the_url),
    ("method", the_method_is_that_which_is_set),
    ("headers", headers_are_sent_as_they_are_set),
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
    requests::first("webhook", more).0
}

#[test]
fn it_goes_to_the_url() {
    let came = first("");
    assert_eq!((came.path.as_str(), came.query.as_str(), came.method.as_str()), ("/in", "a=b", "POST"));
    assert_eq!(came.header("content-type"), "application/json");
    for url in ["http://a..b/", "http://-a/", "http://h:0/", &format!("http://{}.example", "a".repeat(64))] {
        let told = Place::new().refused(&format!("{{type: webhook, url: '{url}'}}"));
        assert!(told.contains("main.yaml:"), "{told}");
    }
}

#[test]
fn the_method_is_that_which_is_set() {
    assert_eq!(first("method: PUT").method, "PUT");
}

#[test]
fn headers_are_sent_as_they_are_set() {
    let set = "headers: {Content-Type: application/cloudevents+json, User-Agent: probe/1, Accept: a/b, X-A: b, \
               Authorization: Basic YTpi, Cookie: c=d, Date: now, Range: bytes=0-1, Accept-Encoding: identity}";
    let came = first(set);
    for (name, value) in [
        ("content-type", "application/cloudevents+json"),
        ("user-agent", "probe/1"),
        ("accept", "a/b"),
        ("x-a", "b"),
        ("authorization", "Basic YTpi"),
        ("cookie", "c=d"),
        ("date", "now"),
        ("range", "bytes=0-1"),
        ("accept-encoding", "identity"),
    ] {
        let values: Vec<_> = came.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name}");
    }
    // Of a list too.
    assert_eq!(first("batch_size: 5, batch_delay: 1ms, headers: {content-type: a/b}").header("content-type"), "a/b");
    // What follows from the request cannot be set.
    for name in [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Content-Encoding",
        "Idempotency-Key",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Keep-Alive",
    ] {
        let told = Place::new().refused(&format!("{{type: webhook, url: 'http://h/', headers: {{{name}: '5'}}}}"));
        assert!(told.contains(&format!("the header `{name}` cannot be set")), "{told}");
    }
    for (headers, words) in [
        ("{X-A: b, x-a: c}", "given twice"),
        ("{'X A': b}", "is no name of a header"),
        ("{X-A: \"b\\nc\"}", "has characters that none can have"),
    ] {
        let told = Place::new().refused(&format!("{{type: webhook, url: 'http://h/', headers: {headers}}}"));
        assert!(told.contains(words), "{told}");
    }
    let told = Place::new().refused("{type: webhook, url: 'http://u:p@h/', headers: {Authorization: x}}");
    assert!(told.contains("cannot be set"), "{told}");
}

#[test]
fn alerts_go_together() {
    requests::batches("webhook", |body| serde_json::from_str::<Vec<serde_json::Value>>(body).expect("a list").len());
    let told = Place::new().plan(&super::outputs("{type: webhook, url: 'http://h/', batch_delay: 5s}")).1.to_string();
    assert!(told.contains("`batch_delay` has no effect on requests of one alert each"), "{told}");
}

#[test]
fn a_reply_is_waited_for_so_long() {
    requests::timeout("webhook");
}

#[test]
fn tries_are_repeated_after_so_long() {
    requests::retries("webhook");
}

#[test]
fn over_tls_both_are_known() {
    requests::tls("webhook");
}

/// What a receiver does not take for its size goes there shorter, and holds up nothing.
#[test]
fn an_alert_that_is_too_large_for_the_receiver_is_shortened() {
    for most in [200_000, 20_000, 5_000, 1_100] {
        let (place, collector) = (Place::new(), Collector::start());
        collector.behave(move |came| (came.body.len() > most).then(|| Reply::Say(413, &[], "too large".to_owned())));
        let outputs = place.outputs(&format!("{{type: webhook, url: '{}'}}", collector.url()));
        let large = alert_of(sensor_agent::policy::MessageType::Alert, 300_000);
        outputs.send(large.clone());
        outputs.send(alert_of(sensor_agent::policy::MessageType::Audit, 0));
        outputs.send(alert());
        let told = until("both to be confirmed", || {
            let is_over = |status: &OutputStatus| status.last_error.as_ref().is_some_and(|error| error.over);
            Some(status(&outputs)).filter(|status| status.queued == 0 && status.confirmed == Some(2) && is_over(status))
        });
        assert_eq!((told.sent, told.lost()), (2, 0), "{told:?}");
        assert!(told.last_error.is_some_and(|error| error.message.contains("413")));
        let came = collector.came();
        let taken = came.iter().filter(|came| came.body.len() <= most).map(|came| came.values().remove(0));
        assert!(taken.into_iter().any(|alert| alert["uuid"] == large.uuid.to_string()));
    }
}
