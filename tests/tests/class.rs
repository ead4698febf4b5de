//! A class of events is added in the files that `docs/contributing/class.md` names, and no others; then the tree builds, and what
//! is read off the lists has it: rules, tables, JSON, Parquet, protobuf, CEF, ECS, OCSF, pages, metrics.
//!
//! It costs a build of the agent's tests with the kernel programs in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The files of the page's table.
fn told() -> BTreeSet<String> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/contributing/class.md")).expect("the page");
    let files = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    files.map(|(file, _)| file.replace("CLASS", "example")).collect()
}

#[test]
fn a_class_is_six_files() {
    let copy = tempfile::tempdir().expect("a folder");
    let mut prove = Command::new(Path::new(ROOT).join("tests/class/prove"));
    prove.arg(copy.path());
    // What cargo tells this test of its own build is none of that one's.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
        prove.env_remove(name);
    }
    let run = prove.output().expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout);
    let touched: BTreeSet<_> =
        said.lines().filter_map(|line| line.strip_prefix("touched ").map(str::to_owned)).collect();
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(touched, told());
    assert!(touched.len() <= 6, "{touched:?}");
}
