//! Events: what happened, what is known of the process that did it, and how the fields that the schema describes are read.
//!
//! ```text
//! capture ─▶ record bytes ─▶ decode ─▶ process table ─▶ Event ─▶ rules, tables, alerts
//!                                                         │
//!                                               fields: by the schema
//! ```
//!
//! An [`Event`] is cheap to clone: it holds a snapshot of its process, and through it the whole lineage, by
//! reference count. Whoever needs a field reads it through [`fields`]; what a field is stands in the schema.

pub mod audit;
pub mod build;
mod classes;
pub mod decode;
pub mod fields;
pub mod json;
pub mod lost;
mod process;
mod user_name;
mod value;

use std::sync::Arc;

use schema::classes::audit::Ending;
use schema::{Activity, Class, EventType, Outcome};

pub use audit::AuditMessage;
pub use lost::Lost;
pub use process::{
    Arguments, Container, Host, Ids, Image, Login, NOT_WHOLE, Namespaces, Process, ProcessKey, TTY_LEN, UNSET_ID,
    is_whole,
};
pub use user_name::UserName;
pub use value::{Pids, Place, Value};

/// One thing that happened, with the process that did it.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: EventType,
    /// When: nanoseconds since the Unix epoch.
    pub time: u64,
    /// The process as the event left it.
    pub process: Arc<Process>,
    pub detail: Detail,
}

impl Event {
    /// Bytes that it takes by itself: with what the process runs, without its ancestors.
    #[must_use]
    pub fn size(&self) -> usize {
        let message = match &self.detail {
            Detail::Audit(message) => message.size(),
            Detail::None | Detail::Exit { .. } | Detail::ExecFailed { .. } | Detail::Lost(_) => 0,
        };
        size_of::<Self>() + size_of::<Process>() + self.process.image.size() + message
    }

    /// What it tells of.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.kind.described().activity.unwrap_or_else(|| match &self.detail {
            Detail::Audit(message) => message.activity(),
            _ => Activity::Other,
        })
    }

    /// How that ended. What is not known is no success.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.kind.described().outcome.unwrap_or_else(|| match &self.detail {
            Detail::Audit(message) => match message.ending() {
                Some(Ending::Success) => Outcome::Success,
                Some(Ending::Failed) => Outcome::Failure,
                None => Outcome::Unknown,
            },
            _ => Outcome::Unknown,
        })
    }

    /// Whether a login name that rules may ask for is being asked for: that of the process, or of a message's account.
    #[must_use]
    pub fn awaits_name(&self) -> bool {
        let of_account = matches!(&self.detail, Detail::Audit(message) if message.awaits_name());
        self.process.user.is_pending() || of_account
    }

    /// Whether it is the word of a program, which says more of the message's subject than of its sender.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.kind.class() == Class::Audit
    }
}

/// What only one kind of event has to tell.
#[derive(Clone, Debug, Default)]
pub enum Detail {
    #[default]
    None,
    /// How a process ended.
    Exit { code: u8, signal: u8, core_dumped: bool },
    /// An exec that did not come about: the errno. The file is in the process's image.
    ExecFailed { errno: i32 },
    /// A message to the kernel's audit, taken or refused.
    Audit(Arc<AuditMessage>),
    /// What the sensor lost.
    Lost(Lost),
}
