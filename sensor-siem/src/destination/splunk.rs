//! Splunk's HTTP Event Collector, and what events for it look like.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use delivery::{
    receivers::splunk::{Splunk, SplunkSettings},
    remote::Remote,
};
use diagnostic::Report;
use secrecy::SecretString;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use settings::{Key, Kind, Node, Section, Variant, files};
use url::Url;

use super::{
    Receiver,
    http::{self, BATCH, TIMEOUT, URL},
    tls::{CA_FILE, CERT_FILE, KEY_FILE},
};
use crate::item::{Item, Stream};

pub(super) const VARIANT: Variant = Variant {
    name: "splunk_hec",
    keys: KEYS,
    doc: "Splunk's HTTP Event Collector. Each line is an event, as an object if `format` is `json`, with the time of \
     the item and the host that it is about. A page counts as handed over once the collector says that all of \
     it is indexed; what it does not say of within a minute is sent again. An event that it refuses goes to \
     `dead_letters`.",
};

const KEYS: &[Key] = &[
    Key::new("url", URL, "", "The collector, such as https://splunk.example:8088.").required(),
    Key::new("token", Kind::Secret, "", "The collector's token.").instead_of("token_file"),
    Key::new("token_file", Kind::Path, "", "A file that holds the token and nothing else.").instead_of("token"),
    Key::new("index", Kind::Text, "", "The index. Without it, the token's own."),
    Key::new("sourcetype", Kind::Text, "", "The source type. Without it, the token's own."),
    Key::new("source", Kind::Text, "", "The source. Without it, the token's own."),
    Key::new("ack", Kind::Bool, "true", "Whether an item counts as handed over only when it is indexed."),
    Key::new("gzip", Kind::Bool, "true", "Whether requests are compressed."),
    // A page: one acknowledgement to wait for.
    Key::new("batch_size", BATCH, "1000", "Items in one request at most."),
    TIMEOUT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

/// Takes a collector.
pub(super) fn read(section: &Section<'_>, node: &Node, report: &mut Report) -> Option<SplunkSettings> {
    let token = token(section, node, report);
    let url: Url = section.get("url")?;
    let settings = SplunkSettings {
        http: http::settings(section, &url, report)?,
        url,
        token: token?,
        index: section.get("index"),
        sourcetype: section.get("sourcetype"),
        source: section.get("source"),
        ack: section.bool("ack"),
        gzip: section.bool("gzip"),
    };
    if let Err(error) = Splunk::new(&settings) {
        let place = section.span("token").or_else(|| section.span("token_file"));
        report.error(place, error.to_string()).help("write the token as Splunk shows it, and nothing else");
    }
    Some(settings)
}

fn token(section: &Section<'_>, node: &Node, report: &mut Report) -> Option<SecretString> {
    let path = section.get::<PathBuf>("token_file");
    if section.node("token").is_none() && section.node("token_file").is_none() {
        report
            .error(node.span.clone(), "an output of type `splunk_hec` needs a token")
            .label("neither `token` nor `token_file` here")
            .help("add `token_file:` and the path of a file that holds the token");
    }
    section.secret("token").or_else(|| files::secret(&path?, section.span("token_file"), report))
}

impl Receiver for SplunkSettings {
    fn place(&self) -> String {
        Self::place(self)
    }

    fn remote(&self) -> io::Result<Box<dyn Remote>> {
        Ok(Box::new(Splunk::new(self)?))
    }

    fn reach(&self) -> Result<(), String> {
        http::reached(Splunk::new(self).map(|mut client| client.reach()))
    }

    fn known(&self) -> Option<&'static str> {
        (!self.ack).then_some("taken by the collector, which may not have indexed it")
    }

    fn put(&self, out: &mut Vec<u8>, _: &str, _: Stream, item: &Item<'_>, line: &str) {
        put(self, out, item, line);
    }
}

/// Appends an event: the line, as an object if it is JSON and as text if not, with the time of the item and the host that it
/// is about. Where an item has no such time or host, the collector says its own.
fn put(settings: &SplunkSettings, out: &mut Vec<u8>, item: &Item<'_>, line: &str) {
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
