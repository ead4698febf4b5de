//! BPF programs.

use schema::EventType;
use schema::classes::bpf as facts;
use schema::classes::bpf::{AttachType, ProgramType};
use sensor_ebpf::record::{BpfRecord, kind};

use super::{Class, Reader};
use crate::event::build::Draft;
use crate::event::decode::fixed;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Detail, Event, Own, Value, until_zero};

pub(super) const CLASS: Class = Class {
    fields: FIELDS,
    readers: READERS,
    detail: |_, draft| Detail::own(std::mem::take(written(draft))),
    sentence,
};

/// A BPF program that was loaded into the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    /// The kernel's id of it.
    pub id: u32,
    pub program_type: Option<ProgramType>,
    pub attach_type: Option<AttachType>,
    pub instructions: u32,
    /// Hexadecimal digits.
    pub tag: Vec<u8>,
    pub name: Vec<u8>,
    pub target: Vec<u8>,
}

impl Own for Program {
    fn size(&self) -> usize {
        size_of::<Self>() + self.tag.capacity() + self.name.capacity() + self.target.capacity()
    }
}

impl From<&BpfRecord> for Program {
    fn from(record: &BpfRecord) -> Self {
        let program_type = ProgramType::of(record.program_type);
        Self {
            id: record.id,
            program_type: Some(program_type),
            attach_type: AttachType::of(program_type, record.attach_type),
            instructions: record.instructions,
            tag: format!("{:016x}", u64::from_be_bytes(record.tag)).into_bytes(),
            name: until_zero(&record.name).to_vec(),
            target: until_zero(&record.target).to_vec(),
        }
    }
}

const READERS: &[Reader] = &[Reader {
    record: kind::BPF,
    event: EventType::BpfLoad,
    detail: |bytes| Ok(Detail::own(Program::from(&fixed::<BpfRecord>(bytes)?))),
}];

const FIELDS: &[Field] = &[
    of_event(
        &facts::BPF_NAME,
        |event, _| event.own(|program: &Program| Value::text(&program.name)),
        |d, v| v.put(&mut written(d).name),
    ),
    of_event(
        &facts::BPF_ID,
        |event, _| event.own(|program: &Program| Value::Int(program.id.into())),
        |d, v| v.put(&mut written(d).id),
    ),
    of_event(
        &facts::BPF_TYPE,
        |event, _| event.own(|program: &Program| word(program.program_type.map(ProgramType::word))),
        |d, v| v.put_word(&mut written(d).program_type),
    ),
    of_event(
        &facts::BPF_ATTACH_TYPE,
        |event, _| event.own(|program: &Program| word(program.attach_type.map(AttachType::word))),
        |d, v| v.put_word(&mut written(d).attach_type),
    ),
    of_event(
        &facts::BPF_TARGET,
        |event, _| event.own(|program: &Program| Value::text(&program.target)),
        |d, v| v.put(&mut written(d).target),
    ),
    of_event(
        &facts::BPF_INSTRUCTIONS,
        |event, _| event.own(|program: &Program| Value::Int(program.instructions.into())),
        |d, v| v.put(&mut written(d).instructions),
    ),
    of_event(
        &facts::BPF_TAG,
        |event, _| event.own(|program: &Program| Value::text(&program.tag)),
        |d, v| v.put(&mut written(d).tag),
    ),
];

fn word(word: Option<&'static str>) -> Value<'static> {
    word.map_or(Value::Absent, Value::Word)
}

fn written(draft: &mut Draft) -> &mut Program {
    draft.likely(EventType::BpfLoad);
    draft.part()
}

fn sentence(event: &Event, policy: &str) -> String {
    let path = lossless(&event.process.image.path);
    let Some(Program { name, program_type, target, .. }) = event.detail.as_own() else {
        return format!("Program {path} violated policy {policy}");
    };
    let name = if name.is_empty() { String::new() } else { format!(" {}", lossless(name)) };
    let kind = program_type.map(|kind| format!(" of type {}", kind.word())).unwrap_or_default();
    let target = if target.is_empty() { String::new() } else { format!(" for {}", lossless(target)) };
    format!("Program {path} loaded the BPF program{name}{kind}{target} into the kernel; policy {policy}")
}
