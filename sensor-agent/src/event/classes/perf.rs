//! Performance events that are opened.

use std::sync::Arc;

use schema::classes::perf as facts;
use schema::classes::perf::{PerfScope, PerfType};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::perf::{PerfEventRecord, scope};
use sensor_ebpf::record::Actor;

use super::target::{Target, of_target};
use super::{Act, Class};
use crate::event::build::Draft;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Detail, Own, Process, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Opened>(FIELDS);

/// A performance event that was opened, or refused.
#[derive(Clone, Debug, Default)]
struct Opened {
    event_type: Option<PerfType>,
    pmu: Vec<u8>,
    config: u64,
    scope: Option<PerfScope>,
    /// None for any.
    cpu: Option<u32>,
    flags: u32,
    errno: i32,
    /// Of whom.
    target: Target,
}

impl Own for Opened {
    fn size(&self) -> usize {
        size_of::<Self>() + self.pmu.capacity() + self.target.size()
    }

    fn outcome(&self) -> Outcome {
        if self.errno == 0 { Outcome::Success } else { Outcome::Failure }
    }

    fn target(&self) -> Option<&Arc<Process>> {
        self.target.process()
    }

    fn whom(&self) -> Option<&Actor> {
        self.target.whom()
    }

    fn with_target(&self, actor: &Process, target: Arc<Process>) -> Option<Detail> {
        Some(Detail::own(Self { target: self.target.found(actor, target), ..self.clone() }))
    }
}

impl Act for Opened {
    type Record = PerfEventRecord;
    const EVENT: EventType = EventType::PerfEventOpen;

    fn read(record: &PerfEventRecord) -> Self {
        Self {
            event_type: Some(PerfType::of(record.event_type)),
            pmu: until_zero(&record.pmu).to_vec(),
            config: record.config,
            scope: match record.scope {
                scope::ITSELF => Some(PerfScope::Itself),
                scope::PROCESS => Some(PerfScope::Process),
                scope::CGROUP => Some(PerfScope::Cgroup),
                scope::EVERYTHING => Some(PerfScope::Everything),
                _ => None,
            },
            cpu: u32::try_from(record.cpu).ok(),
            flags: record.flags,
            errno: record.error.saturating_abs(),
            target: Target::of(record.target),
        }
    }

    fn sentence(&self, program: &str) -> String {
        let what = if self.pmu.is_empty() {
            self.event_type.map(|kind| format!(" of type {}", kind.word())).unwrap_or_default()
        } else {
            format!(" of {}", lossless(&self.pmu))
        };
        let whose = match self.scope {
            Some(PerfScope::Itself) | None => "itself".to_owned(),
            Some(PerfScope::Cgroup) => "a control group".to_owned(),
            Some(PerfScope::Everything) => "the whole host".to_owned(),
            Some(PerfScope::Process) => self.target.name(),
        };
        let refused = if self.errno == 0 { String::new() } else { format!(", which failed (error {})", self.errno) };
        format!("Program {program} opened a performance event{what} on {whose}{refused}")
    }
}

/// The target of an event that is written down by hand.
fn target(draft: &mut Draft) -> &mut Process {
    draft.act::<Opened>().target.draft()
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::PERF_TYPE,
        |event, _| event.own(|perf: &Opened| perf.event_type.map_or(Value::Absent, |kind| Value::Word(kind.word()))),
        |d, v| v.put_word(&mut d.act::<Opened>().event_type),
    ),
    of_event(
        &facts::PERF_PMU,
        |event, _| event.own(|perf: &Opened| Value::text(&perf.pmu)),
        |d, v| v.put(&mut d.act::<Opened>().pmu),
    ),
    of_event(
        &facts::PERF_CONFIG,
        |event, _| event.own(|perf: &Opened| Value::Int(perf.config.cast_signed())),
        |d, v| v.put(&mut d.act::<Opened>().config),
    ),
    of_event(
        &facts::PERF_SCOPE,
        |event, _| event.own(|perf: &Opened| perf.scope.map_or(Value::Absent, |scope| Value::Word(scope.word()))),
        |d, v| v.put_word(&mut d.act::<Opened>().scope),
    ),
    of_event(
        &facts::PERF_CPU,
        |event, _| event.own(|perf: &Opened| perf.cpu.map_or(Value::Absent, |cpu| Value::Int(cpu.into()))),
        |d, v| v.put(&mut d.act::<Opened>().cpu),
    ),
    of_event(
        &facts::PERF_FLAGS,
        |event, _| event.own(|perf: &Opened| Value::Int(perf.flags.into())),
        |d, v| v.put(&mut d.act::<Opened>().flags),
    ),
    of_event(
        &facts::PERF_ERRNO,
        |event, _| {
            event.own(|perf: &Opened| if perf.errno == 0 { Value::Absent } else { Value::Int(perf.errno.into()) })
        },
        |d, v| v.put(&mut d.act::<Opened>().errno),
    ),
    of_event(
        &facts::PERF_TARGET_PID,
        |event, host| of_target(event, host, &schema::process::PROCESS_PID),
        |d, v| v.put(&mut target(d).key.tgid),
    ),
    of_event(
        &facts::PERF_TARGET_PROGRAM_NAME,
        |event, host| of_target(event, host, &schema::process::PROGRAM_NAME),
        |d, v| v.put(&mut Arc::make_mut(&mut target(d).image).path),
    ),
    of_event(
        &facts::PERF_TARGET_UID,
        |event, host| of_target(event, host, &schema::process::UID),
        |d, v| v.put(&mut target(d).ids.uid),
    ),
    of_event(
        &facts::IS_PERF_TARGET_DESCENDANT,
        |event, _| event.own(|perf: &Opened| perf.target.is_so(perf.target.is_descendant)),
        |d, v| v.put(&mut d.act::<Opened>().target.is_descendant),
    ),
];
