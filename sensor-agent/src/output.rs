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
//! A further kind of output is a file in [`local`] or [`network`] that implements [`local::lines::Lines`],
//! [`network::remote::Remote`] or [`lane::queue::Deliver`], its settings in [`settings::TargetSettings`], and a line in
//! [`open`].

mod alerts;
mod dispatcher;
mod envelope;
mod lane;
mod local;
mod metrics;
mod network;
mod open;
mod parquet;
mod render;
mod rows;
mod settings;
mod spooled;
#[cfg(test)]
mod tests;

pub use self::{
    alerts::{Outcome, Receipt},
    dispatcher::{Dispatcher, Watch},
    metrics::{Cause, LastError, OutputStatus, SpoolStatus},
    network::{
        http::HttpSettings,
        splunk::SplunkSettings,
        syslog::SyslogSettings,
        webhook::WebhookSettings,
        zeromq::{Topics, ZeromqSettings},
    },
    parquet::{ParquetSettings, StoreSettings},
    rows::{RowBatch, Sinks},
    settings::{
        FileSettings, Format, OpenError, OutputSettings, RowFormat, SinkSettings, StdoutSettings, TargetSettings,
    },
    spooled::{CentralSettings, SpoolSettings, tell_of_left_spools},
};
