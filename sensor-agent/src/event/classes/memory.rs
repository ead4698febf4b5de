//! What was data becomes code, files that are in memory alone, and faults that a program handles itself.

use schema::classes::memory as facts;
use schema::classes::memory::{MemoryCall, MemoryKind};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::memory::{MemfdRecord, MemoryRecord, UserfaultfdRecord, call, kind};

use super::{Act, Class, told_as, violated};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Own, Value, until_zero};

pub(super) const CLASS: Class = Class {
    fields: FIELDS,
    readers: &[super::reader::<Executable>(), super::reader::<Memfd>(), super::reader::<Faults>()],
    detail: |kind, draft| match kind {
        EventType::MemfdCreate => draft.taken::<Memfd>(),
        EventType::Userfaultfd => draft.taken::<Faults>(),
        _ => draft.taken::<Executable>(),
    },
    sentence: |event, policy| {
        let told = told_as::<Executable>(event, policy).or_else(|| told_as::<Memfd>(event, policy));
        told.or_else(|| told_as::<Faults>(event, policy)).unwrap_or_else(|| violated(event, policy))
    },
};

/// Memory that becomes executable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Executable {
    call: Option<MemoryCall>,
    kind: Option<MemoryKind>,
    protection: String,
    size: u64,
    file: Vec<u8>,
    errno: i32,
}

/// A file that is made in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Memfd {
    name: Vec<u8>,
    flags: u32,
    errno: i32,
}

/// A process that handles faults of its memory itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Faults {
    flags: u32,
    errno: i32,
}

/// `UFFD_USER_MODE_ONLY` of Linux.
const USER_MODE_ONLY: u32 = 1;

const fn outcome(errno: i32) -> Outcome {
    if errno == 0 { Outcome::Success } else { Outcome::Failure }
}

fn refused(errno: i32) -> String {
    if errno == 0 { String::new() } else { format!(", which failed (error {errno})") }
}

impl Own for Executable {
    fn size(&self) -> usize {
        size_of::<Self>() + self.protection.capacity() + self.file.capacity()
    }

    fn outcome(&self) -> Outcome {
        outcome(self.errno)
    }
}

impl Own for Memfd {
    fn size(&self) -> usize {
        size_of::<Self>() + self.name.capacity()
    }

    fn outcome(&self) -> Outcome {
        outcome(self.errno)
    }
}

impl Own for Faults {
    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn outcome(&self) -> Outcome {
        outcome(self.errno)
    }
}

impl Act for Executable {
    type Record = MemoryRecord;
    const EVENT: EventType = EventType::MemoryExec;

    fn read(record: &MemoryRecord) -> Self {
        let kind = match record.kind {
            kind::ANONYMOUS => Some(MemoryKind::Anonymous),
            kind::STACK => Some(MemoryKind::Stack),
            kind::HEAP => Some(MemoryKind::Heap),
            kind::WRITTEN => Some(MemoryKind::Written),
            kind::MEMFD => Some(MemoryKind::Memfd),
            kind::SHARED => Some(MemoryKind::Shared),
            _ => None,
        };
        let call = match record.call {
            call::MMAP => Some(MemoryCall::Mmap),
            call::MPROTECT => Some(MemoryCall::Mprotect),
            _ => None,
        };
        let letter = |(bit, letter)| if record.protection & bit != 0 { letter } else { '-' };
        Self {
            call,
            kind,
            protection: [(1, 'r'), (2, 'w'), (4, 'x')].into_iter().map(letter).collect(),
            size: record.size,
            file: until_zero(&record.name).to_vec(),
            errno: record.error.saturating_abs(),
        }
    }

    fn sentence(&self, program: &str) -> String {
        let kind = self.kind.map(|kind| format!(" ({})", kind.word())).unwrap_or_default();
        let file = if self.file.is_empty() { String::new() } else { format!(" of {}", lossless(&self.file)) };
        format!("Program {program} made {} bytes of memory{kind}{file} executable{}", self.size, refused(self.errno))
    }
}

impl Act for Memfd {
    type Record = MemfdRecord;
    const EVENT: EventType = EventType::MemfdCreate;

