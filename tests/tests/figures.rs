//! Figures and promises of the pages are those of a command or a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Between two texts, each of which is there.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, after) = text.split_once(begin).unwrap_or_else(|| panic!("{begin} is not there"));
    after.split(end).next().unwrap_or_default()
}

#[test]
fn the_unit_has_the_exposure_that_is_written() {
    let page = read("docs/operations.md");
    let section = between(&page, "`systemd-analyze security sophoslinuxsensor` gives ", "\n## ");
    let unit = Path::new(ROOT).join("packaging/systemd/sophoslinuxsensor.service");
    let said = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--no-pager"])
        .arg(unit)
        .env("SYSTEMD_EMOJI", "0")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("systemd-analyze, of the package systemd");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let score = between(&said, "Overall exposure level for sophoslinuxsensor.service: ", " ");
    let written = section.split(' ').next().unwrap_or_default();
    assert_eq!(score, written, "docs/operations.md says {written}: {said}");
    // Each that it finds open stands in the table.
    for line in said.lines().filter_map(|line| line.trim_start().strip_prefix("✗ ")) {
        let open = line.split_whitespace().next().unwrap_or_default();
        let (setting, value) = open.split_once('=').unwrap_or((open, ""));
        let parts = value.trim_start_matches('~').trim_start_matches("CAP_").split(['(', '|', ')', '_']);
        let named = |word: &str| word.len() > 2 && section.contains(word);
        assert!(
            section.contains(&format!("{setting}=")) || parts.clone().any(named),
            "{open} is open, and docs/operations.md does not say why"
        );
    }
}

/// The sources that `path::name` names, of tests and of the functions of scripts.
fn named_tests(text: &str) -> Vec<(String, String)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|word| word.split_once("::")).map(|(path, name)| (path.to_owned(), name.to_owned())).collect()
}

#[test]
fn each_promise_of_the_threat_model_names_tests_that_are_there() {
    let page = read("docs/threat-model.md");
    let holds: Vec<&str> = between(&page, "\n## What holds\n", "\n## ").split("\n* ").skip(1).collect();
    let told = between(&page, "\n## Meddling that is told\n", "\n## ");
    let told: Vec<&str> = told.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(holds.len() > 6 && told.len() > 6, "{} promises, {} sorts of meddling", holds.len(), told.len());
    let mut seen = BTreeSet::new();
    for promise in holds.into_iter().chain(told) {
        let tests = named_tests(promise);
        assert!(!tests.is_empty(), "no test is named for: {promise}");
        for (path, name) in tests {
            let text = read(&path);
            let is_test = if path.ends_with(".rs") {
                text.contains(&format!("fn {name}("))
            } else {
                text.contains(&format!("\n{name}() {{"))
            };
            assert!(is_test, "{path} has no test `{name}`, which docs/threat-model.md names");
            seen.insert((path, name));
        }
    }
    assert!(seen.len() > 12, "{seen:?}");
}
