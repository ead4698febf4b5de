//! What is in force, and what it asks of the kernel.

use std::sync::Arc;
use std::time::Duration;

use schema::EventType;
use sensor_ebpf::classes::{Class, Classes};

use crate::capture::{FailedExecs, Files};
use crate::detection::Detection;
use crate::recorder::Recorder;
use crate::redaction::Redaction;
use crate::response::Limits;

/// What a configuration decides about the engine; a reload brings another.
#[derive(Debug)]
pub struct Setup {
    pub detection: Detection,
    pub recorder: Recorder,
    /// What is taken out of all that is told.
    pub redaction: Arc<Redaction>,
    /// How often rows are handed to sinks.
    pub reporting_interval: Duration,
    /// How far policies may go that act.
    pub limits: Arc<Limits>,
}

impl Setup {
    /// Which classes the kernel has to tell: those that a policy or a table asks for, and those that are always told.
    #[must_use]
    pub fn classes(&self) -> Classes {
        let names: Vec<_> =
            schema::Class::ALL.into_iter().filter(|it| self.asks_for(*it)).map(|it| it.name()).collect();
        let asked = Class::ALL.into_iter().filter(|class| names.contains(&class.name()));
        asked.fold(Class::ALWAYS, Classes::with)
    }

    /// Whether a policy or a table asks for events of this class.
    fn asks_for(&self, class: schema::Class) -> bool {
        self.detection.sees(class) || class.kinds().iter().any(|kind| self.recorder.records(*kind))
    }

    /// The classes that the kernel does not tell, as nobody asks for them.
    #[must_use]
    pub fn unreported(&self) -> Vec<schema::Class> {
        let told = self.classes();
        let is_untold = |name: &str| Class::ALL.into_iter().any(|class| class.name() == name && !told.has(class));
        schema::Class::ALL.into_iter().filter(|class| is_untold(class.name())).collect()
    }

    /// Which files that are changed, and that are read, somebody asks for.
    #[must_use]
    pub fn files(&self) -> [Files; 2] {
        let is_read = |kind: &EventType| *kind == EventType::FileOpen;
        [false, true].map(|reads| {
            let kinds = schema::Class::File.kinds().iter().filter(|kind| is_read(kind) == reads);
            if kinds.clone().any(|kind| self.recorder.records(*kind)) {
                return Files::All;
            }
            match self.detection.watched(|sees| kinds.clone().any(|kind| sees.contains(*kind))) {
                Some(names) if names.is_empty() => Files::None,
                Some(names) => Files::Named(names),
                None => Files::All,
            }
        })
    }

    /// Which failed execs somebody asks for.
    #[must_use]
    pub fn failed_execs(&self) -> FailedExecs {
        if self.recorder.records(EventType::ExecFailed) {
            FailedExecs::All
        } else if self.detection.sees_unformatted() {
            FailedExecs::Format
        } else {
            FailedExecs::None
        }
    }
}
