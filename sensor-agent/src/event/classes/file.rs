//! Files: created, opened to be changed, deleted, renamed, linked, changed in what is known of them.

use rustix::fs::{major, makedev, minor};
use schema::classes::file as facts;
use schema::classes::file::{Attribute, FileType};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::file::{FileRecord, changed, flags, kind};
use sensor_ebpf::record::exec_flags;

use super::{Class, Reader};
use crate::event::build::Draft;
use crate::event::decode::{DecodeError, fixed, sections, turn_path};
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Detail, Event, NOT_WHOLE, Own, Place, Value};

pub(super) const CLASS: Class = Class { fields: FIELDS, readers: READERS, detail: written, sentence };

const READERS: &[Reader] = &[
    reader(kind::CREATE, EventType::FileCreate),
    reader(kind::OPEN_FOR_MODIFY, EventType::FileOpenForModify),
    reader(kind::TRUNCATE, EventType::FileModify),
    reader(kind::DELETE, EventType::FileDelete),
    reader(kind::RENAME, EventType::FileRename),
    reader(kind::LINK, EventType::FileLink),
    reader(kind::ATTRIBUTES, EventType::FileAttributeChange),
    reader(kind::OPEN, EventType::FileOpen),
];

const fn reader(record: u16, event: EventType) -> Reader {
    Reader { record, event, size: size_of::<FileRecord>(), detail: |bytes| File::read(bytes).map(Detail::own) }
}

/// What was done to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct File {
    path: Vec<u8>,
    target: Vec<u8>,
    /// Bits of [`exec_flags`], of each.
    flags: u32,
    target_flags: u32,
    file_type: Option<FileType>,
    /// None of what did not come about.
    inode: Option<u64>,
    /// In the kernel's own encoding; likewise.
    device: Option<u32>,
    now: Option<Facts>,
    before: Option<Facts>,
    attribute: Option<Attribute>,
    attribute_name: Vec<u8>,
    is_exchange: bool,
    /// An errno; zero if it came about.
    error: i32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    mode: u32,
    owner: u32,
    group: u32,
}

impl Own for File {
    fn size(&self) -> usize {
        size_of::<Self>() + self.path.capacity() + self.target.capacity() + self.attribute_name.capacity()
    }

    fn outcome(&self) -> Outcome {
        if self.error == 0 { Outcome::Success } else { Outcome::Failure }
    }

    fn file_path(&self) -> Option<Value<'_>> {
        Some(Self::place(&self.path, self.flags))
    }
}

impl File {
    fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let record: FileRecord = fixed(bytes)?;
        let mut section = sections(bytes, size_of::<FileRecord>());
        let (path, target, name) = (section(record.path_len)?, section(record.target_len)?, section(record.name_len)?);
        let is_there = record.mode != 0;
        let is_symlink = FileType::of_mode(record.mode) == Some(FileType::Symlink);
        // What a symbolic link holds that is made is no path of the kernel's.
        let is_held = record.header.kind == kind::CREATE;
        Ok(Self {
            path: whole(path, record.flags),
            target: match target {
                held if is_held => held.to_vec(),
                [] if record.target_flags == 0 => Vec::new(),
                target => whole(target, record.target_flags),
            },
            flags: record.flags,
            target_flags: record.target_flags,
            // One that failed has no mode.
            file_type: FileType::of_mode(record.mode)
                .or((is_held && !target.is_empty() && !is_symlink).then_some(FileType::Symlink)),
            inode: is_there.then_some(record.inode),
            device: is_there.then_some(record.device),
            now: is_there.then_some(Facts { mode: record.mode, owner: record.uid, group: record.gid }),
            before: (record.flags & flags::BEFORE != 0 && record.header.kind == kind::ATTRIBUTES).then_some(Facts {
                mode: record.old_mode,
                owner: record.old_uid,
                group: record.old_gid,
            }),
            attribute: attribute(record.changed),
            attribute_name: name.to_vec(),
            is_exchange: record.flags & flags::EXCHANGE != 0,
            error: record.error.saturating_neg(),
        })
    }

    fn place<'a>(text: &'a [u8], flags: u32) -> Value<'a> {
        if text.is_empty() {
            Value::Absent
        } else if flags & exec_flags::USER_MOUNTS != 0 {
            // A user has made it what it is.
            Value::Place(Place { text, host: None, may_be_any: true })
        } else {
            Value::Text(text)
        }
    }
}

