//! Finds misspelt field names wherever they stand in a template.
//!
//! Trying a template on a sample finds what the sample comes by; a slip in a branch that is taken once a year would
//! wait for that day. So every `.Name` in the template is held against the names that there are at any depth.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use gtmpl_ng::Value;

use super::values;
use crate::{
    alert::Alert,
    diagnostic::{Report, Spanned, nearest},
};

/// Far above what a template needs.
const MAX_PARENTHESES: usize = 32;
/// An `{{else if}}` is nested in the one before it.
const MAX_ELSE: usize = 64;

/// Reports names that no alert has. Returns whether there is no error.
///
/// Keys of maps (labels, metadata) are free. Where a template names such a map, a `.Name` may be one of its keys (in
/// `{{with .AlertLabels}}{{.team}}{{end}}`), so there a doubt is a warning.
pub(super) fn check(text: &Spanned<String>, report: &mut Report) -> bool {
    let mut known = Known::default();
    known.collect(&values::of(&Alert::sample()), "");
    let chains = chains(&text.value);
    let uses_map = chains.iter().flatten().any(|name| known.maps.contains(&text.value[name.clone()]));
    let mut fine = true;
    for chain in &chains {
        for name in chain {
            let written = &text.value[name.clone()];
            if known.maps.contains(written) {
                break;
            }
            let Some(near) = known.doubts(written) else { continue };
            let message = format!("alerts have no field {written}");
            let span = text.part(name.clone());
            let finding = if uses_map { report.warning(span, message) } else { report.error(span, message) };
            fine &= uses_map;
            finding.label("no such field").help(match near {
                Some(near) => format!("is .{near} meant?"),
                None => format!("the fields of an alert are {}", known.of_alert()),
            });
            break;
        }
    }
    fine
}

/// The names of fields, with those they belong to, and the fields that are maps.
#[derive(Default)]
struct Known {
    fields: BTreeMap<String, String>,
    maps: BTreeSet<String>,
}

impl Known {
    fn collect(&mut self, value: &Value, owner: &str) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.fields.entry(name.clone()).or_insert_with(|| owner.to_owned());
                    if matches!(value, Value::Map(_)) {
                        self.maps.insert(name.clone());
                    }
                    self.collect(value, name);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, owner)),
            _ => {}
        }
    }

    /// None if there is such a field; else the nearest one, if any is near.
    fn doubts(&self, written: &str) -> Option<Option<&str>> {
        let names = || self.fields.keys().map(String::as_str);
        (!self.fields.contains_key(written)).then(|| nearest(written, names()))
    }

    fn of_alert(&self) -> String {
        let own = self.fields.iter().filter(|(_, owner)| owner.is_empty());
        own.map(|(name, _)| format!(".{name}")).collect::<Vec<_>>().join(" ")
    }
}

/// Every run of `.Name.Name` in the actions of a template.
fn chains(text: &str) -> Vec<Vec<Range<usize>>> {
    scan(text).0
}

/// Where parentheses or branches are nested too deep: the engine, which bounds other nesting, runs out of stack there.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    scan(text).1
}

fn scan(text: &str) -> (Vec<Vec<Range<usize>>>, Option<usize>) {
    let bytes = text.as_bytes();
    let mut chains: Vec<Vec<Range<usize>>> = Vec::new();
    let (mut at, mut branches, mut too_deep) = (0, 0, None);
    while let Some(open) = text[at..].find("{{") {
        at += open + 2;
        let comment = text[at..].trim_start_matches(['-', ' ', '\t', '\r', '\n']);
        if comment.starts_with("/*") {
            let begin = text.len() - comment.len();
            at = text[begin..].find("*/").map_or(text.len(), |end| begin + end + 2);
        }
        let mut depth = 0_usize;
        while at < bytes.len() && !text[at..].starts_with("}}") {
            match bytes[at] {
                quote @ (b'"' | b'`' | b'\'') => at = after_quoted(bytes, at, quote),
                b'.' if bytes.get(at + 1).is_some_and(|byte| is_name(*byte) && !byte.is_ascii_digit()) => {
                    let start = at + 1;
                    let end = start + bytes[start..].iter().take_while(|byte| is_name(**byte)).count();
                    match chains.last_mut() {
                        Some(chain) if chain.last().is_some_and(|last| last.end == at) => chain.push(start..end),
                        _ => chains.push(std::iter::once(start..end).collect()),
                    }
                    at = end;
                }
                byte if is_name(byte) => {
                    // A number's point is not a field's.
                    let number = byte.is_ascii_digit();
                    let rest = bytes[at..].iter();
                    let len = rest.take_while(|byte| is_name(**byte) || number && **byte == b'.').count();
                    branches += usize::from(&bytes[at..at + len] == b"else");
                    if branches > MAX_ELSE {
                        too_deep.get_or_insert(at);
                    }
                    at += len;
                }
                byte => {
                    depth = match byte {
                        b'(' => depth + 1,
                        b')' => depth.saturating_sub(1),
                        _ => depth,
                    };
                    if depth > MAX_PARENTHESES {
                        too_deep.get_or_insert(at);
                    }
                    at += 1;
                }
            }
            while !text.is_char_boundary(at) {
                at += 1;
            }
        }
    }
    (chains, too_deep)
}

/// Past the literal that begins here.
fn after_quoted(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' && quote != b'`' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Letters beyond ASCII count as parts of names, as they do in Go.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<Vec<&str>> {
        chains(text).into_iter().map(|chain| chain.into_iter().map(|name| &text[name]).collect()).collect()
    }

    #[test]
    fn names_are_found_in_actions_only() {
        assert_eq!(
            names(
                r#".No {{.A.B}} {{if eq $x.C ".No \" .No" 1.5}}{{- /* .No }} */ -}}{{(index .D 0).E}}{{`.No`}}{{.Ü}}"#
            ),
            [vec!["A", "B"], vec!["C"], vec!["D"], vec!["E"], vec!["Ü"]]
        );
    }

    #[test]
    fn any_text_can_be_scanned() {
        proptest::proptest!(|(text in r#"[{}.a"'`\\/* é$-]{0,40}"#)| { chains(&text); });
    }
}
