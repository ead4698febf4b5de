//! Fields that say where a program's file is, and in whose eyes.

use sensor_ebpf::record::exec_flags;

use super::field::{Field, Type, process};
use crate::event::{Image, Place, Process, Value};

/// The executed file, as rules compare it.
pub(super) fn program(process: &Process) -> Value<'_> {
    let image = &*process.image;
    let is_users = image.is(exec_flags::USER_MOUNTS);
    // Root's mount in nobody's tree: no user has made it up, and it is where the host has it, if anywhere.
    let is_known = image.is(exec_flags::PATH_ADRIFT) && image.is(exec_flags::HOST_KNOWN) && !is_users;
    if is_users || is_known {
        path(Place { text: &image.path, host: image.host_path(), may_be_any: is_users })
    } else {
        Value::text(&image.path)
    }
}

/// The script, as rules compare it.
pub(super) fn script(image: &Image) -> Value<'_> {
    match image.script() {
        Some(text) if image.is(exec_flags::SCRIPT_USER_MOUNTS) => path(Place { text, host: None, may_be_any: true }),
        script => script.map_or(Value::Absent, Value::text),
    }
}

fn path(place: Place<'_>) -> Value<'_> {
    if place.text.is_empty() { Value::Absent } else { Value::Place(place) }
}

pub(super) const HOST_PATH: Field = process(
    "hostPath",
    "host_path",
    Type::Path,
    "Where the host has the executed file: programName, or the place of the same file outside of the namespace; absent if the host has it nowhere.",
    |p, _| p.image.host_path().map_or(Value::Absent, Value::text),
);

pub(super) const IS_HOST_MOUNTS: Field = process(
    "isHostMounts",
    "is_host_mounts",
    Type::Bool,
    "Whether the program's file was run from the host's own mounts, those of pid 1, so that programName is the host's.",
    |p, _| Value::Bool(p.image.is(exec_flags::HOST_MOUNTS)),
);

pub(super) const IS_USER_MOUNTS: Field = process(
    "isUserMounts",
    "is_user_mounts",
    Type::Bool,
    "Whether it was run from mounts that a user could make: of a mount namespace that belongs to a user namespace. programName is what that user wants it to be.",
    |p, _| Value::Bool(p.image.is(exec_flags::USER_MOUNTS)),
);

pub(super) const PATH_TRUNCATED: Field = process(
    "pathTruncated",
    "path_truncated",
    Type::Bool,
    "Whether programName lacks its beginning, and so begins with `…`: too deep or too long to be told whole, or on a mount that is in nobody's tree.",
    |p, _| Value::Bool(p.image.lacks_beginning()),
);

pub(super) const CWD_TRUNCATED: Field = process(
    "cwdTruncated",
    "cwd_truncated",
    Type::Bool,
    "Whether cwd lacks its beginning, and so begins with `…`.",
    |p, _| Value::Bool(p.image.cwd_lacks_beginning()),
);

pub(super) const DEVICE: Field = process(
    "device",
    "device",
    Type::Number,
    "Device of the program's file as stat(2) numbers it; with inode, the same file under any name.",
    |p, _| {
        let kernel = p.image.device;
        Value::Int(i64::try_from(rustix::fs::makedev(kernel >> 20, kernel & 0xf_ffff)).unwrap_or(i64::MAX))
    },
);

pub(super) const ARGS_READ_LATE: Field = process(
    "argsReadLate",
    "args_read_late",
    Type::Bool,
    "Whether the arguments were read when the program was running already, and so are what it has left or written there: it ran before the sensor, or its exec was lost.",
    |p, _| Value::Bool(p.image.is(exec_flags::ARGS_LATE)),
);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_path_in_doubt_comes_with_what_the_host_says() {
        let told = |flags, host: &[u8]| {
            let image = Image { path: "…/runc".into(), host_path: host.into(), flags, ..Image::default() };
            let process = Process { image: Arc::new(image), ..Process::default() };
            match program(&process) {
                Value::Place(place) => Some((place.host.map(<[u8]>::to_vec), place.may_be_any)),
                Value::Text(_) => None,
                other => panic!("{other:?}"),
            }
        };
        const ROOTS: u32 = exec_flags::PATH_CUT | exec_flags::PATH_ADRIFT;
        assert_eq!(told(exec_flags::PATH_CUT, b""), None);
        assert_eq!(told(exec_flags::HOST_MOUNTS, b""), None);
        assert_eq!(told(exec_flags::USER_MOUNTS, b"/x"), Some((Some(b"/x".to_vec()), true)));
        assert_eq!(told(ROOTS | exec_flags::HOST_KNOWN, b""), Some((None, false)));
        // What the host has is not known.
        assert_eq!(told(ROOTS, b""), None);
    }
}
