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
/// Keys of maps (labels, metadata) are free, also where the dot is a map (`{{with .AlertLabels}}{{.team}}{{end}}`) or a
/// variable may be one. Elsewhere in a template that names a map a doubt is a warning: some way to come by its keys may
/// have been missed.
pub(super) fn check(text: &Spanned<String>, report: &mut Report) -> bool {
    let mut known = Known::default();
    known.collect(&values::of(&Alert::sample()), "");
    let chains = chains(&text.value);
    let uses_map =
        chains.iter().flat_map(|chain| &chain.names).any(|name| known.maps.contains(&text.value[name.clone()]));
    let mut fine = true;
    for chain in &chains {
        let of_map = chain.dot.as_ref().is_some_and(|dot| known.maps.contains(&text.value[dot.clone()]));
        if of_map || (chain.of_variable && uses_map) {
            continue;
        }
        for name in &chain.names {
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

/// A run of `.Name.Name` in an action.
#[derive(Default)]
struct Chain {
    names: Vec<Range<usize>>,
    /// The name of what the dot is there, from the `{{with}}` or `{{range}}` around it; none if it is the alert.
    dot: Option<Range<usize>>,
    /// Whether it begins at a variable of the template's own.
    of_variable: bool,
}

/// Every run of `.Name.Name` in the actions of a template.
fn chains(text: &str) -> Vec<Chain> {
    scan(text).0
}

/// Where parentheses or branches are nested too deep: the engine, which bounds other nesting, runs out of stack there.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    scan(text).1
}

fn scan(text: &str) -> (Vec<Chain>, Option<usize>) {
    let bytes = text.as_bytes();
    let mut chains: Vec<Chain> = Vec::new();
    // What the dot is, and what it was outside of each block.
    let (mut dot, mut outside): (Option<Range<usize>>, Vec<Option<Range<usize>>>) = (None, Vec::new());
    let (mut at, mut branches, mut too_deep) = (0, 0, None);
    while let Some(open) = text[at..].find("{{") {
        at += open + 2;
        let comment = text[at..].trim_start_matches(['-', ' ', '\t', '\r', '\n']);
        if comment.starts_with("/*") {
            let begin = text.len() - comment.len();
            at = text[begin..].find("*/").map_or(text.len(), |end| begin + end + 2);
        }
        let action = text[at..].trim_start_matches(['-', ' ', '\t', '\r', '\n']);
        let before = chains.len();
        let mut depth = 0_usize;
        while at < bytes.len() && !text[at..].starts_with("}}") {
            match bytes[at] {
                quote @ (b'"' | b'`' | b'\'') => at = after_quoted(bytes, at, quote),
                b'.' if bytes.get(at + 1).is_some_and(|byte| is_name(*byte) && !byte.is_ascii_digit()) => {
                    let start = at + 1;
                    let end = start + bytes[start..].iter().take_while(|byte| is_name(**byte)).count();
                    match chains.last_mut() {
                        Some(chain) if chain.names.last().is_some_and(|last| last.end == at) => {
                            chain.names.push(start..end);
                        }
                        _ => chains
                            .push(Chain { names: std::iter::once(start..end).collect(), ..begun(&bytes[..at], &dot) }),
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
        let words: Vec<&str> = action.split(|char: char| !char.is_ascii_alphabetic()).take(2).collect();
        let named = || chains[before..].last().and_then(|chain| chain.names.last().cloned());
        match words.as_slice() {
            ["with" | "range", ..] => {
                outside.push(dot.clone());
                dot = named();
            }
            ["if" | "block" | "define", ..] => outside.push(dot.clone()),
            ["else", "with"] => dot = named(),
            ["else", ..] => dot = outside.last().cloned().flatten(),
            ["end", ..] => dot = outside.pop().flatten(),
            _ => {}
        }
    }
    (chains, too_deep)
}

/// A chain whose first dot comes behind this text.
fn begun(before: &[u8], dot: &Option<Range<usize>>) -> Chain {
    let name = before.iter().rev().take_while(|byte| is_name(**byte)).count();
    let is_variable = before.len() > name && before[before.len() - name - 1] == b'$';
    match (is_variable, name) {
        // `$` alone is the alert.
        (true, 0) => Chain::default(),
        (true, _) => Chain { of_variable: true, ..Chain::default() },
        (false, _) => Chain { dot: dot.clone(), ..Chain::default() },
    }
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
        chains(text).into_iter().map(|chain| chain.names.into_iter().map(|name| &text[name]).collect()).collect()
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
