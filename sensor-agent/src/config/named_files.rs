//! Files that a configuration names beside itself: what they hold decides where alerts go, so who changes them is worth
//! telling.

use std::path::PathBuf;

use settings::{Kind, Node, Value};

use super::keys;

/// The files with tokens and authorities that these keys name. Certificates and keys of the sensor's own are not among
/// them: tools renew them, and nobody can send alerts elsewhere by changing them.
pub(super) fn named_files(node: &Node) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(node, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn collect(node: &Node, found: &mut Vec<PathBuf>) {
    for entry in node.entries() {
        match &entry.value.value {
            Value::Scalar(path) if is_watched(&entry.key.value) && !path.text.is_empty() => {
                found.push(PathBuf::from(&path.text));
            }
            _ => collect(&entry.value, found),
        }
    }
    node.items().iter().for_each(|item| collect(item, found));
}

fn is_watched(name: &str) -> bool {
    name.ends_with("_file")
        && !matches!(name, "cert_file" | "key_file")
        && keys::SCHEMA.anywhere(name).is_some_and(|key| matches!(key.kind, Kind::Path))
}
