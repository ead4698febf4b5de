//! Items as `<rt> name="value"; name="value";`.

use super::{escape, json, keys, python};
use crate::item::{Members, Value};

/// One line; `-` stands for a time that the item does not tell.
pub(super) fn line(members: &Members, compat: bool) -> String {
    if compat { as_it_was(members) } else { mended(members) }
}

fn as_it_was(members: &Members) -> String {
    let mut out = members.get("rt").map_or_else(|| "-".into(), |rt| python::str(rt).into_owned());
    for (name, value) in members {
        out.extend([" ", name, "=\"", &python::str(value), "\";"]);
    }
    out
}

fn mended(members: &Members) -> String {
    let mut out = match members.get("rt") {
        Some(Value::Text(rt)) if !rt.is_empty() && rt.chars().all(|char| char.is_ascii_graphic()) => rt.clone(),
        _ => "-".to_owned(),
    };
    for (key, value) in keys(members) {
        out.extend([" ", &key, "=\""]);
        let is_escaped = |char| matches!(char, '"' | '\\');
        match value {
            Value::Text(text) => escape(&mut out, text, is_escaped),
            value => escape(&mut out, &json::value(value), is_escaped),
        }
        out.push_str("\";");
    }
    out
}
