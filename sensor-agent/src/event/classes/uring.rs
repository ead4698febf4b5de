//! Rings of `io_uring`.

use schema::EventType;
use schema::classes::uring as facts;
use sensor_ebpf::classes::uring::IoUringRecord;

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::{Own, Value};

pub(super) const CLASS: Class = Class::of_act::<Ring>(FIELDS);

/// A ring that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ring {
    entries: u32,
    flags: u32,
}

/// `IORING_SETUP_SQPOLL` of Linux.
const POLLED: u32 = 1 << 1;

impl Own for Ring {
    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

impl Act for Ring {
    type Record = IoUringRecord;
    const EVENT: EventType = EventType::IoUringSetup;

    fn read(record: &IoUringRecord) -> Self {
        Self { entries: record.entries, flags: record.flags }
    }

    fn sentence(&self, program: &str) -> String {
        let polled = if self.flags & POLLED == 0 { "" } else { ", at which the kernel looks by itself" };
        format!("Program {program} made a ring of io_uring{polled}")
    }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::IO_URING_ENTRIES,
        |event, _| event.own(|ring: &Ring| Value::Int(ring.entries.into())),
        |d, v| v.put(&mut d.act::<Ring>().entries),
    ),
    of_event(
        &facts::IO_URING_FLAGS,
        |event, _| event.own(|ring: &Ring| Value::Int(ring.flags.into())),
        |d, v| {
            d.act::<Ring>().flags |= v.take::<u32>()?;
            Ok(())
        },
    ),
    of_event(
        &facts::IS_IO_URING_POLLED,
        |event, _| event.own(|ring: &Ring| Value::Bool(ring.flags & POLLED != 0)),
        |d, v| {
            let is_so = v.take()?;
            let ring = d.act::<Ring>();
            if is_so {
                ring.flags |= POLLED;
            }
            Ok(())
        },
    ),
];
