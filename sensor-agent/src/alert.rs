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
#[cfg(test)]
mod lines_tests;
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
use crate::event::{
    Event, Host, Value, fields,
    json::{as_line, lossless},
};
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

/// The name of the notification that the rules ran without a container's names.
const CONTAINER: &str = "container";

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
            message: event.sentence(&policy.name),
            message_fields: message_fields(&policy, &event, &host),
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

    /// Adds that rules ran without what a container's runtime tells, although they ask for it; nothing if they had it.
    #[must_use]
    pub fn container_untold(mut self, is_so: bool) -> Self {
        if is_so {
            self.notifications.push(Notification {
                time: self.event.time,
                name: CONTAINER.into(),
                uuid: Uuid::now_v7(),
                message: "The rules ran without the names of the container: no runtime had told them by then".into(),
                message_fields: vec![("container_untold", "true".to_owned())],
            });
        }
        self
    }

    /// Whether its rules have waited for the names of the container in vain.
    #[must_use]
    pub fn is_container_untold(&self) -> bool {
        self.notifications.iter().any(|notification| notification.name == CONTAINER)
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

/// The parts of that sentence, and what else is told of the event.
fn message_fields(policy: &Policy, event: &Event, host: &Host) -> Vec<(&'static str, String)> {
    let program = lossless(&event.process.image.path).into_owned();
    let mut told = vec![("program_name", program), ("strategy_name", policy.name.clone())];
    for part in event.kind.described().parts {
        let value = fields::by_column(part.column).map_or(Value::Absent, |field| field.of(event, host));
        told.extend(as_line(value).map(|text| (part.column, text)));
    }
    told
}
