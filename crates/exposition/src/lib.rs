//! Metrics over HTTP, in the form that whoever asks understands.
//!
//! `prometheus-client` writes OpenMetrics 1.0 alone. Prometheus asks for that by name; most else (`curl`, agents of
//! other vendors, `promtool check metrics`) reads the older text format 0.0.4, where a counter's `# TYPE` bears the name
//! of its samples, there is neither `# UNIT` nor `# EOF`, and `info` is no type. Given OpenMetrics under that name, such
//! readers drop the type and the help of every counter.
//!
//! Sources: OpenMetrics 1.0.0, *Overall Structure*; Prometheus, *Exposition formats*, *Text-based format*; RFC 9110,
//! 12.5.1 (`Accept`).

mod accept;
mod text;

use prometheus_client::{encoding, registry::Registry};

/// A form in which metrics can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus, which all readers of metrics know.
    Text,
}

impl Form {
    /// What the header `Accept` of a request asks for: OpenMetrics where it is named and nothing is liked better, else
    /// the text format.
    #[must_use]
    pub fn asked_for(accept: Option<&str>) -> Self {
        accept::preferred(accept.unwrap_or_default())
    }

    /// The header `Content-Type` of the answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// All metrics of a registry.
    #[must_use]
    pub fn write(self, registry: &Registry) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = encoding::text::encode(&mut out, registry);
        match self {
            Self::OpenMetrics => out,
            Self::Text => text::from_open_metrics(&out),
        }
    }
}
