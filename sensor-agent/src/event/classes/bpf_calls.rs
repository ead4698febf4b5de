//! BPF programs that are attached, and who gets at those of the sensor.

use schema::classes::bpf::{AttachType, ProgramType};
use schema::classes::bpf_calls as facts;
use schema::classes::bpf_calls::{BpfCall, SensorObject};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::bpf_calls::{BpfAttachRecord, SensorObjectRecord, call, object};

use super::{Act, Class, told_as, violated};
use crate::event::build::Draft;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Event, Own, Value, until_zero};

pub(super) const CLASS: Class = Class {
    fields: FIELDS,
    readers: &[super::reader::<Attached>(), super::reader::<Touched>()],
    detail: |kind, draft| match kind {
        EventType::SensorObject => draft.taken::<Touched>(),
        _ => draft.taken::<Attached>(),
    },
    sentence: |event, policy| {
        let told = told_as::<Attached>(event, policy).or_else(|| told_as::<Touched>(event, policy));
        told.unwrap_or_else(|| violated(event, policy))
    },
};

/// A program that was attached, or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Attached {
    did: Did,
    id: u32,
    program_type: Option<ProgramType>,
    attach_point: Option<AttachType>,
    name: Vec<u8>,
    function: Vec<u8>,
}

/// Something of the sensor's that somebody got at, or was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Touched {
    did: Did,
    object: Option<SensorObject>,
    id: u32,
    name: Vec<u8>,
}

/// What both have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Did {
    call: Option<BpfCall>,
    errno: i32,
}

impl Did {
    fn of(call: u32, error: i32) -> Self {
        let call = match call {
            call::PROG_ATTACH => Some(BpfCall::ProgAttach),
            call::LINK_CREATE => Some(BpfCall::LinkCreate),
            call::RAW_TRACEPOINT_OPEN => Some(BpfCall::RawTracepointOpen),
            call::LINK_UPDATE => Some(BpfCall::LinkUpdate),
            call::PERF_SET_BPF => Some(BpfCall::PerfSetBpf),
            call::GET_FD_BY_ID => Some(BpfCall::GetFdById),
            call::MAP_UPDATE => Some(BpfCall::MapUpdate),
            call::MAP_DELETE => Some(BpfCall::MapDelete),
            call::MAP_FREEZE => Some(BpfCall::MapFreeze),
            call::LINK_DETACH => Some(BpfCall::LinkDetach),
            _ => None,
        };
        Self { call, errno: error.saturating_abs() }
    }

    fn outcome(&self) -> Outcome {
        if self.errno == 0 { Outcome::Success } else { Outcome::Failure }
    }

    fn refused(&self) -> String {
        if self.errno == 0 { String::new() } else { format!(", which failed (error {})", self.errno) }
    }
}

impl Own for Attached {
    fn size(&self) -> usize {
        size_of::<Self>() + self.name.capacity() + self.function.capacity()
    }

    fn outcome(&self) -> Outcome {
        self.did.outcome()
    }
}

impl Own for Touched {
    fn size(&self) -> usize {
        size_of::<Self>() + self.name.capacity()
    }

    fn outcome(&self) -> Outcome {
        self.did.outcome()
    }
}

impl Act for Attached {
    type Record = BpfAttachRecord;
    const EVENT: EventType = EventType::BpfAttach;

    fn read(record: &BpfAttachRecord) -> Self {
        let program_type = (record.id != 0).then(|| ProgramType::of(record.program_type));
        Self {
            did: Did::of(record.call, record.error),
            id: record.id,
            program_type,
            attach_point: program_type.and_then(|kind| AttachType::of(kind, record.attach_type)),
            name: until_zero(&record.name).to_vec(),
            function: until_zero(&record.target).to_vec(),
        }
    }

    fn sentence(&self, program: &str) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", lossless(&self.name)) };
        let kind = self.program_type.map(|kind| format!(" of type {}", kind.word())).unwrap_or_default();
        let at = if self.function.is_empty() { String::new() } else { format!(" to {}", lossless(&self.function)) };
        format!("Program {program} attached the BPF program{name}{kind}{at}{}", self.did.refused())
    }
}

impl Act for Touched {
    type Record = SensorObjectRecord;
    const EVENT: EventType = EventType::SensorObject;

