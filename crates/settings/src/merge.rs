//! Several files as one: key by key, the later file wins.

use foldhash::HashMap;

use crate::schema::{Key, Kind, Schema, find};
use crate::yaml::{Entry, Node, Value};

/// Puts a later file over what is there. Mappings are merged key by key, all else is replaced; a key without a value
/// changes nothing, unless that has a meaning of its own. What adds up ([`Key::adds_up`]) is left out.
pub fn merge(base: &mut Vec<Entry>, over: &Node, schema: &Schema) {
    let adds_up = |entry: &Entry| find(schema.top, &entry.key.value).is_some_and(|key| key.adds_up);
    let others = schema.named.map_or(&[][..], |named| named.keys);
    put_all(base, over.entries().iter().filter(|entry| !adds_up(entry)), schema.top, others);
}

/// Merges entries into others. `others` are the keys within a mapping whose own key is unknown.
fn put_all<'a>(
    base: &mut Vec<Entry>,
    over: impl Iterator<Item = &'a Entry>,
    keys: &'static [Key],
    others: &'static [Key],
) {
    let mut index: HashMap<String, usize> =
        base.iter().enumerate().map(|(position, entry)| (entry.key.value.clone(), position)).collect();
    for entry in over {
        let key = find(keys, &entry.key.value);
        if entry.value.is_null() && key.is_none_or(|key| key.null.is_none()) {
            continue;
        }
        let name = key.map_or(entry.key.value.as_str(), |key| key.name);
        if let Some(other) = key.and_then(|key| key.instead_of)
            && let Some(position) = index.get(other)
        {
            base[*position].value.value = Value::Null;
        }
        let position = *index.entry(name.to_owned()).or_insert_with(|| {
            let mut key = entry.key.clone();
            key.verbatim &= key.value == name;
            name.clone_into(&mut key.value);
            base.push(Entry { key, value: Node { span: entry.value.span.clone(), value: Value::Null } });
            base.len() - 1
        });
        let below: &'static [Key] = match key.map(|key| &key.kind) {
            Some(Kind::Map(keys)) => keys,
            Some(_) => &[],
            None => others,
        };
        let existing = &mut base[position];
        if let Value::Mapping(over) = &entry.value.value {
            if let Value::Mapping(entries) = &mut existing.value.value {
                put_all(entries, over.iter(), below, &[]);
            } else {
                let mut entries = Vec::new();
                put_all(&mut entries, over.iter(), below, &[]);
                existing.value = Node { span: entry.value.span.clone(), value: Value::Mapping(entries) };
            }
        } else {
            existing.key.span = entry.key.span.clone();
            existing.value = entry.value.clone();
        }
    }
}
