//! What is told when a policy was violated.
//!
//! An [`Alert`] holds its event, the policy's facts and the host by reference count, so making one costs little;
//! its text is made on the thread of the output that sends it. The default text is [`json`], [`shorten`]ed to what a
//! receiver takes; a [`Template`] makes any other.

pub mod json;
mod scope;
pub mod shorten;
mod template;
mod text;

use std::sync::Arc;

use uuid::Uuid;

pub use self::{
    scope::Scope,
    template::Template,
    text::{printable, visible},
};
use crate::event::{Detail, Event, EventType, Host, json::lossless};

/// An event that violated a policy, with everything that is told about it.
#[derive(Clone, Debug)]
pub struct Alert {
    /// A version 7 UUID: the same each time the alert is sent, and in the order of time.
    pub uuid: Uuid,
    /// The incident it belongs to: that of the process or an ancestor, else a new one, named after this alert.
    pub incident_id: Uuid,
    pub scope: Scope,
    pub policy: Arc<Policy>,
    /// The rule that decided, as it was written.
    pub matched_rule: Arc<str>,
    pub event: Event,
    pub host: Arc<Host>,
    /// What happened, in sentences: first the violation, then what was done about it.
    pub notifications: Vec<Notification>,
}

/// What an alert tells of the policy that was violated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `strategy_name`.
    pub name: String,
    /// Such as `program`.
    pub policy_type: String,
    pub message_type: MessageType,
    pub priority: Priority,
    pub confidence: Confidence,
    /// `alertMessage`.
    pub description: String,
    pub comments: String,
    pub categories: Vec<String>,
    pub labels: Vec<(String, String)>,
    /// The content group that the policy belongs to, such as `Detection Analytics.Persistence`.
    pub content_group: String,
    /// What an alert of this policy reaches, where that is not to be told from the event.
    pub scope: Option<Scope>,
}

/// One thing that an alert reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// When: nanoseconds since the Unix epoch.
    pub time: u64,
    pub name: String,
    pub uuid: Uuid,
    pub message: String,
    /// The parts of the message by name; for a response `action_type`, `action_target_type`, `action_result`,
    /// `action_result_details`.
    pub message_fields: Vec<(&'static str, String)>,
}

/// What kind of message an alert is to the outputs' `message_types`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageType {
    #[default]
    Alert,
    SmartPolicy,
    Audit,
}

impl MessageType {
    pub const ALL: [Self; 3] = [Self::Alert, Self::SmartPolicy, Self::Audit];

    /// The word in a configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::SmartPolicy => "smart_policy",
            Self::Audit => "audit",
        }
    }
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    Info,
    Low,
    #[default]
    Medium,
    High,
}

impl Priority {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "Info",
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// How sure it is that an alert is not a false one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    Low,
    #[default]
    Medium,
    High,
}

impl Confidence {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

impl Alert {
    /// An alert on this event. The incident is that of the event's process; without one this alert begins it.
    #[must_use]
    pub fn new(policy: Arc<Policy>, matched_rule: Arc<str>, event: Event, host: Arc<Host>) -> Self {
        let uuid = Uuid::now_v7();
        let violation = Notification {
            time: event.time,
            name: policy.name.clone(),
            uuid: Uuid::now_v7(),
            message: message(&policy, &event),
            message_fields: vec![
                ("program_name", lossless(&event.process.image.path).into_owned()),
                ("strategy_name", policy.name.clone()),
            ],
        };
        Self {
            uuid,
            incident_id: event.process.incident.unwrap_or(uuid),
            scope: policy.scope.unwrap_or_else(|| Scope::of(&event)),
            policy,
            matched_rule,
            event,
            host,
            notifications: vec![violation],
        }
    }

    /// When: nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.event.time
    }

    /// An alert with every field filled, to try templates on.
    pub(crate) fn sample() -> Self {
        scope::sample()
    }
}

/// The violation in one sentence.
fn message(policy: &Policy, event: &Event) -> String {
    let policy = &policy.name;
    let program = lossless(&event.process.image.path);
    match (event.kind, &event.detail) {
        (EventType::LostRecords, Detail::Lost(lost)) => {
            let (count, class, stage, cause) = (lost.count, lost.class, lost.stage, lost.cause);
            format!("The sensor lost {count} {class} records at the stage {stage} ({cause}); policy {policy}")
        }
        (EventType::LostRecords | EventType::SensorStarted, _) => format!("The sensor reports to policy {policy}"),
        (EventType::ExecFailed, _) => {
            let file = lossless(&event.process.image.filename);
            format!("The attempt to run {file} violated policy {policy}")
        }
        _ => format!("Program {program} violated policy {policy}"),
    }
}
