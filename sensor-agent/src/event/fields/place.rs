//! Where a program's file is, and in whose eyes.

use sensor_ebpf::record::exec_flags;

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
