//! What is done to items before they are laid out.

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

/// Writes the stream into the item, and takes out what is null.
pub(super) fn receive(members: &mut Members, stream: Stream) {
    members.insert("datastream".into(), Value::Text(stream.word().into()));
    members.retain(|_, value| *value != Value::Null);
}

/// Renames members. Each goes to the end, in the order in which they stand; if the new name is there already, it keeps its
/// place and takes the value.
pub(super) fn rename(members: &mut Members) {
    let found: Vec<(String, &str)> = members
        .keys()
        .filter_map(|name| {
            let (_, new) = RENAMED.iter().find(|(old, _)| old == name)?;
            Some((name.clone(), *new))
        })
        .collect();
    for (old, new) in found {
        if let Some(value) = members.shift_remove(&old) {
            members.insert(new.into(), value);
        }
    }
}

/// Members of objects within as members of the whole: `data` with `ip` becomes `data_ip`. An empty object vanishes if the
/// output is to be `compat`.
pub(super) fn flatten(members: Members, compat: bool) -> Members {
    let mut flat = Members::new();
    for (name, value) in members {
        put(&mut flat, name, value, compat);
    }
    flat
}

fn put(flat: &mut Members, name: String, value: Value, compat: bool) {
    match value {
        Value::Object(inner) if compat || !inner.is_empty() => {
            for (within, value) in inner {
                put(flat, format!("{name}_{within}"), value, compat);
            }
        }
        value => {
            flat.insert(name, value);
        }
    }
}
