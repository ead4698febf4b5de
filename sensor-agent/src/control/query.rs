//! What somebody who looks on asks for, and what is told them.

use serde::{Deserialize, Serialize};

/// Which events or alerts, and in which form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// Whether to go on with what happens from now on.
    pub follow: bool,
    /// Of what is still held, what happened from then on comes first: nanoseconds since the Unix epoch. None: nothing.
    pub since: Option<u64>,
    /// Whether each is told whole, as JSON, rather than as a [`Line`].
    pub json: bool,
    /// A condition of the rule language, or a rule.
    pub filter: Option<String>,
    /// Events of this class alone.
    pub class: Option<String>,
    /// Of this process, and of those that it started.
    pub pid: Option<u32>,
    /// Of the container of this name, or with an id that begins so.
    pub container: Option<String>,
}

/// An event, an alert or a running process in one line for people. Texts are as rows have them: bytes that are not UTF-8 stand as `\xHH`;
/// nothing else is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Nanoseconds since the Unix epoch; of a running process when it was started, zero if that is not known.
    pub time: u64,
    /// What it is: `exec`, `exit`, `audit_user_message`; of an alert `alert`.
    pub kind: String,
    /// Whether the event tells of something that failed or was refused.
    pub failed: bool,
    /// Of an alert.
    pub priority: Option<String>,
    /// Of an alert: the policy.
    pub policy: Option<String>,
    /// Whether the process is part of an incident.
    pub incident: bool,
    /// Zero if it is not of a process.
    pub pid: u32,
    /// The login name, or else the user's number.
    pub user: String,
    /// The container's name, or else its id; a question mark if it is not known whether there is one.
    pub container: Option<String>,
    /// Names of the programs of the nearest ancestors, the parent first.
    pub lineage: Vec<String>,
    /// Whether there are older ones.
    pub lineage_goes_on: bool,
    /// Of running processes as a tree: how many of those shown it comes of. `lineage` then has those in between that ended.
    pub depth: u32,
    /// What happened.
    pub text: String,
}
