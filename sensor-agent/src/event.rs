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

mod arguments;
pub mod audit;
pub mod build;
mod classes;
mod container;
pub mod decode;
pub mod fields;
pub mod json;
mod late;
pub mod lost;
mod process;
mod value;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use schema::classes::audit::Ending;
use schema::{Activity, Class, EventType, Outcome};
use sensor_ebpf::record::Actor;

pub use arguments::Arguments;
pub(crate) use arguments::Taken;
pub use audit::AuditMessage;
pub use container::{Container, FromRuntime};
pub use late::{Late, UserName};
pub use lost::Lost;
pub use process::{Host, Ids, Image, Login, NOT_WHOLE, Namespaces, Process, ProcessKey, TTY_LEN, UNSET_ID, is_whole};
pub(crate) use process::{Redacted, RedactedBy};
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
        let detail = match &self.detail {
            Detail::Audit(message) => message.size(),
            Detail::Own(own) => own.size(),
            Detail::None | Detail::Exit { .. } | Detail::ExecFailed { .. } | Detail::Lost(_) => 0,
        };
        size_of::<Self>() + size_of::<Process>() + self.process.image.size() + detail
    }

    /// What it tells of.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.kind.described().activity.unwrap_or_else(|| match &self.detail {
            Detail::Audit(message) => message.activity(),
            Detail::Own(own) => own.activity(),
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
            Detail::Own(own) => own.outcome(),
            _ => Outcome::Unknown,
        })
    }

    /// Whether a login name that rules may ask for is being asked for: that of the process, or of a message's account.
    #[must_use]
    pub fn awaits_name(&self) -> bool {
        let of_account = matches!(&self.detail, Detail::Audit(message) if message.awaits_name());
        self.process.user.is_pending() || of_account
    }

    /// Whether runtimes are being asked for the container of the process.
    #[must_use]
    pub fn awaits_container(&self) -> bool {
        self.process.container.as_ref().is_some_and(|container| container.told.is_pending())
    }

    /// The process that it was done to, if that is another one, and known.
    #[must_use]
    pub fn target(&self) -> Option<&Arc<Process>> {
        match &self.detail {
            Detail::Own(own) => own.target(),
            _ => None,
        }
    }

    /// A value of what its class has of its own; absent if it is of another class.
    fn own<'a, T: Own>(&'a self, value: impl Fn(&'a T) -> Value<'a>) -> Value<'a> {
        self.detail.as_own().map_or(Value::Absent, value)
    }

    /// The file that it is about, of an event that is about one.
    #[must_use]
    pub fn file_path(&self) -> Option<Value<'_>> {
        if let Detail::Own(own) = &self.detail { own.file_path() } else { None }
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
    /// What an event of another class tells; its type is in the file of the class.
    Own(Arc<dyn Own>),
}

/// What an event of a class tells besides who did it.
pub trait Own: Any + fmt::Debug + Send + Sync {
    /// Bytes that it takes.
    fn size(&self) -> usize;

    /// What it tells of, where that is not the same for all of its kind.
    fn activity(&self) -> Activity {
        Activity::Other
    }

    /// How it ended, likewise.
    fn outcome(&self) -> Outcome {
        Outcome::Unknown
    }

    /// The process that it was done to, of what is done to processes.
    fn target(&self) -> Option<&Arc<Process>> {
        None
    }

    /// The same as the record has it.
    fn whom(&self) -> Option<&Actor> {
        None
    }

    /// The same with the process that `actor` did it to.
    fn with_target(&self, _actor: &Process, _target: Arc<Process>) -> Option<Detail> {
        None
    }

    /// What became of which control group, of what tells of containers by theirs.
    fn of_group(&self) -> Option<(EventType, &str)> {
        None
    }

    /// The file that it is about, if it is about one.
    fn file_path(&self) -> Option<Value<'_>> {
        None
    }

    /// Whether it is counted how often programs do it.
    fn is_counted(&self) -> bool {
        false
    }

    /// The same as the last of so many of its program, and what kind of events that is.
    fn with_count(&self, _count: u32) -> Option<(EventType, Detail)> {
        None
    }
}

impl Detail {
    fn own(own: impl Own) -> Self {
        Self::Own(Arc::new(own))
    }

    /// What it tells, if that is of this type.
    #[must_use]
    fn as_own<T: Own>(&self) -> Option<&T> {
        let Self::Own(own) = self else { return None };
        (&**own as &dyn Any).downcast_ref()
    }
}

/// A text of the kernel's that ends at the first zero.
pub(crate) fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}