    fn read(record: &MemfdRecord) -> Self {
        let name = until_zero(&record.name);
        let name = if record.error == 0 { name.strip_prefix(b"memfd:").unwrap_or(name) } else { name };
        Self { name: name.to_vec(), flags: record.flags, errno: record.error.saturating_abs() }
    }

    fn sentence(&self, program: &str) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" {}", lossless(&self.name)) };
        format!("Program {program} made the file{name} in memory{}", refused(self.errno))
    }
}

impl Act for Faults {
    type Record = UserfaultfdRecord;
    const EVENT: EventType = EventType::Userfaultfd;

    fn read(record: &UserfaultfdRecord) -> Self {
        Self { flags: record.flags, errno: record.error.saturating_abs() }
    }

    fn sentence(&self, program: &str) -> String {
        let whose = if self.flags & USER_MODE_ONLY == 0 { ", the kernel's on its behalf too" } else { "" };
        format!("Program {program} asked to handle faults of its memory itself{whose}{}", refused(self.errno))
    }
}

const fn unless_zero(number: i64) -> Value<'static> {
    if number == 0 { Value::Absent } else { Value::Int(number) }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::MEMORY_CALL,
        |event, _| event.own(|memory: &Executable| memory.call.map_or(Value::Absent, |call| Value::Word(call.word()))),
        |d, v| v.put_word(&mut d.act::<Executable>().call),
    ),
    of_event(
        &facts::MEMORY_KIND,
        |event, _| event.own(|memory: &Executable| memory.kind.map_or(Value::Absent, |kind| Value::Word(kind.word()))),
        |d, v| v.put_word(&mut d.act::<Executable>().kind),
    ),
    of_event(
        &facts::MEMORY_PROTECTION,
        |event, _| event.own(|memory: &Executable| Value::text(memory.protection.as_bytes())),
        |d, v| v.put(&mut d.act::<Executable>().protection),
    ),
    of_event(
        &facts::MEMORY_SIZE,
        |event, _| event.own(|memory: &Executable| Value::Int(memory.size.cast_signed())),
        |d, v| v.put(&mut d.act::<Executable>().size),
    ),
    of_event(
        &facts::MEMORY_FILE,
        |event, _| event.own(|memory: &Executable| Value::text(&memory.file)),
        |d, v| v.put(&mut d.act::<Executable>().file),
    ),
    of_event(
        &facts::MEMORY_ERRNO,
        |event, _| event.own(|memory: &Executable| unless_zero(memory.errno.into())),
        |d, v| v.put(&mut d.act::<Executable>().errno),
    ),
    of_event(
        &facts::MEMFD_NAME,
        |event, _| event.own(|memfd: &Memfd| Value::text(&memfd.name)),
        |d, v| v.put(&mut d.act::<Memfd>().name),
    ),
    of_event(
        &facts::MEMFD_FLAGS,
        |event, _| event.own(|memfd: &Memfd| Value::Int(memfd.flags.into())),
        |d, v| v.put(&mut d.act::<Memfd>().flags),
    ),
    of_event(
        &facts::MEMFD_ERRNO,
        |event, _| event.own(|memfd: &Memfd| unless_zero(memfd.errno.into())),
        |d, v| v.put(&mut d.act::<Memfd>().errno),
    ),
    of_event(
        &facts::USERFAULTFD_FLAGS,
        |event, _| event.own(|faults: &Faults| Value::Int(faults.flags.into())),
        |d, v| {
            d.act::<Faults>().flags |= v.take::<u32>()?;
            Ok(())
        },
    ),
    of_event(
        &facts::IS_USER_MODE_ONLY,
        |event, _| event.own(|faults: &Faults| Value::Bool(faults.flags & USER_MODE_ONLY != 0)),
        |d, v| {
            let is_so = v.take()?;
            let faults = d.act::<Faults>();
            if is_so {
                faults.flags |= USER_MODE_ONLY;
            }
            Ok(())
        },
    ),
    of_event(
        &facts::USERFAULTFD_ERRNO,
        |event, _| event.own(|faults: &Faults| unless_zero(faults.errno.into())),
        |d, v| v.put(&mut d.act::<Faults>().errno),
    ),
];
