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
//! Queues, threads, spools and receivers are of the crate [`delivery`]; here alerts and rows become bytes. A further kind of
//! output or sink is a file in [`target`], and its name in the list there.

mod alerts;
mod dispatcher;
mod format;
mod open;
mod orphaned_spools;
mod queued;
#[cfg(test)]
mod redaction_tests;
mod render;
mod rendered;
mod rows;
#[cfg(test)]
mod scripted;
mod settings;
mod sinks;
pub mod target;
#[cfg(test)]
mod tests;

pub use self::{
    dispatcher::{Dispatcher, PreparedOutputs, Watch},
    format::{Format, RowFormat},
    orphaned_spools::tell_of_orphaned_spools,
    rows::RowBatch,
    settings::{OutputSettings, SinkSettings},
    sinks::{PreparedSinks, Sinks},
    target::{CentralSettings, Target},
};
