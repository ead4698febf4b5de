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

/// Figures in the prose of these pages, and the line of the sources that each follows from: who changes one finds the other.
/// What a command measures stands between marks, which that command writes.
const FOLLOW: &[(&str, &str, &str)] = &[
    (DELIVERY, "tries for 3 s", "const LAST_TRIES: Duration = Duration::from_secs(3);"),
    (DELIVERY, "up to 3 s", "const LAST_TRIES: Duration = Duration::from_secs(3);"),
    (DELIVERY, "takes 5 s at most", "const LAST_WORDS: Duration = Duration::from_millis(4500);"),
    (DELIVERY, "after 1 s up to 5 min", "first: Duration::from_secs(1), most: Duration::from_secs(300)"),
    (DELIVERY, "every 5 minutes", "slow: Duration::from_secs(300)"),
    (DELIVERY, "in 8000 bytes", "pub const COMMON_BYTES: usize = 8_000;"),
    (DELIVERY, "8000 bytes of JSON and then 1024", "pub const COMMON_BYTES: usize = 8_000;"),
    (DELIVERY, "After 8 in a row", "const MOST_IN_A_ROW: u32 = 8;"),
    (DELIVERY, "After 8 of them in a row", "const MOST_IN_A_ROW: u32 = 8;"),
    (DELIVERY, "at most one a minute for each output", "const AT_MOST_EVERY: Duration = Duration::from_secs(60);"),
    (DELIVERY, "by a minute or more", "const SKEW: Duration = Duration::from_secs(60);"),
    (DELIVERY, "512 KiB kept in reserve", "const BYTES: u64 = 512 << 10;"),
    (DELIVERY, "tried every 5 s", "const RETRY: Duration = Duration::from_secs(5);"),
    // Pages of 4 KiB.
    (DELIVERY, "at most 256 KiB", "pragma wal_autocheckpoint = 64;"),
    (DELIVERY, "(up to an hour)", "const LONGEST_WISH: Duration = Duration::from_secs(3600);"),
    (DELIVERY, "anew each hour", "const MAX_AGE: Duration = Duration::from_secs(3600);"),
    (DELIVERY, "once an hour", "const GREET_EVERY: Duration = Duration::from_secs(3600);"),
    (
        DELIVERY,
        "15 s for name, connection and TLS; 60 s for a request",
        "Self { connect: Duration::from_secs(15), request: Duration::from_secs(60) }",
    ),
    (DELIVERY, "4 MiB for a reply", "const MAX_REPLY: usize = 4 << 20;"),
    (DELIVERY, "batches of 500 messages and 1 MiB", "Self { messages: 500, bytes: 1 << 20 }"),
    (SIZING, "5 % of one CPU", "pub const CPU_PERCENT: u64 = 5;"),
    (SIZING, "and 1024 MB", "pub const MEMORY: u64 = 1024 << 20;"),
    (SIZING, "by default 128 MiB", "static OF_SENSOR: Account = Account::new(128 << 20);"),
    (SIZING, "32 MiB at the least", "Kind::Size(32 << 20, 768 << 20),"),
    (SIZING, "own 30 to 60 MB", "program itself takes some 30 to 60 MB besides."),
    (SIZING, "4 MiB at most", "memory_bytes: 4 << 20,"),
];
const DELIVERY: &str = "docs/delivery.md";
const SIZING: &str = "docs/sizing.md";

/// Every source, one after the other.
fn sources(folder: &Path, all: &mut String) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *all += &fs::read_to_string(&path).expect("a source");
        }
    }
}

/// A page's prose in one line: without what is measured, and without what is shown.
fn prose(page: &str) -> String {
    let mut text = String::new();
    let mut is_left_out = false;
    for line in read(page).lines() {
        let is_fence = line.starts_with("```");
        is_left_out ^= is_fence || line.starts_with("<!-- measured:") || line == "<!-- end -->";
        if !is_left_out && !is_fence {
            text += line.trim();
            text.push(' ');
        }
    }
    text
}

#[test]
fn figures_of_prose_follow_from_the_sources() {
    let mut all = String::new();
    for folder in ["sensor-agent/src", "crates"] {
        sources(&Path::new(ROOT).join(folder), &mut all);
    }
    for (page, words, line) in FOLLOW {
        assert!(prose(page).contains(words), "{page} does not say `{words}`");
        assert!(all.contains(line), "{page} says `{words}`, and no source has `{line}` any more");
    }
    // And there are no others.
    let computed =
        [computed(), vec!["less than 1 % of a core".into(), "5 % of a core are 50 ms a second".into()]].concat();
    for page in [DELIVERY, SIZING] {
        let mut left = prose(page);
        let held = FOLLOW.iter().filter(|(of, ..)| *of == page).map(|(_, words, _)| (*words).to_owned());
        for words in held.chain(computed.clone()) {
            left = left.replace(&words, "");
        }
        for words in COMPARED.iter().filter(|(of, _)| *of == page).map(|(_, words)| words) {
            assert!(left.contains(words), "{page} does not say `{words}`");
            left = left.replace(words, "");
        }
        let words: Vec<&str> = left.split_whitespace().collect();
        let figure = words.windows(2).find(|pair| {
            let is_number = pair[0].trim_start_matches('(').starts_with(|first: char| first.is_ascii_digit());
            is_number && UNITS.contains(&pair[1].trim_end_matches([',', '.', ';', ':', ')']))
        });
        assert_eq!(figure, None, "{page}: from what does it follow?");
    }
}

/// What follows from no line of the sources: what was done to compare, and what a host has.
const COMPARED: &[(&str, &str)] =
    &[(DELIVERY, "items of 2 KB"), (DELIVERY, "caches of 1 MiB"), (SIZING, "a limit of 256 MB")];
const UNITS: &[&str] =
    &["s", "ms", "µs", "min", "minutes", "hours", "bytes", "KB", "KiB", "MB", "MiB", "GB", "%", "messages", "execs"];

/// What sizing makes of the storm that `make bench` measures.
fn computed() -> Vec<String> {
    let page = read("docs/performance.md");
    let storm = between(&page, "<!-- measured: storm -->", "<!-- end -->");
    let rows: Vec<Vec<&str>> = storm
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(" to "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let column = |number: usize| {
        let cells = rows.iter().map(move |row| row[number].parse::<f64>().expect("a number"));
        cells.collect::<Vec<_>>()
    };
    let (cpu, peak, resident) = (column(4), column(5), column(6));
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let least = cpu.iter().copied().fold(f64::MAX, f64::min).floor();
    let in_kernel: f64 = between(storm, "(2 threads): **", "**").parse().expect("a number");
    let execs = (50.0 / most(&cpu).ceil()).floor();
    vec![
        format!("{least} to {} ms for 1,000 execs", most(&cpu).ceil()),
        format!("some {} µs for each", in_kernel.round()),
        format!("{} MB resident and {} MB at the start", most(&resident), most(&peak)),
        format!("some {execs},000 execs a second"),
        "100 execs a second".to_owned(),
    ]
}

#[test]
fn rules_of_thumb_are_those_of_the_last_measurement() {
    let sizing = prose(SIZING);
    for words in computed() {
        assert!(
            sizing.contains(&words),
            "docs/performance.md has been measured anew: docs/sizing.md should say `{words}`"
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
