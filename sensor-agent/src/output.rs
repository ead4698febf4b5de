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
//! Queues, threads, spools and receivers are of the crate [`delivery`]; here alerts and rows become bytes. A further kind
//! of output implements [`delivery::lines::Lines`], [`delivery::remote::Remote`] or [`delivery::lane::queue::Deliver`];
//! its settings are in [`settings::TargetSettings`], and it has a line in [`open`].

mod alerts;
mod central;
mod dispatcher;
mod envelope;
mod format;
mod open;
mod orphaned_spools;
mod parquet;
mod queued;
mod render;
mod rendered;
mod rows;
#[cfg(test)]
mod scripted;
mod settings;
mod sinks;
#[cfg(test)]
mod tests;
mod zeromq;

pub use self::{
    central::CentralSettings,
    dispatcher::{Dispatcher, PreparedOutputs, Watch},
    format::{Format, RowFormat},
    orphaned_spools::tell_of_orphaned_spools,
    parquet::{ParquetSettings, StoreSettings},
    rows::RowBatch,
    settings::{Fault, OutputSettings, SinkSettings, TargetSettings},
    sinks::{PreparedSinks, Sinks},
    zeromq::{Topics, ZeromqEncoding, ZeromqSettings},
};
