//! The last file of all: the environment.
//!
//! A key is its path in upper case with `_` between the parts (`SERVER_URL`), behind a prefix if there is one. A secret can also come as a
//! credential of systemd, a file in `$CREDENTIALS_DIRECTORY` that is named like the key (`server.token`).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use diagnostic::{Report, SourceId, Span, Spanned};

use crate::schema::{Key, Kind, Own, Schema};
use crate::yaml::{Entry, Node, Scalar, Value};

/// Environment variables: those of the process, or a test's own.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect() }
    }

    /// The value of a variable; none if it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}

/// The names alone: values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.variables.keys()).finish()
    }
}

/// Every variable that can give a key, with the path to it.
pub(crate) fn variables(schema: &Schema) -> Vec<(String, Vec<&'static Key>)> {
    let mut found = Vec::new();
    let Some(prefix) = schema.environment else { return found };
    for key in schema.top {
        collect(prefix, &[], key, &mut found);
    }
    found
}

/// The variable that gives a key.
pub(crate) fn variable_of(key: &Key, schema: &Schema) -> Option<String> {
    let is_key = |path: &[&Key]| path.last().is_some_and(|last| std::ptr::eq(*last, key));
    variables(schema).into_iter().find(|(_, path)| is_key(path)).map(|(name, _)| name)
}

fn collect(prefix: &str, path: &[&'static Key], key: &'static Key, found: &mut Vec<(String, Vec<&'static Key>)>) {
    let path: Vec<&'static Key> = path.iter().copied().chain([key]).collect();
    match &key.kind {
        Kind::Map(keys) => keys.iter().for_each(|key| collect(prefix, &path, key, found)),
        kind if kind.is_scalar() || item_kind(kind).is_some() => {
            let parts: Vec<String> = path.iter().map(|key| key.name.to_uppercase()).collect();
            found.push((prefix.to_owned() + &parts.join("_"), path));
        }
        _ => {}
    }
}

/// What the items are of a list that a variable can give, separated by commas.
fn item_kind(kind: &Kind) -> Option<&Kind> {
    match kind {
        Kind::List(of) | Kind::OneOrMore(of)
            if of.is_scalar() && !matches!(of, Kind::Own(Own { prose: Some(_), .. })) =>
        {
            Some(of)
        }
        _ => None,
    }
}

/// The environment as a file of its own.
#[must_use]
pub fn read(environment: &Environment, schema: &Schema, report: &mut Report) -> Node {
    let mut root: Vec<Entry> = Vec::new();
    for (name, path) in variables(schema) {
        let Some(key) = path.last() else { continue };
        let Some(value) = environment.get(&name) else { continue };
        let Some(text) = value.to_str() else {
            report.error(None, format!("the environment variable {name} is not UTF-8"));
            continue;
        };
        let source = report.add_source(format!("environment variable {name}"), text);
        if let Kind::Secret = key.kind {
            report.hide(Span { source, bytes: 0..text.len() });
        }
        let node = if item_kind(&key.kind).is_some() { list(text, source) } else { scalar(text, 0, source) };
        put(&mut root, &path, node);
    }
    credentials(environment, schema, &mut root, report);
    let span = root.first().map(|entry| entry.key.span.clone());
    match span {
        Some(span) => Node { span, value: Value::Mapping(root) },
        None => {
            let source = report.add_source("environment", "");
            Node { span: Span { source, bytes: 0..0 }, value: Value::Null }
        }
    }
}

/// Takes secrets from systemd's credentials, unless a variable gave them.
fn credentials(environment: &Environment, schema: &Schema, root: &mut Vec<Entry>, report: &mut Report) {
    let Some(folder) = environment.get("CREDENTIALS_DIRECTORY") else { return };
    for (name, path) in variables(schema) {
        let Some(key) = path.last().filter(|key| matches!(key.kind, Kind::Secret)) else { continue };
        let Some(file_key) = key.instead_of else { continue };
        let credential = path.iter().map(|key| key.name).collect::<Vec<_>>().join(".");
        let file = Path::new(folder).join(&credential);
        let given = environment.get(&name).is_some() || environment.get(&format!("{name}_FILE")).is_some();
        if given || !file.exists() {
            continue;
        }
        let text = file.display().to_string();
        let source = report.add_source(format!("systemd credential {credential}"), text.as_str());
        let mut path = path.clone();
        path.pop();
        let Some(Kind::Map(keys)) = path.last().map(|key| key.kind) else { continue };
        if let Some(file_key) = keys.iter().find(|key| key.name == file_key) {
            path.push(file_key);
            put(root, &path, scalar(&text, 0, source));
        }
    }
}

fn put(entries: &mut Vec<Entry>, path: &[&'static Key], node: Node) {
    let [key, rest @ ..] = path else { return };
    let span = node.span.clone();
    if rest.is_empty() {
        let key = Spanned { value: key.name.to_owned(), span, verbatim: false };
        return entries.push(Entry { key, value: node });
    }
    let position = entries.iter().position(|entry| entry.key.value == key.name).unwrap_or_else(|| {
        let key = Spanned { value: key.name.to_owned(), span: span.clone(), verbatim: false };
        entries.push(Entry { key, value: Node { span, value: Value::Mapping(Vec::new()) } });
        entries.len() - 1
    });
    if let Value::Mapping(below) = &mut entries[position].value.value {
        put(below, rest, node);
    }
}

fn scalar(text: &str, offset: usize, source: SourceId) -> Node {
    let span = Span { source, bytes: offset..offset + text.len() };
    Node { span, value: Value::Scalar(Scalar { text: text.to_owned(), plain: true, verbatim: true }) }
}

fn list(text: &str, source: SourceId) -> Node {
    let mut items = Vec::new();
    let mut offset = 0;
    for part in text.split(',') {
        let start = offset + (part.len() - part.trim_start().len());
        if !part.trim().is_empty() {
            items.push(scalar(part.trim(), start, source));
        }
        offset += part.len() + 1;
    }
    Node { span: Span { source, bytes: 0..text.len() }, value: Value::Sequence(items) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::example::SCHEMA;

    #[test]
    fn names_are_the_keys_in_upper_case_and_unique() {
        let names: Vec<String> = variables(&SCHEMA).into_iter().map(|(name, _)| name).collect();
        for name in ["ID", "SERVER_URL", "SERVER_TOKEN", "SERVER_TOKEN_FILE", "MODE", "GROUPS"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn variables_become_a_tree() {
        let mut report = Report::default();
        let environment = Environment::from_iter([
            ("SERVER_URL", "https://a"),
            ("SERVER_ENABLED", "true"),
            ("GROUPS", "Audit, Smart Policy"),
            ("MODE", ""),
            ("UNRELATED", "x"),
        ]);
        let root = read(&environment, &SCHEMA, &mut report);
        let names: Vec<_> = root.entries().iter().map(|entry| entry.key.value.as_str()).collect();
        assert_eq!(names, ["server", "groups"]);
        assert_eq!(root.entries()[0].value.entries().len(), 2);
        let groups = root.entries()[1].value.items();
        assert_eq!(groups[1].spanned().unwrap().value, "Smart Policy");
        assert_eq!(groups[1].span.bytes, 7..19);
    }

    #[test]
    fn values_are_not_printed() {
        let environment = Environment::from_iter([("SERVER_TOKEN", "hunter2")]);
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}
