//! Splunk's HTTP Event Collector, and what events for it look like.

use std::{io::Write as _, sync::Arc};

use delivery::{
    receivers::splunk::{Splunk, SplunkSettings},
    tls::TlsSettings,
};
use diagnostic::Report;
use secrecy::SecretString;
use serde_json::json;
use settings::{Key, Kind, Variant};
use url::Url;

use super::{
    Elsewhere, Endpoint, Fault, Given, Opened, Target,
    keys::{BATCH_DELAY, CA_FILE, CERT_FILE, KEY_FILE, RETRY_MAX, RETRY_MIN, TIMEOUT},
    spooled, token,
};
use crate::{
    alert::Alert,
    output::{queued::QueuedAlert, settings::OutputSettings},
};

pub(super) const OUTPUT: Variant =
    Variant { name: "splunk_hec", keys: KEYS, doc: "Splunk's HTTP Event Collector." };

const KEYS: &[Key] = &[
    Key::new("url", Kind::Url(&["https", "http"]), "", "The collector, such as https://splunk.example:8088.")
        .required(),
    Key::new("token", Kind::Secret, "", "The collector's token.").instead_of("token_file"),
    Key::new("token_file", Kind::Path, "", "A file that holds the token and nothing else.").instead_of("token"),
    Key::new("index", Kind::Text, "", "The index. Without it, the token's own."),
    Key::new("sourcetype", Kind::Text, "", "The source type. Without it, the token's own."),
    Key::new("source", Kind::Text, "", "The source. Without it, the token's own."),
    Key::new("ack", Kind::Bool, "true", "Whether an alert counts as delivered only when it is indexed."),
    Key::new("gzip", Kind::Bool, "true", "Whether requests are compressed."),
    Key::new("batch_size", Kind::Count(1, 10_000), "100", "Alerts in one request at most."),
    BATCH_DELAY,
    TIMEOUT,
    RETRY_MIN,
    RETRY_MAX,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

pub(super) fn output(given: &Given<'_>, _: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    let section = &given.section;
    let url: Url = section.get("url")?;
    let http = given.requests(&url, report)?;
    if section.node("token").is_none() && section.node("token_file").is_none() {
        report
            .error(given.node.span.clone(), "an output of type `splunk_hec` needs a token")
            .label("neither `token` nor `token_file` here")
            .help("add `token_file:` and the path of a file that holds the token");
    }
    Some(Arc::new(SplunkSettings {
        url,
        http,
        token: token(section, report)?,
        index: section.get("index"),
        sourcetype: section.get("sourcetype"),
        source: section.get("source"),
        ack: section.bool("ack"),
        gzip: section.bool("gzip"),
    }))
}

impl Target for SplunkSettings {
    fn kind(&self) -> &'static str {
        OUTPUT.name
    }

    fn place(&self) -> String {
        Self::place(self)
    }

    fn tls(&self) -> Option<&TlsSettings> {
        Some(&self.http.tls)
    }

    fn fault(&self) -> Option<Fault> {
        Fault::of_tls(&self.http.tls).or_else(|| Fault::of_client(Splunk::new(self)))
    }

    fn is_spooled(&self) -> bool {
        true
    }

    fn endpoint(&self) -> Option<Endpoint<'_>> {
        Some(Endpoint::Url(&self.url))
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.token]
    }

    /// Makes an event of the text: as an object if it is JSON, else as text.
    fn close(&self, out: &mut Vec<u8>, start: usize, alert: &Alert) {
        let text = String::from_utf8_lossy(&out[start..]).trim_end_matches('\n').to_owned();
        out.truncate(start);
        let mut event = json!({
            // Milliseconds are what a collector keeps.
            "time": format!("{}.{:03}", alert.time() / 1_000_000_000, alert.time() / 1_000_000 % 1000),
            "host": alert.host.hostname,
        });
        for (key, value) in [("index", &self.index), ("sourcetype", &self.sourcetype), ("source", &self.source)] {
            if let Some(value) = value {
                event[key] = value.as_str().into();
            }
        }
        let mut fields = event.to_string();
        fields.pop();
        // The text as it is, if it is JSON: its numbers and the order of its keys stay.
        let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok();
        let text = if is_object { text } else { json!(text).to_string() };
        // Writing to memory does not fail.
        let _ = writeln!(out, "{fields},\"event\":{text}}}");
    }

    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        Ok(spooled(output, Splunk::new(self)?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use delivery::http::HttpSettings;

    use super::*;

    #[test]
    fn an_event_holds_json_or_text() {
        let alert = Alert::sample();
        let settings = SplunkSettings {
            url: "https://splunk.example:8088".parse().unwrap(),
            token: "t".into(),
            index: Some("main".into()),
            sourcetype: None,
            source: None,
            ack: true,
            gzip: true,
            http: HttpSettings {
                agent: "sensor",
                batch_size: 1,
                batch_delay: Duration::ZERO,
                timeout: Duration::ZERO,
                retry_min: Duration::ZERO,
                retry_max: Duration::ZERO,
                tls: TlsSettings::default(),
            },
        };
        let close = |text: &str| {
            let mut out = format!("before{text}\n").into_bytes();
            settings.close(&mut out, 6, &alert);
            serde_json::from_slice::<serde_json::Value>(out.strip_prefix(b"before").unwrap()).unwrap()
        };
        let event = close("{\"a\":1}");
        assert_eq!(event["event"]["a"], 1);
        assert_eq!((&event["time"], &event["index"]), (&"1700004001.500".into(), &"main".into()));
        assert_eq!(event["host"], "host.example.test");
        assert_eq!(close("Alert \"x\"")["event"], "Alert \"x\"");
    }
}