/// A path from the root on, or from where it is known on.
fn whole(leaf_first: &[u8], flags: u32) -> Vec<u8> {
    let mut path = Vec::new();
    if flags & exec_flags::MEMFD != 0 {
        path.extend_from_slice(leaf_first);
        return path;
    }
    turn_path(leaf_first, &mut path);
    if flags & exec_flags::PATH_CUT != 0 {
        path.splice(..0, NOT_WHOLE.iter().copied());
    }
    path
}

/// Of several the one that says most of what may be done with the file.
fn attribute(changed: u32) -> Option<Attribute> {
    [
        (changed::UID | changed::GID, Attribute::Owner),
        (changed::MODE, Attribute::Mode),
        (changed::XATTR, Attribute::Xattr),
        (changed::XATTR_REMOVED, Attribute::XattrRemoved),
        (changed::FLAGS, Attribute::Flags),
        (changed::TIMES, Attribute::Times),
    ]
    .into_iter()
    .find_map(|(bits, attribute)| (changed & bits != 0).then_some(attribute))
}

fn sentence(event: &Event, policy: &str) -> String {
    let program = lossless(&event.process.image.path);
    let Some(file) = event.detail.as_own::<File>() else {
        return format!("Program {program} violated policy {policy}");
    };
    let (path, target) = (lossless(&file.path), lossless(&file.target));
    let done = match (event.kind, file.attribute) {
        (EventType::FileCreate, _) if !file.target.is_empty() => format!("make {path} a link to {target}"),
        (EventType::FileCreate, _) => format!("create {path}"),
        (EventType::FileOpenForModify, _) => format!("open {path} to change it"),
        (EventType::FileOpen, _) => format!("open {path}"),
        (EventType::FileModify, _) => format!("change the size of {path}"),
        (EventType::FileDelete, _) => format!("delete {path}"),
        (EventType::FileRename, _) if file.is_exchange => format!("exchange {path} and {target}"),
        (EventType::FileRename, _) => format!("rename {path} to {target}"),
        (EventType::FileLink, _) => format!("give {path} the name {target} besides"),
        (_, Some(Attribute::Mode)) => format!("change the mode of {path}"),
        (_, Some(Attribute::Owner)) => format!("change the owner of {path}"),
        (_, Some(Attribute::Times)) => format!("change the times of {path}"),
        (_, Some(Attribute::Flags)) => format!("change the flags of {path}"),
        _ => format!("change attributes of {path}"),
    };
    if file.error == 0 {
        format!("Program {program} was seen to {done}; policy {policy}")
    } else {
        format!("Program {program} tried to {done}, and failed with error {}; policy {policy}", file.error)
    }
}

/// What is told of an event that is written down by hand.
fn written(_: EventType, draft: &mut Draft) -> Detail {
    let mut file: File = std::mem::take(draft.part());
    file.path = std::mem::take(&mut draft.image.filename);
    if file.flags & exec_flags::USER_MOUNTS == 0 && file.path.first() == Some(&b'/') {
        file.flags |= exec_flags::HOST_MOUNTS;
    }
    Detail::own(file)
}

fn drafted(draft: &mut Draft, likely: EventType) -> &mut File {
    draft.likely(likely);
    draft.part()
}

fn of_file(draft: &mut Draft) -> &mut File {
    drafted(draft, EventType::FileOpenForModify)
}

