//! Namespaces, mounts and roots.

use schema::classes::containment as facts;
use schema::classes::containment::{MountCall, NamespaceCall};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::containment::{MountRecord, NamespaceRecord, call, places};

use super::{Act, Class, told_as, violated};
use crate::event::decode::turn_path;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{NOT_WHOLE, Own, Value, until_zero};

pub(super) const CLASS: Class = Class {
    fields: FIELDS,
    readers: &[super::reader::<Change>(), super::reader::<Mount>()],
    detail: |kind, draft| match kind {
        EventType::MountChange => draft.taken::<Mount>(),
        _ => draft.taken::<Change>(),
    },
    sentence: |event, policy| {
        let told = told_as::<Change>(event, policy).or_else(|| told_as::<Mount>(event, policy));
        told.unwrap_or_else(|| violated(event, policy))
    },
};

/// A process that goes on in other namespaces, or makes one that does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Change {
    call: Option<NamespaceCall>,
    /// Names of kinds with commas between.
    kinds: String,
    /// Of a clone.
    child: u32,
    errno: i32,
}

/// `CLONE_NEW…` of Linux.
const KINDS: [(u32, &str); 8] = [
    (0x0200_0000, "cgroup"),
    (0x0800_0000, "ipc"),
    (0x0002_0000, "mnt"),
    (0x4000_0000, "net"),
    (0x2000_0000, "pid"),
    (0x80, "time"),
    (0x1000_0000, "user"),
    (0x0400_0000, "uts"),
];

impl Own for Change {
    fn size(&self) -> usize {
        size_of::<Self>() + self.kinds.capacity()
    }

    fn outcome(&self) -> Outcome {
        if self.errno == 0 { Outcome::Success } else { Outcome::Failure }
    }
}

impl Act for Change {
    type Record = NamespaceRecord;
    const EVENT: EventType = EventType::NamespaceChange;

    fn read(record: &NamespaceRecord) -> Self {
        let call = match record.call {
            call::UNSHARE => Some(NamespaceCall::Unshare),
            call::SETNS => Some(NamespaceCall::Setns),
            call::CLONE => Some(NamespaceCall::Clone),
            _ => None,
        };
        let kinds = KINDS.iter().filter(|(bit, _)| record.kinds & bit != 0).map(|(_, name)| *name);
        Self {
            call,
            kinds: kinds.collect::<Vec<_>>().join(","),
            child: record.child,
            errno: record.error.saturating_abs(),
        }
    }

    fn sentence(&self, program: &str) -> String {
        let kinds = if self.kinds.is_empty() { String::new() } else { format!(" ({})", self.kinds) };
        let what = match self.call {
            Some(NamespaceCall::Unshare) | None => "made itself new namespaces",
            Some(NamespaceCall::Setns) => "entered other namespaces",
            Some(NamespaceCall::Clone) => "made a process in new namespaces",
        };
        format!("Program {program} {what}{kinds}{}", refused(self.errno))
    }
}

/// A file system that is mounted, moved, taken away, or made the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mount {
    call: Option<MountCall>,
    source: Vec<u8>,
    target: Vec<u8>,
    kind: Vec<u8>,
    flags: u64,
    errno: i32,
    /// Whether what came of it is not known.
    is_asked: bool,
}

/// `MS_BIND` of Linux.
const BIND: u64 = 4096;

impl Own for Mount {
    fn size(&self) -> usize {
        size_of::<Self>() + self.source.capacity() + self.target.capacity() + self.kind.capacity()
    }

    fn outcome(&self) -> Outcome {
        match self.errno {
            0 if self.is_asked => Outcome::Unknown,
            0 => Outcome::Success,
            _ => Outcome::Failure,
        }
    }
}

impl Act for Mount {
    type Record = MountRecord;
    const EVENT: EventType = EventType::MountChange;

    fn read(record: &MountRecord) -> Self {
        let is = |bit| record.places & bit != 0;
        let place = |bytes: &[u8], walked, cut| {
            let text = until_zero(bytes);
            if !is(walked) {
                return text.to_vec();
            }
            let mut path = Vec::new();
            turn_path(text, &mut path);
            if is(cut) {
                path.splice(..0, NOT_WHOLE.iter().copied());
            }
            path
        };
        let call = match record.call {
            call::MOUNT => Some(MountCall::Mount),
            call::UMOUNT => Some(MountCall::Umount),
            call::MOVE_MOUNT => Some(MountCall::MoveMount),
            call::PIVOT_ROOT => Some(MountCall::PivotRoot),
            call::CHROOT => Some(MountCall::Chroot),
            _ => None,
        };
        Self {
            call,
            source: place(&record.source, places::SOURCE_WALKED, places::SOURCE_CUT),
            target: place(&record.target, places::TARGET_WALKED, places::TARGET_CUT),
            kind: until_zero(&record.kind).to_vec(),
            flags: record.flags,
            errno: record.error.saturating_abs(),
            is_asked: is(places::ASKED),
        }
    }

