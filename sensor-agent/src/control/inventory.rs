//! What is configured and what came of it, as `policies`, `tables`, `lists` and `outputs` show it.
//!
//! Everything has a default, so that a client of one version can read what a sensor of another version sends. Times are
//! nanoseconds since the Unix epoch, counts since the sensor's start.

use serde::{Deserialize, Serialize};

use super::status::Delivery;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inventory {
    pub policies: Vec<Policy>,
    pub tables: Vec<Table>,
    pub lists: Vec<List>,
    /// Outputs, then sinks.
    pub outputs: Vec<Output>,
}

/// A policy, on or off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub name: String,
    #[serde(rename = "type")]
    pub policy_type: String,
    /// The content group, such as `Detection Analytics.Persistence`; empty without one.
    pub group: String,
    pub priority: String,
    pub rules: u64,
    pub on: bool,
    /// Why it is off.
    pub why_off: Option<String>,
    pub alerts: u64,
    pub held_back: u64,
    /// Alerts that its exceptions took.
    pub excepted: u64,
    pub exceptions: Vec<Exception>,
    /// When it was last violated, held back or not.
    pub last: Option<u64>,
}

/// What a policy is not to tell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exception {
    pub rule: String,
    pub comment: String,
    /// The last day, such as `2026-12-31`.
    pub until: Option<String>,
    /// When that is over: from then on it takes nothing.
    pub ends: Option<u64>,
    /// Alerts that it took.
    pub alerts: u64,
}

/// A table of the flight recorder, on or off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    pub name: String,
    /// What its rows are, one sentence.
    pub doc: String,
    pub on: bool,
    /// Why it is off.
    pub why_off: Option<String>,
    /// Rows that it holds, and that it holds at most.
    pub rows: u64,
    pub capacity: u64,
    /// The time of the oldest row that it holds.
    pub oldest: Option<u64>,
    /// Rows taken since the start.
    pub recorded: u64,
    /// Of these, displaced before any sink had them, and not taken for want of memory.
    pub overwritten: u64,
    pub no_memory: u64,
    pub columns: Vec<String>,
    /// Which events it takes.
    pub filter: Vec<String>,
    /// The sinks that its rows go to.
    pub sinks: Vec<String>,
}

/// A list that rules can name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub entries: u64,
    /// The policies and tables whose rules name it.
    pub used_by: Vec<String>,
}

/// An output or a sink.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Output {
    /// What goes there: the types of messages, or `rows`.
    pub takes: Vec<String>,
    /// `json`, `cef` and so on, or `template`.
    pub format: String,
    #[serde(flatten)]
    pub delivery: Delivery,
}
