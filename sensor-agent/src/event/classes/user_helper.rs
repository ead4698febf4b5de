//! Programs that the kernel itself has run, in the name of nobody.

use schema::EventType;
use schema::classes::user_helper as facts;
use sensor_ebpf::classes::user_helper::UserHelperRecord;

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Own, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Helper>(FIELDS);

/// A program that the kernel is about to have run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Helper {
    path: Vec<u8>,
    command_line: Vec<u8>,
}

impl Own for Helper {
    fn size(&self) -> usize {
        size_of::<Self>() + self.path.capacity() + self.command_line.capacity()
    }
}

impl Act for Helper {
    type Record = UserHelperRecord;
    const EVENT: EventType = EventType::UserHelper;

    fn read(record: &UserHelperRecord) -> Self {
        let arguments: Vec<&[u8]> =
            record.arguments.iter().take(record.count as usize).map(|argument| until_zero(argument)).collect();
        Self { path: until_zero(&record.path).to_vec(), command_line: arguments.join(&b' ') }
    }

    fn sentence(&self, program: &str) -> String {
        format!("The kernel has {} run, to which program {program} gave occasion", lossless(&self.path))
    }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::HELPER_PATH,
        |event, _| event.own(|helper: &Helper| Value::text(&helper.path)),
        |d, v| v.put(&mut d.act::<Helper>().path),
    ),
    of_event(
        &facts::HELPER_COMMAND_LINE,
        |event, _| event.own(|helper: &Helper| Value::text(&helper.command_line)),
        |d, v| v.put(&mut d.act::<Helper>().command_line),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::decode::fixed;

    #[test]
    fn arguments_are_as_many_as_there_are() {
        let mut record: UserHelperRecord = fixed(&[0; size_of::<UserHelperRecord>()]).expect("a record");
        record.path[..14].copy_from_slice(b"/sbin/modprobe");
        for (place, argument) in [&b"/sbin/modprobe"[..], b"-q", b"--", b"net-pf-9"].into_iter().enumerate() {
            record.arguments[place][..argument.len()].copy_from_slice(argument);
        }
        for (count, line) in [(0, &b""[..]), (2, b"/sbin/modprobe -q"), (u32::MAX, b"/sbin/modprobe -q -- net-pf-9")] {
            record.count = count;
            let helper = Helper::read(&record);
            assert_eq!((&*helper.path, &*helper.command_line), (&b"/sbin/modprobe"[..], line), "{count}");
        }
    }
}
