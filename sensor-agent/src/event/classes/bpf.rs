//! BPF programs.

use schema::EventType;
use schema::classes::bpf as facts;
use schema::classes::bpf::{AttachType, ProgramType};
use sensor_ebpf::classes::bpf::BpfRecord;

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Own, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Program>(FIELDS);

/// A BPF program that was loaded into the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Program {
    /// The kernel's id of it.
    id: u32,
    program_type: Option<ProgramType>,
    attach_type: Option<AttachType>,
    instructions: u32,
    /// Hexadecimal digits.
    tag: Vec<u8>,
    name: Vec<u8>,
    target: Vec<u8>,
}

impl Own for Program {
    fn size(&self) -> usize {
        size_of::<Self>() + self.tag.capacity() + self.name.capacity() + self.target.capacity()
    }
}

impl Act for Program {
    type Record = BpfRecord;
    const EVENT: EventType = EventType::BpfLoad;

    fn read(record: &BpfRecord) -> Self {
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

    fn sentence(&self, program: &str) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", lossless(&self.name)) };
        let kind = self.program_type.map(|kind| format!(" of type {}", kind.word())).unwrap_or_default();
        let target = if self.target.is_empty() { String::new() } else { format!(" for {}", lossless(&self.target)) };
        format!("Program {program} loaded the BPF program{name}{kind}{target} into the kernel")
    }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::BPF_NAME,
        |event, _| event.own(|program: &Program| Value::text(&program.name)),
        |d, v| v.put(&mut d.act::<Program>().name),
    ),
    of_event(
        &facts::BPF_ID,
        |event, _| event.own(|program: &Program| Value::Int(program.id.into())),
        |d, v| v.put(&mut d.act::<Program>().id),
    ),
    of_event(
        &facts::BPF_TYPE,
        |event, _| event.own(|program: &Program| word(program.program_type.map(ProgramType::word))),
        |d, v| v.put_word(&mut d.act::<Program>().program_type),
    ),
    of_event(
        &facts::BPF_ATTACH_TYPE,
        |event, _| event.own(|program: &Program| word(program.attach_type.map(AttachType::word))),
        |d, v| v.put_word(&mut d.act::<Program>().attach_type),
    ),
    of_event(
        &facts::BPF_TARGET,
        |event, _| event.own(|program: &Program| Value::text(&program.target)),
        |d, v| v.put(&mut d.act::<Program>().target),
    ),
    of_event(
        &facts::BPF_INSTRUCTIONS,
        |event, _| event.own(|program: &Program| Value::Int(program.instructions.into())),
        |d, v| v.put(&mut d.act::<Program>().instructions),
    ),
    of_event(
        &facts::BPF_TAG,
        |event, _| event.own(|program: &Program| Value::text(&program.tag)),
        |d, v| v.put(&mut d.act::<Program>().tag),
    ),
];

fn word(word: Option<&'static str>) -> Value<'static> {
    word.map_or(Value::Absent, Value::Word)
}
