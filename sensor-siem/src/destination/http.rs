//! What receivers that are spoken to over HTTP have in common.

use std::time::Duration;

use delivery::{http::HttpSettings, remote::Setback};
use diagnostic::Report;
use settings::{Key, Kind, Section};
use url::Url;

use super::tls;

/// What receivers are told that sends.
pub(super) const AGENT: &str = concat!("sensor-siem/", env!("CARGO_PKG_VERSION"));

pub(super) const URL: Kind = Kind::Url(&["https", "http"]);
pub(super) const BATCH: Kind = Kind::Count(1, 10_000);
pub(super) const TIMEOUT: Key = Key::new("timeout", Kind::Duration(100), "10s", "How long a request may take.");

/// How its address is spoken to.
pub(super) fn settings(section: &Section<'_>, url: &Url, report: &mut Report) -> Option<HttpSettings> {
    Some(HttpSettings {
        agent: AGENT,
        batch_size: usize::try_from(section.get::<u64>("batch_size")?).unwrap_or(usize::MAX),
        timeout: section.get("timeout")?,
        tls: tls::read(section, (url.scheme() != "https").then_some("http://"), report),
        // Pages come whole, and when they are tried again is not for the receiver to say.
        batch_delay: Duration::ZERO,
        retry_min: Duration::ZERO,
        retry_max: Duration::ZERO,
    })
}

/// Whether it could be reached, as a command tells it.
pub(super) fn reached(client: std::io::Result<Result<(), Setback>>) -> Result<(), String> {
    client.map_err(|error| error.to_string())?.map_err(|setback| setback.reason)
}