    fn read(record: &SensorObjectRecord) -> Self {
        Self {
            did: Did::of(record.call, record.error),
            object: match record.object {
                object::PROGRAM => Some(SensorObject::Program),
                object::MAP => Some(SensorObject::Map),
                object::LINK => Some(SensorObject::Link),
                _ => None,
            },
            id: record.id,
            name: until_zero(&record.name).to_vec(),
        }
    }

    fn sentence(&self, program: &str) -> String {
        let what = self.object.map_or("something", SensorObject::word);
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", lossless(&self.name)) };
        let did = match self.did.call {
            Some(BpfCall::GetFdById) | None => "got at",
            Some(BpfCall::LinkDetach) => "detached",
            Some(_) => "changed",
        };
        format!("Program {program} {did} the sensor's {what}{name}{}", self.did.refused())
    }
}

/// What both have, of an event of either kind.
fn did<'a>(event: &'a Event, read: fn(&'a Did) -> Value<'a>) -> Value<'a> {
    match event.detail.as_own::<Touched>() {
        Some(touched) => read(&touched.did),
        None => event.own(|attached: &Attached| read(&attached.did)),
    }
}

/// The same, of one that is written down by hand: both, as its kind may be said behind it.
fn write(draft: &mut Draft, did: &Did) {
    draft.part::<Touched>().did.clone_from(did);
    draft.act::<Attached>().did.clone_from(did);
}

const fn number(number: u32) -> Value<'static> {
    if number == 0 { Value::Absent } else { Value::Int(number as i64) }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::BPF_CALL,
        |event, _| did(event, |did| did.call.map_or(Value::Absent, |call| Value::Word(call.word()))),
        |d, v| {
            let mut did = d.part::<Attached>().did.clone();
            v.put_word(&mut did.call)?;
            write(d, &did);
            Ok(())
        },
    ),
    of_event(
        &facts::BPF_CALL_ERRNO,
        |event, _| did(event, |did| if did.errno == 0 { Value::Absent } else { Value::Int(did.errno.into()) }),
        |d, v| {
            let mut did = d.part::<Attached>().did.clone();
            v.put(&mut did.errno)?;
            write(d, &did);
            Ok(())
        },
    ),
    of_event(
        &facts::BPF_PROGRAM_NAME,
        |event, _| event.own(|program: &Attached| Value::text(&program.name)),
        |d, v| v.put(&mut d.act::<Attached>().name),
    ),
    of_event(
        &facts::BPF_PROGRAM_ID,
        |event, _| event.own(|program: &Attached| number(program.id)),
        |d, v| v.put(&mut d.act::<Attached>().id),
    ),
    of_event(
        &facts::BPF_PROGRAM_TYPE,
        |event, _| {
            event.own(|program: &Attached| program.program_type.map_or(Value::Absent, |kind| Value::Word(kind.word())))
        },
        |d, v| v.put_word(&mut d.act::<Attached>().program_type),
    ),
    of_event(
        &facts::BPF_ATTACH_POINT,
        |event, _| {
            event.own(|program: &Attached| program.attach_point.map_or(Value::Absent, |at| Value::Word(at.word())))
        },
        |d, v| v.put_word(&mut d.act::<Attached>().attach_point),
    ),
    of_event(
        &facts::BPF_FUNCTION,
        |event, _| event.own(|program: &Attached| Value::text(&program.function)),
        |d, v| v.put(&mut d.act::<Attached>().function),
    ),
    of_event(
        &facts::SENSOR_OBJECT,
        |event, _| {
            event.own(|touched: &Touched| touched.object.map_or(Value::Absent, |object| Value::Word(object.word())))
        },
        |d, v| v.put_word(&mut touched(d).object),
    ),
    of_event(
        &facts::SENSOR_OBJECT_NAME,
        |event, _| event.own(|touched: &Touched| Value::text(&touched.name)),
        |d, v| v.put(&mut touched(d).name),
    ),
    of_event(
        &facts::SENSOR_OBJECT_ID,
        |event, _| event.own(|touched: &Touched| number(touched.id)),
        |d, v| v.put(&mut touched(d).id),
    ),
];

/// What the event has, of one that is about the sensor's, whatever else it has.
fn touched(draft: &mut Draft) -> &mut Touched {
    draft.likeliest(EventType::SensorObject);
    draft.part()
}
