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
//! [`delivery::remote::Remote`] or [`lane::queue::Deliver`], its settings in [`settings::TargetSettings`], and a line in
//! [`open`].

mod alerts;
mod cause;
mod dispatcher;
mod envelope;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing {
    pub use super::network::zeromq::fuzzing::zmtp;
}
mod format;
mod lane;
mod left_spools;
mod local;
mod metrics;
mod network;
mod open;
mod open_error;
mod parquet;
mod queued;
mod render;
mod rows;
mod settings;
mod sinks;
mod spooled;
#[cfg(test)]
mod tests;

pub(crate) use self::network::zeromq::ENDPOINT as ZEROMQ_ENDPOINT;
pub use self::{
    cause::{Cause, on_disk},
    dispatcher::{Dispatcher, PreparedOutputs, Watch},
    format::{Format, RowFormat},
    left_spools::tell_of_left_spools,
    local::{file::FileSettings, stdout::StdoutSettings},
    metrics::{LastError, OutputStatus, SpoolStatus},
    network::zeromq::{Topics, ZeromqEncoding, ZeromqEndpoint, ZeromqPattern, ZeromqSettings},
    open_error::OpenError,
    parquet::{ParquetSettings, StoreSettings},
    queued::{Outcome, Receipt},
    rows::RowBatch,
    settings::{Fault, OutputSettings, SinkSettings, TargetSettings},
    sinks::{PreparedSinks, Sinks},
    spooled::{CentralSettings, SpoolSettings},
};
