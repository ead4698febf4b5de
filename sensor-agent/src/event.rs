//! The vocabulary of the sensor: what an event is, what is known of a process, which fields there are.
//!
//! ```text
//! capture ─▶ record bytes ─▶ decode ─▶ process table ─▶ Event ─▶ rules, tables, alerts
//!                                                         │
//!                                               fields: the one registry
//! ```
//!
//! An [`Event`] is cheap to clone: it holds a snapshot of its process, and through it the whole lineage, by
//! reference count. Whoever needs a field reads it through the registry in [`fields`], so that a field's name,
//! type, column, JSON key and meaning stand in one place.

mod activity;
pub mod audit;
pub mod build;
pub mod decode;
pub mod fields;
pub mod json;
pub mod lost;
mod process;
pub mod tables;
mod user_name;
mod value;

use std::sync::Arc;

pub use activity::{Activity, Outcome};
pub use audit::AuditMessage;
pub use lost::Lost;
pub use process::{
    Arguments, Container, Host, Ids, Image, Login, NOT_WHOLE, Namespaces, Process, ProcessKey, RUNTIMES, TTY_LEN,
    UNKNOWN_RUNTIME, UNSET_ID, is_whole,
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

/// Families of events: each has its kernel programs, its tables and its policy types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    Process,
    /// Messages to the kernel's audit.
    Audit,
    /// What the sensor tells of itself.
    Sensor,
}

impl Class {
    pub const ALL: [Self; 3] = [Self::Process, Self::Audit, Self::Sensor];

    /// The name used in `lost_records`, metrics and the manual.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Audit => "audit",
            Self::Sensor => "sensor",
        }
    }
}

/// The `eventType` of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    Fork,
    Exec,
    Exit,
    Baseline,
    ExecFailed,
    AuditMessage,
    /// A message that the kernel did not take.
    AuditMessageRefused,
    LostRecords,
    SensorStarted,
}

/// Which events somebody looks at: those of one class, or of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    class: Class,
    /// None for all of the class.
    only: Option<EventType>,
}

impl Seen {
    /// Events of one kind.
    #[must_use]
    pub const fn only(kind: EventType) -> Self {
        Self { class: kind.class(), only: Some(kind) }
    }

    #[must_use]
    pub const fn class(self) -> Class {
        self.class
    }

    #[must_use]
    pub fn contains(self, kind: EventType) -> bool {
        kind.class() == self.class && self.only.is_none_or(|only| only == kind)
    }

    /// What the events are called: `audit`, or the kind's own word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.only {
            Some(kind) => kind.word(),
            None => self.class.name(),
        }
    }

    /// Whether it is less than a class.
    #[must_use]
    pub const fn is_narrow(self) -> bool {
        self.only.is_some()
    }
}

impl From<Class> for Seen {
    fn from(class: Class) -> Self {
        Self { class, only: None }
    }
}

impl EventType {
    pub const ALL: [Self; 9] = [
        Self::Fork,
        Self::Exec,
        Self::Exit,
        Self::Baseline,
        Self::ExecFailed,
        Self::AuditMessage,
        Self::AuditMessageRefused,
        Self::LostRecords,
        Self::SensorStarted,
    ];

    /// The words of all.
    pub const WORDS: &[&str] = &{
        let mut words = [""; Self::ALL.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = Self::ALL[at].word();
            at += 1;
        }
        words
    };

    /// The word that rules compare with and rows carry.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fork => "PROCESS_EVENT_TYPE_FORK",
            Self::Exec => "PROCESS_EVENT_TYPE_EXEC",
            Self::Exit => "PROCESS_EVENT_TYPE_EXIT",
            Self::Baseline => "BASELINE_TASK",
            Self::ExecFailed => "PROCESS_EVENT_TYPE_EXEC_FAILED",
            Self::AuditMessage => "AUDIT_USER_MESSAGE",
            Self::AuditMessageRefused => "AUDIT_USER_MESSAGE_REFUSED",
            Self::LostRecords => "LOST_RECORDS",
            Self::SensorStarted => "SENSOR_STARTED",
        }
    }

    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Fork | Self::Exec | Self::Exit | Self::Baseline | Self::ExecFailed => Class::Process,
            Self::AuditMessage | Self::AuditMessageRefused => Class::Audit,
            Self::LostRecords | Self::SensorStarted => Class::Sensor,
        }
    }
}
