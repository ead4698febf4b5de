//! Receivers that are spoken to over HTTP, as an output's keys describe them.

use std::{path::PathBuf, time::Duration};

use delivery::{
    http::HttpSettings,
    receivers::{
        splunk::{Splunk, SplunkSettings},
        webhook::{WebhookSettings, headers},
    },
};
use diagnostic::Report;
use secrecy::SecretString;
use settings::{Node, Section, files};
use url::Url;

use super::tls;

/// Takes a collector.
pub(super) fn splunk(section: &Section<'_>, node: &Node, report: &mut Report) -> Option<SplunkSettings> {
    let token = token(section, node, report);
    let url: Url = section.get("url")?;
    let settings = SplunkSettings {
        http: http(section, &url, report)?,
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

/// Takes a webhook.
pub(super) fn webhook(section: &Section<'_>, report: &mut Report) -> Option<WebhookSettings> {
    let url: Url = section.get("url")?;
    Some(WebhookSettings {
        method: section.get("method")?,
        headers: headers::read(section, &url, report),
        http: http(section, &url, report)?,
        url,
    })
}

fn http(section: &Section<'_>, url: &Url, report: &mut Report) -> Option<HttpSettings> {
    Some(HttpSettings {
        agent: concat!("sensor-siem/", env!("CARGO_PKG_VERSION")),
        batch_size: usize::try_from(section.get::<u64>("batch_size")?).unwrap_or(usize::MAX),
        timeout: section.get("timeout")?,
        tls: tls::read(section, (url.scheme() != "https").then_some("http://"), report),
        // Pages come whole, and when they are tried again is not for the receiver to say.
        batch_delay: Duration::ZERO,
        retry_min: Duration::ZERO,
        retry_max: Duration::ZERO,
    })
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
