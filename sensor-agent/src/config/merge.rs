//! Several files as one: key by key, the later file wins.

use super::keys::{POLICY, TOP};
use super::schema::{Key, Kind, find};
use super::yaml::{Entry, Node, Value};

/// Puts a later file over what is there. Mappings are merged key by key, all else is replaced; a key without a value
/// changes nothing. Lists of values (`lists`) are left out: they add up instead.
pub(crate) fn merge(base: &mut Vec<Entry>, over: &Node) {
    for entry in over.entries() {
        match find(TOP, &entry.key.value) {
            Some(key) if key.name == "lists" => {}
            Some(_) => put(base, entry, TOP),
            // A detection.
            None => put(base, entry, &[]),
        }
    }
}

fn put(base: &mut Vec<Entry>, entry: &Entry, keys: &'static [Key]) {
    if entry.value.is_null() {
        return;
    }
    let key = find(keys, &entry.key.value);
    let name = key.map_or(entry.key.value.as_str(), |key| key.name);
    if let Some(other) = key.and_then(|key| key.instead_of) {
        base.retain(|entry| entry.key.value != other);
    }
    let below: &'static [Key] = match key.map(|key| &key.kind) {
        Some(Kind::Map(keys)) => keys,
        Some(_) => &[],
        None => POLICY,
    };
    let position = base.iter().position(|existing| existing.key.value == name).unwrap_or_else(|| {
        let mut key = entry.key.clone();
        key.verbatim &= key.value == name;
        name.clone_into(&mut key.value);
        let value = Node { span: entry.value.span.clone(), value: Value::Null };
        base.push(Entry { key, value });
        base.len() - 1
    });
    let existing = &mut base[position];
    match (&mut existing.value.value, &entry.value.value) {
        (Value::Mapping(entries), Value::Mapping(over)) => over.iter().for_each(|entry| put(entries, entry, below)),
        (_, Value::Mapping(over)) => {
            let mut entries = Vec::new();
            over.iter().for_each(|entry| put(&mut entries, entry, below));
            existing.value = Node { span: entry.value.span.clone(), value: Value::Mapping(entries) };
        }
        _ => {
            existing.key.span = entry.key.span.clone();
            existing.value = entry.value.clone();
        }
    }
}
