//! Looking on: events and alerts as they happen, those that are still held, and the running processes.
//!
//! ```text
//! engine ─ filter ─▶ feed: bounded in bytes ─▶ thread of the control socket: a line, or JSON ─▶ command line
//! ```
//!
//! The engine holds each event against the filters of those who follow and hands over a reference to what passes; text is
//! made of it on the follower's own thread. While nobody follows, that costs one look at an empty list. A follower who
//! reads too slowly loses events, which is counted and told in the stream; the engine waits for nobody.

pub mod feed;
mod filter;
mod line;
mod tree;

pub use filter::Filter;
pub use line::{of_alert, of_event, of_process};
pub use tree::{Placed, tree};

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Events,
    Alerts,
    /// The running processes.
    Processes,
    /// What keeps the sensor busy.
    Top,
}
