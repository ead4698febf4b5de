//! Parquet files, as an output's keys describe them.

use std::{path::PathBuf, time::Duration};

use delivery::{http::HttpSettings, receivers::s3::keys as s3};
use diagnostic::Report;
use settings::{Node, Section};

use super::{keys::parquet::PARQUET, tls};
use crate::destination::parquet::ParquetOutput;

/// Keys that say how a line is made.
const OF_LINES: [&str; 3] = ["format", "compat", "fqdn"];

/// Takes the folder or the bucket.
pub(super) fn read(section: &Section<'_>, node: &Node, report: &mut Report) -> Option<ParquetOutput> {
    for (name, span) in OF_LINES.iter().filter_map(|name| Some((name, section.span(name)?))) {
        report
            .error(span, format!("`{name}` has no effect on an output of type `parquet`"))
            .help("a row holds the item as Central tells it; take this out");
    }
    match (section.get::<PathBuf>("path"), section.get::<String>("bucket")) {
        (Some(_), Some(_)) => {
            report
                .error(section.span("bucket"), "`path` and `bucket` exclude each other")
                .help("two outputs write to a folder and to a store");
            None
        }
        (Some(folder), None) => {
            s3::without_bucket(section, PARQUET.iter().filter(|key| key.name != "path"), report);
            Some(ParquetOutput::Folder(folder))
        }
        (None, Some(bucket)) => {
            let http = |endpoint: &url::Url, report: &mut Report| {
                Some(HttpSettings {
                    agent: concat!("sensor-siem/", env!("CARGO_PKG_VERSION")),
                    batch_size: 1,
                    timeout: section.get("timeout")?,
                    tls: tls::read(section, (endpoint.scheme() != "https").then_some("http://"), report),
                    // When a page is tried again is not for the store to say.
                    batch_delay: Duration::ZERO,
                    retry_min: Duration::ZERO,
                    retry_max: Duration::ZERO,
                })
            };
            let settings = s3::read(section, bucket, report, http)?;
            if let Err(reason) = settings.check() {
                report.error(section.span("bucket"), reason).label("cannot be reached as this says");
            }
            Some(ParquetOutput::Store(Box::new(settings)))
        }
        (None, None) => {
            report
                .error(node.span.clone(), "an output of type `parquet` needs a place")
                .label("neither `path` nor `bucket` here")
                .help("add `path:` and a folder, such as /var/lib/sensor-siem/lake");
            None
        }
    }
}
