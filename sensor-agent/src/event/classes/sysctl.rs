//! Settings of the kernel.

use schema::classes::sysctl as facts;
use schema::{EventType, Outcome};
use sensor_ebpf::classes::sysctl::{SysctlRecord, VALUE_LEN};

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Own, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Setting>(FIELDS);

/// A setting that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Setting {
    name: Vec<u8>,
    /// What the kernel has for it.
    value: Option<Vec<u8>>,
    errno: i32,
}

impl Own for Setting {
    fn size(&self) -> usize {
        size_of::<Self>() + self.name.capacity() + self.value.as_ref().map_or(0, Vec::capacity)
    }

    fn outcome(&self) -> Outcome {
        if self.errno == 0 { Outcome::Success } else { Outcome::Failure }
    }
}

impl Act for Setting {
    type Record = SysctlRecord;
    const EVENT: EventType = EventType::SysctlWrite;

    fn read(record: &SysctlRecord) -> Self {
        let name = name(record);
        let errno = record.error.saturating_abs();
        // The kernel has one for each namespace of these, and the record that of the host.
        let is_elsewhere = matches!(&*name, b"kernel.hostname" | b"kernel.domainname");
        let value = if errno != 0 || is_elsewhere { None } else { value(record) };
        Self { name, value, errno }
    }

    fn sentence(&self, program: &str) -> String {
        let name = lossless(&self.name);
        let value = self.value.as_ref().map(|value| format!(" to {}", lossless(value))).unwrap_or_default();
        let refused = if self.errno == 0 { String::new() } else { format!(", which failed (error {})", self.errno) };
        format!("Program {program} set {name}{value}{refused}")
    }
}

/// As sysctl(8) writes it: without the folder of all.
fn name(record: &SysctlRecord) -> Vec<u8> {
    let names = record.names.iter().map(|name| until_zero(name)).filter(|name| !name.is_empty());
    let mut names: Vec<&[u8]> = names.collect();
    if names.last() == Some(&b"sys".as_slice()) {
        names.pop();
    }
    names.reverse();
    let swapped = |name: &[u8]| name.iter().map(|&byte| if byte == b'.' { b'/' } else { byte }).collect::<Vec<u8>>();
    names.into_iter().map(swapped).collect::<Vec<_>>().join(&b'.')
}

/// A number or a text; none if it is neither.
fn value(record: &SysctlRecord) -> Option<Vec<u8>> {
    let [first, second, third, fourth, ..] = record.value;
    match record.size {
        0 => None,
        1 => Some(first.to_string().into_bytes()),
        4 => Some(i32::from_ne_bytes([first, second, third, fourth]).to_string().into_bytes()),
        // Two numbers, or a large one.
        2..=8 => None,
        _ => {
            let text = until_zero(record.value.get(..VALUE_LEN - 1).unwrap_or_default());
            // Several numbers have bytes that no text has.
            text.iter().all(|byte| !byte.is_ascii_control()).then(|| text.to_vec())
        }
    }
}

const fn unless_zero(number: i64) -> Value<'static> {
    if number == 0 { Value::Absent } else { Value::Int(number) }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::SYSCTL_NAME,
        |event, _| event.own(|setting: &Setting| Value::text(&setting.name)),
        |d, v| v.put(&mut d.act::<Setting>().name),
    ),
    of_event(
        &facts::SYSCTL_VALUE,
        |event, _| event.own(|setting: &Setting| setting.value.as_deref().map_or(Value::Absent, Value::text)),
        |d, v| v.put(&mut d.act::<Setting>().value),
    ),
    of_event(
        &facts::SYSCTL_ERRNO,
        |event, _| event.own(|setting: &Setting| unless_zero(setting.errno.into())),
        |d, v| v.put(&mut d.act::<Setting>().errno),
    ),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sensor_ebpf::classes::sysctl::{NAME_LEN, NAMES};

    use super::*;

    fn record(names: &[&[u8]], size: u32, value: &[u8]) -> SysctlRecord {
        // SAFETY: all of it is integers.
        let mut record: SysctlRecord = unsafe { std::mem::zeroed() };
        for (to, name) in record.names.iter_mut().zip(names) {
            to[..name.len()].copy_from_slice(name);
        }
        record.size = size;
        record.value[..value.len()].copy_from_slice(value);
        record
    }

    #[test]
    fn a_setting_is_called_as_people_write_it() {
        for (names, expected) in [
            (&[b"core_pattern".as_slice(), b"kernel", b"sys"][..], "kernel.core_pattern"),
            (&[b"forwarding", b"eth0.100", b"conf", b"ipv4", b"net", b"sys"], "net.ipv4.conf.eth0/100.forwarding"),
            (&[], ""),
        ] {
            assert_eq!(Setting::read(&record(names, 0, b"")).name, expected.as_bytes());
        }
    }

    #[test]
    fn a_value_is_told_where_it_is_known_what_it_is() {
        for (size, value, expected) in [
            (4, 2_i32.to_ne_bytes().as_slice(), Some("2")),
            (4, &(-1_i32).to_ne_bytes(), Some("-1")),
            (1, &[1], Some("1")),
            (128, b"|/bin/x %p\0rest", Some("|/bin/x %p")),
            (65, b"", Some("")),
            (16, &[4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0], None),
            (8, &5_u64.to_ne_bytes(), None),
            (0, b"", None),
        ] {
            let read = Setting::read(&record(&[b"x"], size, value));
            assert_eq!(read.value.as_deref(), expected.map(str::as_bytes), "{size} {value:?}");
        }
        let refused = SysctlRecord { error: -22, ..record(&[b"x"], 4, &[1]) };
        assert_eq!(Setting::read(&refused), Setting { name: b"x".to_vec(), value: None, errno: 22 });
        let of_namespace = record(&[b"hostname", b"kernel", b"sys"], 65, b"host");
        assert_eq!(Setting::read(&of_namespace).value, None);
    }

    proptest! {
        #[test]
        fn any_record_is_read(
            names: [[[u8; 20]; 2]; NAMES], size: u32, error: i32, value in prop::collection::vec(any::<u8>(), VALUE_LEN),
        ) {
            let mut record = record(&[], size, &value);
            record.error = error;
            for (to, [first, second]) in record.names.iter_mut().zip(names) {
                to[..NAME_LEN / 2].copy_from_slice(&first);
                to[NAME_LEN / 2..].copy_from_slice(&second);
            }
            let read = Setting::read(&record);
            prop_assert!(read.name.len() <= NAMES * (NAME_LEN + 1));
            prop_assert!(read.value.is_none_or(|value| value.len() < VALUE_LEN));
        }
    }
}
