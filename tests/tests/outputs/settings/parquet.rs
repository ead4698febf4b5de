//! Parquet files, and the store that they are moved to: here one that takes whatever it is sent. One that checks
//! signatures is in [`super::super::s3`].

use std::fs;
use std::path::Path;

use sensor_tests::until;

use super::super::collector::{Came, Collector};
use super::super::s3;
use super::{Effect, Place, requests, rows};

pub(super) const SINK: &[Effect] = &[
    ("roll_interval", a_file_is_there_after_so_long),
    ("bucket", files_go_to_the_bucket),
    ("prefix", keys_begin_with_the_prefix),
    ("endpoint", files_go_to_the_bucket),
    ("region", requests_are_signed_for_the_region),
    ("path_style", the_bucket_is_in_the_path_or_in_the_name),
    ("access_key_id", requests_are_signed_by_the_key),
    ("secret_access_key", s3::rows_reach_a_store_that_was_dead_and_had_other_credentials),
    ("secret_access_key_file", the_secret_of_a_file_signs_as_one_that_is_given),
    ("timeout", a_reply_is_waited_for_so_long),
    ("retry_min", tries_are_repeated_after_so_long),
    ("retry_max", tries_are_repeated_after_so_long),
    ("ca_file", over_tls_both_are_known),
    ("cert_file", over_tls_both_are_known),
    ("key_file", over_tls_both_are_known),
];

fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path()),
            _ => usize::from(entry.path().extension().is_some_and(|end| end == "parquet")),
        })
        .sum()
}

#[test]
fn a_file_is_there_after_so_long() {
    for (interval, comes) in [("100ms", true), ("1h", false)] {
        let place = Place::new();
        let sinks = place.sinks(&format!("{{backend: parquet, name: '@HERE@/lake', roll_interval: {interval}}}"));
        sinks.send(rows(3));
        if comes {
            until("a file", || (files(&place.path("lake")) == 1).then_some(()));
            // Here, on this host: nobody confirms.
            let told = until("it to be counted", || Some(sinks.status().remove(0)).filter(|status| status.sent == 3));
            assert_eq!(told.confirmed, None);
        } else {
            until("the rows to be gathered", || (sinks.status()[0].queued == 0).then_some(()));
            assert_eq!(files(&place.path("lake")), 0);
        }
    }
}

/// The first request to a store.
fn first(more: &str) -> Came {
    requests::first("parquet", more).0
}

#[test]
fn files_go_to_the_bucket() {
    let (came, place) = requests::first("parquet", "timeout: 5s");
    // It is deleted once it is there.
    assert_eq!(files(&place.path("lake")), 0);
    assert_eq!(came.method, "PUT");
    assert!(came.path.starts_with("/buck/process_events/date%3D2023-11-14/"), "{}", came.path);
    assert!(came.body.starts_with(b"PAR1"));
    // Without a bucket nothing of a store has an effect.
    for key in ["prefix: a", "region: b", "timeout: 5s", "retry_min: 1s", "endpoint: 'http://127.0.0.1'", "ca_file: /a"]
    {
        let (_, report) = Place::new().plan(&super::sinks(&format!("{{backend: parquet, name: '@HERE@/l', {key}}}")));
        assert!(report.to_string().contains("is given and `bucket` is not"), "{key}: {report}");
    }
}

#[test]
fn keys_begin_with_the_prefix() {
    assert!(first("prefix: a/b").path.starts_with("/buck/a/b/process_events/"));
}

#[test]
fn requests_are_signed_for_the_region() {
    assert!(first("region: eu-x-1").query.contains("eu-x-1%2Fs3"));
    assert!(first("timeout: 5s").query.contains("us-east-1%2Fs3"));
}

#[test]
fn the_bucket_is_in_the_path_or_in_the_name() {
    let (place, collector) = (Place::new(), Collector::start());
    // A name below localhost is this host's (RFC 6761), or it cannot be looked up: either way it is asked for.
    let endpoint = collector.url().replace("127.0.0.1", "localhost");
    let sinks =
        place.sinks(&requests::entry("parquet", &collector, &format!("path_style: false, endpoint: '{endpoint}'")));
    sinks.send(rows(1));
    until("the name to be used", || {
        let named =
            |came: &Came| came.header("host").starts_with("buck.localhost") && came.path.starts_with("/process");
        let told = sinks.status()[0].last_error.clone().is_some_and(|error| error.message.contains("buck.localhost"));
        (told || collector.came().iter().any(named)).then_some(())
    });
    assert!(first("path_style: true").path.starts_with("/buck/"));
}

#[test]
fn requests_are_signed_by_the_key() {
    assert!(first("access_key_id: OTHER, secret_access_key: s").query.contains("Credential=OTHER%2F"));
}

/// The signature is another with another secret, which [`s3`] holds against a store; here, that the file is read.
#[test]
fn the_secret_of_a_file_signs_as_one_that_is_given() {
    assert!(first("access_key_id: A, secret_access_key_file: '@HERE@/secret'").query.contains("X-Amz-Signature="));
    let missing = "access_key_id: A, secret_access_key_file: '@HERE@/missing'";
    let told = Place::new().told(&requests::entry("parquet", &Collector::start(), missing));
    assert!(told.contains("cannot be read"), "{told}");
}

#[test]
fn a_reply_is_waited_for_so_long() {
    requests::timeout("parquet");
}

#[test]
fn tries_are_repeated_after_so_long() {
    requests::retries("parquet");
}

#[test]
fn over_tls_both_are_known() {
    requests::tls("parquet");
}
