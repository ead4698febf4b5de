//! The process that something is done to, for the classes whose acts have one.

use std::sync::Arc;

use sensor_ebpf::record::Actor;

use crate::event::fields::by_name;
use crate::event::json::lossless;
use crate::event::{Event, Host, Process, Value};

/// As the record has it, and as the process table knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    whom: Option<Actor>,
    process: Option<Arc<Process>>,
    pub(super) is_itself: bool,
    pub(super) is_descendant: bool,
}

impl Target {
    /// Of a record, which has zeroes where there is none.
    pub(super) fn of(whom: Actor) -> Self {
        Self { whom: (whom.process.tgid != 0).then_some(whom), ..Self::default() }
    }

    /// The same, known to be this process, by what somebody has done.
    pub(super) fn found(&self, actor: &Process, process: Arc<Process>) -> Self {
        let is_descendant = process.ancestors().any(|ancestor| ancestor.key == actor.key);
        let is_itself = process.key == actor.key;
        Self { process: Some(process), is_itself, is_descendant, ..self.clone() }
    }

    /// Bytes that it holds elsewhere.
    pub(super) fn size(&self) -> usize {
        self.process.as_deref().map_or(0, |process| size_of::<Process>() + process.image.size())
    }

    pub(super) fn whom(&self) -> Option<&Actor> {
        self.whom.as_ref()
    }

    pub(super) fn process(&self) -> Option<&Arc<Process>> {
        self.process.as_ref()
    }

    /// For sentences.
    pub(super) fn name(&self) -> String {
        match self.process.as_deref() {
            _ if self.is_itself => "itself".to_owned(),
            Some(process) if process.image.path.is_empty() => format!("process {}", process.key.tgid),
            Some(process) => format!("{} (process {})", lossless(&process.image.path), process.key.tgid),
            None => "another process".to_owned(),
        }
    }

    /// What holds or does not of a target that there is.
    pub(super) fn is_so(&self, is_so: bool) -> Value<'_> {
        if self.process.is_some() || is_so { Value::Bool(is_so) } else { Value::Absent }
    }

    /// That of an event which is written down by hand.
    pub(super) fn draft(&mut self) -> &mut Process {
        Arc::make_mut(self.process.get_or_insert_default())
    }
}

/// What a field of processes says of an event's target.
pub(super) fn of_target<'a>(event: &'a Event, host: &'a Host, field: &schema::Field) -> Value<'a> {
    let target = event.target();
    target.zip(by_name(field.name)).map_or(Value::Absent, |(target, field)| field.of_process(target, host))
}
