//! What is done to items before they are laid out.

use std::borrow::Cow;

use crate::item::{Members, Stream, Value};

/// Members that are written under another name.
const RENAMED: [(&str, &str); 6] = [
    ("source", "suser"),
    ("when", "end"),
    ("user_id", "duid"),
    ("created_at", "rt"),
    ("full_file_path", "filePath"),
    ("location", "dhost"),
];

/// The members of an item with its stream, and without what is null.
pub(super) fn receive<'a>(of_item: &'a Members<'a>, stream: Stream) -> Members<'a> {
    // Some more come from its name.
    let mut members = Members::with_capacity_and_hasher(of_item.len() + 4, of_item.hasher().clone());
    for (name, value) in of_item {
        members.insert(Cow::Borrowed(&**name), value.borrowed());
    }
    members.insert("datastream".into(), Value::Text(stream.word().into()));
    members.retain(|_, value| *value != Value::Null);
    members
}

/// Renames members. Each goes to the end, in the order in which they stand; if the new name is there already, it keeps its
/// place and takes the value.
pub(super) fn rename(members: &mut Members<'_>) {
    let new = |name: &str| RENAMED.iter().find(|(old, _)| *old == name).copied();
    let found: Vec<_> = members.keys().filter_map(|name| new(name)).collect();
    for (old, new) in found {
        if let Some(value) = members.shift_remove(old) {
            members.insert(new.into(), value);
        }
    }
}

/// Members of objects within as members of the whole: `data` with `ip` becomes `data_ip`. An empty object vanishes if the
/// output is to be `compat`.
pub(super) fn flatten(members: Members<'_>, compat: bool) -> Members<'_> {
    let mut flat = Members::with_capacity_and_hasher(2 * members.len(), members.hasher().clone());
    for (name, value) in members {
        put(&mut flat, name, value, compat);
    }
    flat
}

fn put<'a>(flat: &mut Members<'a>, name: Cow<'a, str>, value: Value<'a>, compat: bool) {
    match value {
        Value::Object(inner) if compat || !inner.is_empty() => {
            for (within, value) in inner {
                put(flat, format!("{name}_{within}").into(), value, compat);
            }
        }
        value => {
            flat.insert(name, value);
        }
    }
}
