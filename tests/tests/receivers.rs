//! A receiver is one file and one line: what `docs/contributing/receiver.md` says of it holds for those that there are.

use std::{
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Sources of the program, those of tests left out, by their paths.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push((path.clone(), fs::read_to_string(path).expect("a source")));
        }
    }
}

#[test]
fn a_receiver_of_the_export_is_one_file_and_one_line() {
    let source = Path::new(ROOT).join("sensor-siem/src");
    let mut all = Vec::new();
    sources(&source, &mut all);
    let table = fs::read_to_string(source.join("destination.rs")).expect("the table");
    let names = table.split_once("receivers! {").and_then(|(_, rest)| rest.split_once('}')).expect("the table").0;
    let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in &names {
        assert!(source.join(format!("destination/{name}.rs")).exists(), "{name}");
        // A `config.ini` names syslog, and sockets of ZeroMQ are shared by outputs.
        if ["syslog", "zeromq"].contains(name) {
            continue;
        }
        let own = source.join(format!("destination/{name}.rs"));
        let others = all.iter().filter(|(path, _)| *path != own);
        let lines: Vec<(String, &str)> = others
            .flat_map(|(path, text)| text.lines().map(|line| (path.display().to_string(), line.trim())))
            .filter(|(_, line)| line.to_lowercase().contains(name))
            .collect();
        let [(path, line)] = &lines[..] else { panic!("{name} stands elsewhere too: {lines:?}") };
        assert!(path.ends_with("src/destination.rs") && *line == format!("{name},"), "{path}: {line}");
    }
}

/// What speaks to a receiver is named by its own file alone, and the file by the list alone.
#[test]
fn a_receiver_of_the_sensor_is_one_file_and_one_line() {
    let source = &Path::new(ROOT).join("sensor-agent/src");
    let table = fs::read_to_string(source.join("output/target.rs")).expect("the table");
    let lists = table.split_once("targets! {").and_then(|(_, rest)| rest.split_once('}')).expect("the table").0;
    let names = lists.split(';').filter_map(|list| list.split_once(':'));
    let names: Vec<&str> = names.flat_map(|(_, names)| names.split(',')).map(str::trim).collect();
    assert!(names.len() > 7, "{names:?}");
    let mut all = Vec::new();
    sources(source, &mut all);
    for name in names {
        let own = source.join(format!("output/target/{name}.rs"));
        assert!(own.exists(), "{}", own.display());
        // Sockets of ZeroMQ are shared by outputs and sinks.
        if name == "zeromq" {
            continue;
        }
        let called = [format!("receivers::{name}"), format!("receivers::{}", name.split('_').next().unwrap_or(name))];
        let inside = source.join("output/target").join(name);
        let others = all.iter().filter(|(path, _)| *path != own && !path.starts_with(&inside));
        let knows = |text: &str| called.iter().any(|called| text.contains(called.as_str()));
        // What a file's tests write to is no knowledge of the program.
        let knowing: Vec<_> = others
            .filter(|(_, text)| knows(text.split("#[cfg(test)]").next().unwrap_or(text)))
            .map(|(path, _)| path)
            .collect();
        assert!(knowing.is_empty(), "{name}: {knowing:?}");
    }
}

#[test]
fn the_page_names_files_that_are_there() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/contributing/receiver.md")).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let files: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert!(files.len() > 5, "{files:?}");
    for file in files {
        // As the receiver is called that has both programs.
        let file = file.replace("NAME", "zeromq");
        assert!(Path::new(ROOT).join(&file).exists(), "{file}");
    }
}
