//! Items as `<rt> name="value"; name="value";`.

use super::{escape, json, keys, python};
use crate::item::{Members, Value};

/// One line; `-` stands for a time that the item does not tell.
pub(super) fn put(out: &mut String, members: &Members<'_>, compat: bool) {
    if compat { as_it_was(out, members) } else { mended(out, members) }
}

fn as_it_was(out: &mut String, members: &Members<'_>) {
    out.push_str(&members.get("rt").map_or("-".into(), python::str));
    for (name, value) in members {
        out.extend([" ", name, "=\"", &python::str(value), "\";"]);
    }
}

fn mended(out: &mut String, members: &Members<'_>) {
    out.push_str(match members.get("rt") {
        Some(Value::Text(rt)) if !rt.is_empty() && rt.chars().all(|char| char.is_ascii_graphic()) => rt,
        _ => "-",
    });
    for (key, value) in keys(members) {
        out.extend([" ", &key, "=\""]);
        let is_escaped = |char| matches!(char, '"' | '\\');
        match value {
            Value::Text(text) => escape(out, text, is_escaped),
            value => escape(out, &json::value(value), is_escaped),
        }
        out.push_str("\";");
    }
}
