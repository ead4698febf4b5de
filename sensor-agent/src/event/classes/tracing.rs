//! Processes that get at others.

use std::sync::Arc;

use schema::classes::tracing as facts;
use schema::classes::tracing::Request;
use schema::{Activity, EventType, Outcome};
use sensor_ebpf::classes::tracing::{TraceRecord, request};
use sensor_ebpf::record::Actor;

use super::target::{Target, of_target};
use super::{Act, Class};
use crate::event::build::Draft;
use crate::event::fields::{Field, of_event};
use crate::event::{Detail, Own, Process, Value};

pub(super) const CLASS: Class = Class::of_act::<Trace>(FIELDS);

/// A process that got at another one, or was refused that.
#[derive(Clone, Debug, Default)]
struct Trace {
    request: Option<Request>,
    /// Zero if it was not refused.
    errno: i32,
    target: Target,
}

impl Own for Trace {
    fn size(&self) -> usize {
        size_of::<Self>() + self.target.size()
    }

    fn activity(&self) -> Activity {
        if self.request.is_some_and(Request::is_write) { Activity::ProcessInjection } else { Activity::ProcessAccess }
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

impl Act for Trace {
    type Record = TraceRecord;
    const EVENT: EventType = EventType::Trace;

    fn read(record: &TraceRecord) -> Self {
        let request = match record.request {
            request::ATTACH => Some(Request::Attach),
            request::SEIZE => Some(Request::Seize),
            request::TRACEME => Some(Request::Traceme),
            request::PROCESS_VM_WRITEV => Some(Request::ProcessVmWritev),
            request::MEM_WRITE => Some(Request::MemWrite),
            request::PIDFD_GETFD => Some(Request::PidfdGetfd),
            _ => None,
        };
        Self { request, errno: record.error.saturating_abs(), target: Target::of(record.target) }
    }

    fn sentence(&self, program: &str) -> String {
        let target = self.target.name();
        let was = if self.errno == 0 { String::new() } else { format!(", which failed (error {})", self.errno) };
        match self.request {
            Some(Request::Attach | Request::Seize) | None => format!("Program {program} traced {target}{was}"),
            Some(Request::Traceme) => format!("Program {program} asked to be traced by {target}{was}"),
            Some(Request::ProcessVmWritev | Request::MemWrite) => {
                format!("Program {program} wrote into the memory of {target}{was}")
            }
            Some(Request::PidfdGetfd) => format!("Program {program} took a descriptor of {target}{was}"),
        }
    }
}

/// The target of an event that is written down by hand.
fn target(draft: &mut Draft) -> &mut Process {
    draft.act::<Trace>().target.draft()
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::TRACE_REQUEST,
        |event, _| {
            event.own(|trace: &Trace| trace.request.map_or(Value::Absent, |request| Value::Word(request.word())))
        },
        |d, v| v.put_word(&mut d.act::<Trace>().request),
    ),
    of_event(
        &facts::TRACE_ERRNO,
        |event, _| {
            event.own(|trace: &Trace| if trace.errno == 0 { Value::Absent } else { Value::Int(trace.errno.into()) })
        },
        |d, v| v.put(&mut d.act::<Trace>().errno),
    ),
    of_event(
        &facts::TARGET_PID,
        |event, host| of_target(event, host, &schema::process::PROCESS_PID),
        |d, v| v.put(&mut target(d).key.tgid),
    ),
    of_event(
        &facts::TARGET_PROGRAM_NAME,
        |event, host| of_target(event, host, &schema::process::PROGRAM_NAME),
        |d, v| v.put(&mut Arc::make_mut(&mut target(d).image).path),
    ),
    of_event(
        &facts::TARGET_COMMAND_LINE,
        |event, host| of_target(event, host, &schema::process::COMMAND_LINE),
        |d, v| {
            let line: Vec<u8> = v.take()?;
            let args: Vec<u8> = line.iter().map(|&byte| if byte == b' ' { 0 } else { byte }).chain([0]).collect();
            Arc::make_mut(&mut target(d).image).args.set(&args, &[], args.len() as u64, false);
            Ok(())
        },
    ),
    of_event(
        &facts::TARGET_UID,
        |event, host| of_target(event, host, &schema::process::UID),
        |d, v| v.put(&mut target(d).ids.uid),
    ),
    of_event(
        &facts::TARGET_EUID,
        |event, host| of_target(event, host, &schema::process::EUID),
        |d, v| v.put(&mut target(d).ids.euid),
    ),
    of_event(
        &facts::TARGET_CONTAINER_ID,
        |event, host| of_target(event, host, &schema::process::CONTAINER_ID),
        |d, v| v.put(&mut Arc::make_mut(target(d).container.get_or_insert_default()).id),
    ),
    of_event(
        &facts::IS_TARGET_CONTAINER,
        |event, host| of_target(event, host, &schema::process::IS_CONTAINER),
        |d, v| {
            if v.take()? {
                target(d).container.get_or_insert_default();
            }
            Ok(())
        },
    ),
    of_event(
        &facts::IS_TARGET_ITSELF,
        |event, _| event.own(|trace: &Trace| trace.target.is_so(trace.target.is_itself)),
        |d, v| v.put(&mut d.act::<Trace>().target.is_itself),
    ),
    of_event(
        &facts::IS_TARGET_DESCENDANT,
        |event, _| event.own(|trace: &Trace| trace.target.is_so(trace.target.is_descendant)),
        |d, v| v.put(&mut d.act::<Trace>().target.is_descendant),
    ),
];
