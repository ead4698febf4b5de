//! What passes over the socket: one request line, one or more reply lines, then the end of the connection.
//!
//! ```text
//! ▶ {"request":"test-alert"}
//! ◀ {"reply":"stage","name":"kernel","outcome":"passed","millis":3,"detail":"the test process was seen"}
//! ◀ {"reply":"stage","name":"output siem","outcome":"failed","millis":5000,"detail":"connection refused"}
//! ◀ {"reply":"tested","passed":false}
//! ```
//!
//! A request that is not understood or not granted gets one `error` reply.
//!
//! Who looks on (`events`, `alerts`, `processes`, `top`) sends a [`Query`] along. After `notes` come `line` replies, or each event and alert as a
//! JSON object of its own, which never begins with the key `reply`; `lost` stands where some are missing, and `end` at the
//! end. While the query goes on, there is no end but that of the connection.
//!
//! ```text
//! ▶ {"request":"events","query":{"follow":true,"filter":"uid != 0"}}
//! ◀ {"reply":"notes","notes":["…"]}
//! ◀ {"reply":"line","time":1700000000000000000,"kind":"exec",…}
//! ◀ {"reply":"lost","count":12}
//! ```

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Inventory, Line, Query, Status, top::Top};

/// Longest request line, bytes.
pub(super) const MAX_REQUEST: usize = 16 << 10;
/// Longest reply line, bytes.
pub(super) const MAX_REPLY: usize = 16 << 20;
/// Requests served at once; more are told to come again.
pub(super) const MAX_CLIENTS: usize = 8;
/// Those who look on at once, besides: each may take long, and has its share of the memory.
pub(super) const MAX_VIEWERS: usize = 4;
/// How long a client may take to send its request, and to take in one reply.
pub(super) const CLIENT_TIME: Duration = Duration::from_secs(5);

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// How is it going? One `status` reply.
    Status,
    /// The self check: a `stage` reply for each stage, then `tested`.
    TestAlert,
    /// Read the configuration again: one `reloaded` reply.
    Reload,
    /// Events: those that are held, and those to come.
    Events,
    /// Alerts, in the same way.
    Alerts,
    /// The running processes, in the order of a tree.
    Processes,
    /// What keeps the sensor busy: a round, or one after another.
    Top,
    /// What is configured and what came of it: one `inventory` reply.
    Inventory,
}

impl Request {
    pub(super) const NAMES: &[&str] =
        &["status", "test-alert", "reload", "events", "alerts", "processes", "top", "inventory"];
}

/// The request line. What it does not know it refuses: a later version may mean something by it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestLine {
    pub(super) request: Request,
    /// Goes with `events`, `alerts`, `processes` and `top`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<Query>,
}

/// How every line begins that is a [`Reply`], and no event or alert as JSON does.
pub(super) const REPLY: &[u8] = b"{\"reply\":";

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    Status {
        status: Box<Status>,
    },
    Stage(Stage),
    /// The self check is over.
    Tested {
        /// Whether there were stages and none failed.
        passed: bool,
    },
    Reloaded(Reload),
    Inventory(Box<Inventory>),
    /// What is to be known of what follows, in sentences.
    Notes {
        notes: Vec<String>,
    },
    Line(Box<Line>),
    Top(Box<Top>),
    /// So many events or alerts are missing here: they came faster than they were read.
    Lost {
        count: u64,
    },
    /// All that was asked for has been told.
    End,
    Error {
        message: String,
    },
}

/// One stage of the self check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// What was checked: `kernel`, `rules`, `output siem`.
    pub name: String,
    pub outcome: Outcome,
    /// How long it took, milliseconds.
    pub millis: u64,
    /// What was seen, or what went wrong and what to do; may be empty.
    pub detail: String,
}

/// How a stage went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    Failed,
    /// Not tried: an output that is switched off, or a stage after one that failed.
    Skipped,
}

/// How reading the configuration went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reload {
    /// When: seconds since the Unix epoch.
    pub time: u64,
    /// Whether it is in force now. If not, the one before it still is.
    pub accepted: bool,
    /// Errors and warnings, each ready to be read.
    pub findings: Vec<String>,
}
