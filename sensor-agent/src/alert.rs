//! What is told when a policy was violated.
//!
//! An [`Alert`] holds its event, the policy's facts and the host by reference count, so making one costs little;
//! its text is made on the thread of the output that sends it. The default text is [`json`], [`shorten`]ed to what a
//! receiver takes; [`cef`], [`ecs`] and [`ocsf`] are for those who read these, and a [`Template`] makes any other.

pub mod cef;
pub(crate) mod cuts;
pub mod ecs;
pub(crate) mod facts;
#[cfg(test)]
mod format_tests;
pub mod json;
mod marks;
pub mod ocsf;
pub mod reference;
mod scope;
pub mod shorten;
mod technique;
mod template;
mod text;
mod time;

use std::sync::Arc;

use uuid::Uuid;

pub(crate) use self::time::rfc3339;
pub use self::{
    scope::Scope,
    template::Template,
    text::{printable, visible},
};
use crate::event::audit::Fact;
use crate::event::{AuditMessage, Detail, Event, EventType, Host, json::lossless};
use crate::policy::Policy;

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
            message_fields: message_fields(&policy, &event),
        };
        Self {
            uuid,
            incident_id: event.process.incident.unwrap_or(uuid),
            scope: Scope::of(&event),
            policy,
            matched_rule,
            event,
            host,
            notifications: vec![violation],
        }
    }

    /// Adds that the policy's throttle held so many alerts back since the last one; nothing if there were none.
    #[must_use]
    pub fn held_back(mut self, count: u64) -> Self {
        if count > 0 {
            self.notifications.push(Notification {
                time: self.event.time,
                name: "throttle".into(),
                uuid: Uuid::now_v7(),
                message: format!(
                    "{count} further alerts of policy {} were held back before this one",
                    self.policy.name
                ),
                message_fields: vec![("held_back", count.to_string())],
            });
        }
        self
    }

    /// Adds that an output's template failed, so that the alert goes out in the output's format.
    #[must_use]
    pub fn without_template(mut self, reason: &str) -> Self {
        self.notifications.push(Notification {
            time: self.event.time,
            name: "template".into(),
            uuid: Uuid::now_v7(),
            message: format!("The output's template could not be filled, so this is the output's format: {reason}"),
            message_fields: vec![("template_error", reason.to_owned())],
        });
        self
    }

    /// What happened and what else is to be said, one sentence after another.
    fn sentences(&self) -> String {
        self.notifications.iter().map(|one| one.message.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// Bytes that it takes by itself; without policy, host and ancestors, which it shares with others.
    #[must_use]
    pub fn size(&self) -> usize {
        let notifications = self.notifications.iter().map(|told| {
            let fields = told.message_fields.iter().map(|(_, text)| text.capacity() + size_of::<(&str, String)>());
            size_of::<Notification>() + told.name.capacity() + told.message.capacity() + fields.sum::<usize>()
        });
        size_of::<Self>() + self.event.size() + notifications.sum::<usize>()
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
        (_, Detail::ExecFailed { errno: libc::ENOEXEC }) => {
            let file = event.process.image.script().map(lossless).unwrap_or_default();
            format!("The kernel refused to run {file}, which {program} may read as a script; policy {policy}")
        }
        (EventType::ExecFailed, _) => {
            let file = lossless(&event.process.image.filename);
            format!("The attempt to run {file} violated policy {policy}")
        }
        (EventType::AuditMessage, Detail::Audit(audit)) => {
            format!("The audit message {}{} of {program} violated policy {policy}", audit.type_name, gist(audit))
        }
        (EventType::AuditMessageRefused, Detail::Audit(audit)) => format!(
            "The audit message {}{} that {program} sent was refused by the kernel ({}); policy {policy}",
            audit.type_name,
            gist(audit),
            audit.refused.unwrap_or_default()
        ),
        _ => format!("Program {program} violated policy {policy}"),
    }
}

/// Whom an audit message is about, from where, and how it ended; as far as it says.
fn gist(audit: &AuditMessage) -> String {
    let account = audit.account().map(|account| format!(", account {}", lossless(account)));
    let address = audit.address().map(|address| format!(", from {address}"));
    let outcome = audit.outcome().map(|outcome| format!(", {},", outcome.word()));
    [account, address, outcome].into_iter().flatten().collect()
}

fn message_fields(policy: &Policy, event: &Event) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("program_name", lossless(&event.process.image.path).into_owned()),
        ("strategy_name", policy.name.clone()),
    ];
    match &event.detail {
        Detail::ExecFailed { errno } => fields.extend([
            ("file_path", lossless(&event.process.image.filename).into_owned()),
            ("errno", errno.to_string()),
        ]),
        Detail::Lost(lost) => fields.extend([
            ("stage", lost.stage.to_owned()),
            ("event_class", lost.class.to_owned()),
            ("cause", lost.cause.to_owned()),
            ("count", lost.count.to_string()),
        ]),
        Detail::Exit { code, signal: 0, .. } => fields.push(("exit_code", code.to_string())),
        Detail::Exit { signal, .. } => fields.push(("exit_signal", signal.to_string())),
        Detail::None | Detail::Audit(_) => {}
    }
    if let Detail::Audit(audit) = &event.detail {
        let text = |value: Option<&[u8]>| value.map(|value| lossless(value).into_owned());
        let parts = [
            ("type", Some(audit.message_type.to_string())),
            ("type_name", Some(audit.type_name.clone().into_owned())),
            ("op", text(audit.told(Fact::Operation))),
            ("acct", text(audit.account())),
            ("acct_id", audit.account_id().map(|id| id.to_string())),
            ("grp", text(audit.group())),
            ("grp_id", audit.group_id().map(|id| id.to_string())),
            ("result", audit.outcome().map(|outcome| outcome.word().to_owned())),
            ("address", audit.address().map(|address| address.to_string())),
            ("terminal", text(audit.told(Fact::Terminal))),
            ("refusal", audit.refused.map(str::to_owned)),
            ("message", text(Some(&audit.text))),
        ];
        fields.extend(parts.into_iter().filter_map(|(key, value)| Some((key, value?))));
    }
    fields
}
