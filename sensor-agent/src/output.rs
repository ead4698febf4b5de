//! Where alerts and table rows go.
//!
//! ```text
//! alert ─▶ Dispatcher ─┬─▶ queue ─▶ thread: render, write ─▶ stdout
//!                      └─▶ queue ─▶ thread: render, write ─▶ file
//! rows ──▶ Sinks ───────── the same, with rows in place of alerts
//! ```
//!
//! Each output has a bounded queue and a thread of its own, so one that is slow, dead or caught in a template delays no
//! other and never the engine: handing over never waits. What does not fit is counted by cause. Texts are made on the
//! output's thread.
//!
//! A further kind of output is a file in this folder that implements [`queue::Deliver`], its settings in
//! [`settings::TargetSettings`], and a line in `settings::open_alerts` or `settings::open_rows`.

mod alerts;
mod dispatcher;
mod envelope;
mod file;
mod group;
mod http;
mod lane;
mod lines;
mod metrics;
mod parquet;
mod queue;
mod remote;
mod render;
mod rotate;
mod rows;
mod settings;
mod splunk;
mod spooled;
mod stdout;
mod syslog;
#[cfg(test)]
mod tests;
mod tls;
mod webhook;
mod zeromq;

pub use self::{
    alerts::{Outcome, Receipt},
    dispatcher::{Dispatcher, Watch},
    http::HttpSettings,
    metrics::{Cause, LastError, OutputStatus, SpoolStatus},
    parquet::{ParquetSettings, StoreSettings},
    rows::{RowBatch, Sinks},
    settings::{FileSettings, Format, OpenError, OutputSettings, SinkSettings, StdoutSettings, TargetSettings},
    splunk::SplunkSettings,
    spooled::{CentralSettings, SpoolSettings, tell_of_left_spools},
    syslog::SyslogSettings,
    webhook::WebhookSettings,
    zeromq::{Topics, ZeromqSettings},
};
