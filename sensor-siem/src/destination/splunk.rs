//! What events for Splunk's HTTP Event Collector look like.

use std::io::Write as _;

use delivery::receivers::splunk::SplunkSettings;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::item::Item;

/// Appends an event: the line, as an object if it is JSON and as text if not, with the time of the item and the host that it
/// is about. Where an item has no such time or host, the collector says its own.
pub fn put(settings: &SplunkSettings, out: &mut Vec<u8>, item: &Item, line: &str) {
    let mut head = Map::new();
    if let Some(time) = item.timestamp() {
        // Milliseconds are what a collector keeps.
        let time = time.as_millisecond();
        head.insert("time".into(), format!("{}.{:03}", time.div_euclid(1000), time.rem_euclid(1000)).into());
    }
    let texts = [
        ("host", item.host()),
        ("index", settings.index.as_deref()),
        ("sourcetype", settings.sourcetype.as_deref()),
        ("source", settings.source.as_deref()),
    ];
    head.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    let mut head = Value::from(head).to_string();
    head.pop();
    let comma = if head.len() > 1 { "," } else { "" };
    // As it is: the digits of its numbers and the order of its members stay.
    let is_object = line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
    // Writing to memory does not fail.
    let _ = if is_object {
        write!(out, "{head}{comma}\"event\":{line}}}")
    } else {
        write!(out, "{head}{comma}\"event\":{}}}", json!(line))
    };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use delivery::{http::HttpSettings, tls::TlsSettings};

    use super::*;

    fn of(item: &str, line: &str, index: Option<&str>) -> String {
        let settings = SplunkSettings {
            url: "https://splunk.example:8088".parse().unwrap(),
            token: "t".into(),
            index: index.map(str::to_owned),
            sourcetype: None,
            source: None,
            ack: true,
            gzip: true,
            http: HttpSettings {
                agent: concat!("sensor-siem/", env!("CARGO_PKG_VERSION")),
                batch_size: 1,
                batch_delay: Duration::ZERO,
                timeout: Duration::ZERO,
                retry_min: Duration::ZERO,
                retry_max: Duration::ZERO,
                tls: TlsSettings::default(),
            },
        };
        let mut out = b"before".to_vec();
        put(&settings, &mut out, &Item::new(serde_json::from_str(item).unwrap()), line);
        String::from_utf8(out).unwrap()["before".len()..].to_owned()
    }

    #[test]
    fn an_event_has_the_line_the_time_and_the_host_of_the_item() {
        let item = r#"{"created_at": "2026-11-29T08:00:00.250Z", "location": "host-a"}"#;
        assert_eq!(
            of(item, r#"{"b": 1e5, "a": 1.50}"#, Some("main")),
            r#"{"host":"host-a","index":"main","time":"1795939200.250","event":{"b": 1e5, "a": 1.50}}"#
        );
        assert_eq!(of("{}", "CEF:0|\"", None), r#"{"event":"CEF:0|\""}"#);
        // As Python writes a number that is too large: no JSON.
        assert_eq!(of(r#"{"created_at": "today"}"#, "{\"a\": Infinity}", None), r#"{"event":"{\"a\": Infinity}"}"#);
        assert!(of(r#"{"created_at": "1969-12-31T23:59:59.5Z"}"#, "{}", None).contains(r#""-1.500""#));
    }
}