/// A field that says of a file what it is.
macro_rules! number {
    ($facts:path, $member:ident) => {
        of_event(
            &$facts,
            |event, _| event.own(|file: &File| file.now.map_or(Value::Absent, |now| Value::Int(now.$member.into()))),
            |d, v| v.put(&mut of_file(d).now.get_or_insert_default().$member),
        )
    };
    ($facts:path, before $member:ident) => {
        of_event(
            &$facts,
            |event, _| {
                event.own(|file: &File| file.before.map_or(Value::Absent, |before| Value::Int(before.$member.into())))
            },
            |d, v| {
                let before = &mut drafted(d, EventType::FileAttributeChange).before;
                v.put(&mut before.get_or_insert_default().$member)
            },
        )
    };
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::TARGET_PATH,
        |event, _| event.own(|file: &File| File::place(&file.target, file.target_flags)),
        |d, v| v.put(&mut drafted(d, EventType::FileRename).target),
    ),
    of_event(
        &facts::FILE_TYPE,
        |event, _| event.own(|file: &File| file.file_type.map_or(Value::Absent, |is| Value::Word(is.word()))),
        |d, v| v.put_word(&mut of_file(d).file_type),
    ),
    of_event(
        &facts::FILE_INODE,
        |event, _| event.own(|file: &File| file.inode.map_or(Value::Absent, |inode| Value::Int(inode.cast_signed()))),
        |d, v| v.put(of_file(d).inode.get_or_insert_default()),
    ),
    of_event(
        &facts::FILE_DEVICE,
        |event, _| event.own(|file: &File| file.device.map_or(Value::Absent, |device| Value::Int(to_stat(device)))),
        |d, v| {
            let stat: u64 = v.take()?;
            of_file(d).device = Some(major(stat) << 20 | minor(stat) & 0xf_ffff);
            Ok(())
        },
    ),
    number!(facts::OLD_MODE, before mode),
    number!(facts::NEW_MODE, mode),
    number!(facts::OLD_OWNER, before owner),
    number!(facts::NEW_OWNER, owner),
    number!(facts::OLD_GROUP, before group),
    number!(facts::NEW_GROUP, group),
    of_event(
        &facts::ATTRIBUTE,
        |event, _| event.own(|file: &File| file.attribute.map_or(Value::Absent, |is| Value::Word(is.word()))),
        |d, v| v.put_word(&mut drafted(d, EventType::FileAttributeChange).attribute),
    ),
    of_event(
        &facts::ATTRIBUTE_NAME,
        |event, _| event.own(|file: &File| Value::text(&file.attribute_name)),
        |d, v| v.put(&mut drafted(d, EventType::FileAttributeChange).attribute_name),
    ),
    of_event(
        &facts::IS_EXCHANGE,
        |event, _| {
            let is_rename = event.kind == EventType::FileRename;
            event.own(|file: &File| if is_rename { Value::Bool(file.is_exchange) } else { Value::Absent })
        },
        |d, v| v.put(&mut drafted(d, EventType::FileRename).is_exchange),
    ),
    of_event(
        &facts::IS_FILE_HOST_MOUNTS,
        |event, _| has(event, exec_flags::HOST_MOUNTS),
        |d, v| {
            set(d, exec_flags::HOST_MOUNTS, v.take()?);
            Ok(())
        },
    ),
    of_event(
        &facts::IS_FILE_USER_MOUNTS,
        |event, _| has(event, exec_flags::USER_MOUNTS),
        |d, v| {
            set(d, exec_flags::USER_MOUNTS, v.take()?);
            Ok(())
        },
    ),
    of_event(
        &facts::FILE_ERROR,
        |event, _| event.own(|file: &File| if file.error == 0 { Value::Absent } else { Value::Int(file.error.into()) }),
        |d, v| v.put(&mut of_file(d).error),
    ),
];

/// A device as stat(2) numbers it.
fn to_stat(device: u32) -> i64 {
    makedev(device >> 20, device & 0xf_ffff).cast_signed()
}

fn has(event: &Event, flag: u32) -> Value<'_> {
    event.own(|file: &File| Value::Bool(file.flags & flag != 0))
}

fn set(draft: &mut Draft, flag: u32, is_so: bool) {
    let file = of_file(draft);
    if is_so {
        file.flags |= flag;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_does_not_pass_for_a_path_from_the_root() {
        assert_eq!(whole(b"passwd/etc", 0), b"/etc/passwd");
        assert_eq!(whole(b"passwd/etc", exec_flags::PATH_CUT), "…/etc/passwd".as_bytes());
        assert_eq!(whole(b"memfd:x", exec_flags::MEMFD), b"memfd:x");
        assert_eq!(whole(b"", 0), b"/");
    }

    #[test]
    fn the_weightiest_change_is_named() {
        assert_eq!(attribute(changed::MODE | changed::TIMES), Some(Attribute::Mode));
        assert_eq!(attribute(changed::UID | changed::MODE), Some(Attribute::Owner));
        assert_eq!(attribute(0), None);
    }
}
