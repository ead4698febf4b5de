//! Kernels that are loaded to be started in the place of the running one.

use schema::classes::kexec as facts;
use schema::classes::kexec::KexecCall;
use schema::{EventType, Outcome};
use sensor_ebpf::classes::kexec::{KexecRecord, call};

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Own, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Kexec>(FIELDS);

/// A kernel that was loaded, taken back, or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Kexec {
    call: Option<KexecCall>,
    file: Vec<u8>,
    flags: u32,
    is_unload: bool,
    errno: i32,
}

impl Own for Kexec {
    fn size(&self) -> usize {
        size_of::<Self>() + self.file.capacity()
    }

    fn outcome(&self) -> Outcome {
        if self.errno == 0 { Outcome::Success } else { Outcome::Failure }
    }
}

impl Act for Kexec {
    type Record = KexecRecord;
    const EVENT: EventType = EventType::KexecLoad;

    fn read(record: &KexecRecord) -> Self {
        Self {
            call: match record.call {
                call::LOAD => Some(KexecCall::Load),
                call::FILE_LOAD => Some(KexecCall::FileLoad),
                _ => None,
            },
            file: until_zero(&record.name).to_vec(),
            flags: record.flags,
            is_unload: record.is_unload != 0,
            errno: record.error.saturating_abs(),
        }
    }

    fn sentence(&self, program: &str) -> String {
        let refused = if self.errno == 0 { String::new() } else { format!(", which failed (error {})", self.errno) };
        if self.is_unload {
            return format!("Program {program} took back the kernel that was to be started next{refused}");
        }
        let file = if self.file.is_empty() { String::new() } else { format!(" of the file {}", lossless(&self.file)) };
        format!("Program {program} loaded another kernel{file} to be started in the place of this one{refused}")
    }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::KEXEC_CALL,
        |event, _| event.own(|kexec: &Kexec| kexec.call.map_or(Value::Absent, |call| Value::Word(call.word()))),
        |d, v| v.put_word(&mut d.act::<Kexec>().call),
    ),
    of_event(
        &facts::KEXEC_FILE,
        |event, _| event.own(|kexec: &Kexec| Value::text(&kexec.file)),
        |d, v| v.put(&mut d.act::<Kexec>().file),
    ),
    of_event(
        &facts::KEXEC_FLAGS,
        |event, _| event.own(|kexec: &Kexec| Value::Int(kexec.flags.into())),
        |d, v| v.put(&mut d.act::<Kexec>().flags),
    ),
    of_event(
        &facts::IS_KEXEC_UNLOAD,
        |event, _| event.own(|kexec: &Kexec| Value::Bool(kexec.is_unload)),
        |d, v| v.put(&mut d.act::<Kexec>().is_unload),
    ),
    of_event(
        &facts::KEXEC_ERRNO,
        |event, _| {
            event.own(|kexec: &Kexec| if kexec.errno == 0 { Value::Absent } else { Value::Int(kexec.errno.into()) })
        },
        |d, v| v.put(&mut d.act::<Kexec>().errno),
    ),
];
