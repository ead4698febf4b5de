//! `docs/contributing/field.md` names the files that a field stands in, and it stands in no other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, is_folder) = (entry.path(), entry.file_type().unwrap().is_dir());
        if is_folder {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The files of the first table below a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = std::fs::read_to_string(root().join("docs/contributing/field.md")).unwrap();
    let part = page.split("## ").find(|part| part.starts_with(heading)).unwrap().to_owned();
    let files = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    files.map(|(file, _)| file.to_owned()).collect()
}

#[test]
fn a_field_stands_where_the_page_says() {
    let mut files = Vec::new();
    for folder in ["crates/schema/src", "sensor-agent/src", "sensor-central/src", "sensor-ebpf/src", "proto/src"] {
        sources(&root().join(folder), &mut files);
    }
    let names = ["MESSAGE_COMMAND", "message_command", "messageCommand"];
    let has = |path: &PathBuf| names.iter().any(|name| std::fs::read_to_string(path).unwrap().contains(name));
    let root = root();
    let found = files.iter().filter(|path| has(path)).map(|path| path.strip_prefix(&root).unwrap());
    let found: BTreeSet<_> = found.map(|path| path.display().to_string()).collect();
    assert_eq!(found, documented("A field of an event"));
}
