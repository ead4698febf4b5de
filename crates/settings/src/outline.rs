//! Keys in the order of a manual: those of mappings below them.

use crate::environment;
use crate::schema::{Key, Kind, Schema};

/// A key with its place.
pub(crate) struct Line {
    /// The path to it, with `[]` behind lists of mappings.
    pub(crate) path: String,
    pub(crate) key: &'static Key,
    /// The environment variable that gives it.
    pub(crate) variable: Option<String>,
}

/// All keys of a mapping and of those within it.
pub(crate) fn outline(keys: &'static [Key], schema: &Schema) -> Vec<Line> {
    let mut lines = Vec::new();
    collect("", keys, schema, &mut lines);
    lines
}

fn collect(above: &str, keys: &'static [Key], schema: &Schema, lines: &mut Vec<Line>) {
    for key in keys {
        let name = if above.is_empty() { key.name.to_owned() } else { format!("{above}.{}", key.name) };
        let is_list = matches!(key.kind, Kind::List(Kind::Map(_) | Kind::Variants(_)) | Kind::Pairs(_));
        let path = if is_list { format!("{name}[]") } else { name };
        lines.push(Line { path: path.clone(), key, variable: environment::variable_of(key, schema) });
        if let Kind::Map(below) | Kind::List(Kind::Map(below)) = &key.kind {
            collect(&path, below, schema, lines);
        }
    }
}