    fn sentence(&self, program: &str) -> String {
        let (source, target) = (lossless(&self.source), lossless(&self.target));
        let what = match self.call {
            Some(MountCall::Mount) | None if self.source.is_empty() => format!("mounted something at {target}"),
            Some(MountCall::Mount) | None => format!("mounted {source} at {target}"),
            Some(MountCall::Umount) => format!("unmounted {target}"),
            Some(MountCall::MoveMount) if self.source.is_empty() => format!("moved a mount to {target}"),
            Some(MountCall::MoveMount) => format!("moved the mount of {source} to {target}"),
            Some(MountCall::PivotRoot) => format!("made {source} the root of its namespace"),
            Some(MountCall::Chroot) => format!("made {target} its root"),
        };
        format!("Program {program} {what}{}", refused(self.errno))
    }
}

fn refused(errno: i32) -> String {
    if errno == 0 { String::new() } else { format!(", which failed (error {errno})") }
}

fn word(word: Option<&'static str>) -> Value<'static> {
    word.map_or(Value::Absent, Value::Word)
}

const fn unless_zero(number: i64) -> Value<'static> {
    if number == 0 { Value::Absent } else { Value::Int(number) }
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::NAMESPACE_CALL,
        |event, _| event.own(|change: &Change| word(change.call.map(NamespaceCall::word))),
        |d, v| v.put_word(&mut d.act::<Change>().call),
    ),
    of_event(
        &facts::NAMESPACE_KINDS,
        |event, _| event.own(|change: &Change| Value::text(change.kinds.as_bytes())),
        |d, v| v.put(&mut d.act::<Change>().kinds),
    ),
    of_event(
        &facts::CHILD_PID,
        |event, _| event.own(|change: &Change| unless_zero(change.child.into())),
        |d, v| v.put(&mut d.act::<Change>().child),
    ),
    of_event(
        &facts::NAMESPACE_ERRNO,
        |event, _| event.own(|change: &Change| unless_zero(change.errno.into())),
        |d, v| v.put(&mut d.act::<Change>().errno),
    ),
    of_event(
        &facts::MOUNT_CALL,
        |event, _| event.own(|mount: &Mount| word(mount.call.map(MountCall::word))),
        |d, v| v.put_word(&mut d.act::<Mount>().call),
    ),
    of_event(
        &facts::MOUNT_SOURCE,
        |event, _| event.own(|mount: &Mount| Value::text(&mount.source)),
        |d, v| v.put(&mut d.act::<Mount>().source),
    ),
    of_event(
        &facts::MOUNT_TARGET,
        |event, _| event.own(|mount: &Mount| Value::text(&mount.target)),
        |d, v| v.put(&mut d.act::<Mount>().target),
    ),
    of_event(
        &facts::MOUNT_TYPE,
        |event, _| event.own(|mount: &Mount| Value::text(&mount.kind)),
        |d, v| v.put(&mut d.act::<Mount>().kind),
    ),
    of_event(
        &facts::MOUNT_FLAGS,
        |event, _| event.own(|mount: &Mount| Value::Int(mount.flags.cast_signed())),
        |d, v| {
            d.act::<Mount>().flags |= v.take::<u64>()?;
            Ok(())
        },
    ),
    of_event(
        &facts::IS_BIND_MOUNT,
        |event, _| event.own(|mount: &Mount| Value::Bool(mount.flags & BIND != 0)),
        |d, v| {
            if v.take()? {
                d.act::<Mount>().flags |= BIND;
            }
            Ok(())
        },
    ),
    of_event(
        &facts::MOUNT_ERRNO,
        |event, _| event.own(|mount: &Mount| unless_zero(mount.errno.into())),
        |d, v| v.put(&mut d.act::<Mount>().errno),
    ),
];

#[cfg(test)]
mod tests {
    use sensor_ebpf::classes::containment::{PLACE_LEN, TYPE_LEN};
    use sensor_ebpf::record::{Actor, Header};

    use super::*;

    #[test]
    fn a_place_that_was_not_found_may_be_any() {
        let mount = Mount::read(&MountRecord {
            header: Header { layout: 0, kind: 0, len: 0, time: 0 },
            actor: Actor::default(),
            flags: 0,
            call: call::MOUNT,
            error: 0,
            places: places::TARGET_WALKED | places::TARGET_CUT,
            reserved: 0,
            kind: [0; TYPE_LEN],
            source: [0; PLACE_LEN],
            target: [0; PLACE_LEN],
        });
        assert_eq!((mount.source.as_slice(), mount.target.as_slice()), (&b""[..], "…/".as_bytes()));
    }
}
