//! The shipped content: every detection loads, does what its cases say, and is documented.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sensor_agent::diagnostic::{Report, Span, Spanned};
use sensor_agent::event::Class;
use sensor_agent::event::build::build;
use sensor_agent::rules::cases::{Case, read_cases, run_cases};
use sensor_agent::rules::{Chain, ChainIndex, ListSource, Lists, MissingDefault, RuleSet, Scratch, Verdict, compile};
use serde::Deserialize;

const FEWEST_CASES: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Policy {
    policy: String,
    enabled: bool,
    priority: String,
    confidence: String,
    content_group: Option<String>,
    categories: Vec<String>,
    alert_message: String,
    comments: String,
    rules: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    r#type: String,
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Policy(Box<Policy>),
    Lists(BTreeMap<String, List>),
}

struct Content {
    policies: BTreeMap<String, Policy>,
    lists: BTreeMap<String, List>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/content")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn content() -> Content {
    let text = read(&folder().join("runtimedetections-content.yaml"));
    let entries: BTreeMap<String, Entry> = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let mut content = Content { policies: BTreeMap::new(), lists: BTreeMap::new() };
    for (name, entry) in entries {
        match entry {
            Entry::Policy(policy) => drop(content.policies.insert(name, *policy)),
            Entry::Lists(lists) => {
                assert_eq!(name, "lists");
                content.lists = lists;
            }
        }
    }
    content
}

/// Every case, with the file it is from.
fn cases() -> Vec<(String, Case)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join("tests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let read_file = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let cases = read_cases(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        cases.into_iter().map(move |case| (name.clone(), case))
    };
    files.iter().flat_map(read_file).collect()
}

fn compiled(content: &Content) -> (RuleSet, Report) {
    let mut report = Report::default();
    let source = report.add_source("content", "");
    let span = Span { source, bytes: 0..0 };
    let spanned = |text: &str| Spanned { value: text.to_owned(), span: span.clone(), verbatim: false };
    let sources: Vec<_> = content
        .lists
        .iter()
        .map(|(name, list)| ListSource {
            name: spanned(name),
            kind: Some(spanned(&list.r#type)),
            values: Some(list.values.iter().map(|value| spanned(value)).collect()),
            add: Vec::new(),
            remove: Vec::new(),
        })
        .collect();
    let lists = Lists::merge(&sources, &mut report);
    let rules: Vec<Vec<_>> =
        content.policies.values().map(|policy| policy.rules.iter().map(|rule| spanned(rule)).collect()).collect();
    let chains: Vec<_> = content
        .policies
        .keys()
        .zip(&rules)
        .map(|(name, rules)| Chain { name, rules, span: &span, on_missing_default: MissingDefault::Error })
        .collect();
    let set = compile(Class::Process, &chains, &lists, &mut report);
    (set, report)
}

/// The names of a detection's own lists begin with this.
fn list_prefix(policy: &str) -> String {
    policy.replace(' ', "_")
}

#[test]
fn everything_compiles_without_a_finding() {
    let (_, report) = compiled(&content());
    let findings: Vec<_> = report
        .diagnostics()
        .iter()
        .map(|finding| format!("{:?}: {} ({}) {:?}", finding.severity, finding.message, finding.label, finding.help))
        .collect();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn every_case_has_its_verdict() {
    let content = content();
    let (set, _) = compiled(&content);
    let names: Vec<_> = content.policies.keys().collect();
    let (files, cases): (Vec<_>, Vec<_>) = cases().into_iter().unzip();
    let outcomes = run_cases(&cases, |policy| {
        names.iter().position(|name| *name == policy).map(|position| (&set, ChainIndex(position)))
    });
    let failed: Vec<_> = files
        .iter()
        .zip(&outcomes)
        .filter(|(_, outcome)| !outcome.passed())
        .map(|(file, outcome)| format!("{file}: {outcome}"))
        .collect();
    assert!(failed.is_empty(), "{} of {} failed\n\n{}", failed.len(), outcomes.len(), failed.join("\n\n"));
}

#[test]
fn every_detection_is_tested_both_ways() {
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (file, case) in cases() {
        counts.entry(case.policy.clone()).or_default()[usize::from(case.expect == Verdict::Match)] += 1;
        assert!(names.insert((case.policy, case.name.clone())), "{file}: the case `{}` is there twice", case.name);
    }
    let few: Vec<_> = content()
        .policies
        .into_keys()
        .filter_map(|policy| {
            let [negative, positive] = counts.get(&policy).copied().unwrap_or_default();
            let few = negative < FEWEST_CASES || positive < FEWEST_CASES;
            few.then(|| format!("{policy}: {positive} that match, {negative} that do not"))
        })
        .collect();
    assert!(few.is_empty(), "too few cases:\n{}", few.join("\n"));
}

#[test]
fn every_rule_decides_some_case() {
    let content = content();
    let (set, _) = compiled(&content);
    let mut deciding = BTreeSet::new();
    for (_, case) in cases() {
        let Some(position) = content.policies.keys().position(|name| *name == case.policy) else { continue };
        let (event, host) = build(&case.event).unwrap();
        if let Some((_, rule)) = set.verdict(ChainIndex(position), &event, &host) {
            deciding.insert((position, rule.0));
        }
    }
    let mut idle = Vec::new();
    for (position, (name, policy)) in content.policies.iter().enumerate() {
        for (index, rule) in policy.rules.iter().enumerate() {
            // The allow-lists are empty.
            if !rule.contains("-allowList") && !deciding.contains(&(position, index)) {
                idle.push(format!("{name}: {rule}"));
            }
        }
    }
    assert!(idle.is_empty(), "{} rules that no case reaches:\n{}", idle.len(), idle.join("\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ordinary {
    name: String,
    /// Detections of low priority that see it.
    #[serde(default)]
    raises: Vec<String>,
    event: serde_json::Value,
}

#[test]
fn ordinary_life_raises_no_alarm() {
    let content = content();
    let (set, _) = compiled(&content);
    let policies: Vec<_> = content.policies.iter().collect();
    let text = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/content/ordinary.yaml"));
    let events: Vec<Ordinary> = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for Ordinary { name, raises, event } in events {
        let (event, host) = build(&event).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let mut raised = Vec::new();
        set.matches(&event, &host, &mut scratch, &mut |chain, rule| {
            let (policy, settings) = policies[chain.0];
            if settings.enabled {
                raised.push((policy.as_str(), settings.priority.as_str(), set.rule_text(chain, rule)));
            }
        });
        for (policy, priority, rule) in &raised {
            let quiet = ["Low", "Info"].contains(priority) && raises.iter().any(|expected| expected == policy);
            if !quiet {
                wrong.push(format!("{name} raises `{policy}` ({priority}): {rule}"));
            }
        }
        for expected in raises.iter().filter(|expected| raised.iter().all(|(policy, ..)| policy != expected)) {
            wrong.push(format!("{name} does not raise `{expected}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_detection_is_whole() {
    let content = content();
    let mut wrong = Vec::new();
    for (name, policy) in &content.policies {
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{name}: {what}"));
            }
        };
        expect(policy.policy == "program", "policy is not `program`");
        expect(["High", "Medium", "Low", "Info"].contains(&policy.priority.as_str()), "unknown priority");
        expect(["High", "Medium", "Low"].contains(&policy.confidence.as_str()), "unknown confidence");
        expect(policy.alert_message.trim().ends_with('.'), "the message is no sentence");
        expect(policy.comments.trim().ends_with('.'), "the comments are no sentence");
        expect(policy.rules.last().is_some_and(|rule| rule == "default ignore"), "no `default ignore` at the end");
        if name == "Alert Tester" {
            expect(policy.content_group.is_none(), "the self check must not depend on a content group");
            continue;
        }
        let audit = policy.content_group.as_deref().is_some_and(|group| group.starts_with("Audit."));
        let analytics = policy.content_group.as_deref().is_some_and(|group| group.starts_with("Detection Analytics."));
        expect(audit || analytics, "neither in `Audit` nor in `Detection Analytics`");
        expect(!audit || policy.priority != "High", "what is only audited is not of high priority");
        expect(!policy.categories.is_empty(), "no category");
        for category in &policy.categories {
            expect(is_technique(category), category);
        }
        let first = &policy.rules[0];
        for field in ["programName", "parentProgramName", "commandLine"] {
            let list = format!("{}-{field}-allowList", list_prefix(name));
            expect(first.contains(&format!("{field} in ${list}")), "the first rule asks no allow-list");
            expect(content.lists.get(&list).is_some_and(|list| list.values.is_empty()), "an allow-list is not empty");
        }
        expect(policy.enabled || name == "Program Added to Running Container", "is off");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `MITRE.<Tactic>.<Technique> (T1234)` or `(T1234.001)`.
fn is_technique(category: &str) -> bool {
    const TACTICS: [&str; 12] = [
        "Initial Access",
        "Execution",
        "Persistence",
        "Privilege Escalation",
        "Defense Evasion",
        "Credential Access",
        "Discovery",
        "Lateral Movement",
        "Collection",
        "Command and Control",
        "Exfiltration",
        "Impact",
    ];
    let Some((tactic, technique)) = category.strip_prefix("MITRE.").and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    let id = technique.rsplit_once(" (T").and_then(|(_, id)| id.strip_suffix(')'));
    let digits = |text: &str, len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    TACTICS.contains(&tactic)
        && id
            .is_some_and(|id| id.split_once('.').map_or(digits(id, 4), |(main, sub)| digits(main, 4) && digits(sub, 3)))
}

#[test]
fn every_list_is_used() {
    let content = content();
    let rules: String =
        content.policies.values().flat_map(|policy| &policy.rules).map(|rule| format!("{rule} ")).collect();
    let unused: Vec<_> = content
        .lists
        .keys()
        .filter(|name| !rules.contains(&format!("${name} ")) && !rules.contains(&format!("${name})")))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn the_manual_tells_of_every_detection() {
    let manual = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/content.md"));
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    for section in manual.split("\n### ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap();
        let text = text.split("\n## ").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(sections.insert(heading, text).is_none(), "{heading} is there twice");
    }
    let content = content();
    let mut wrong = Vec::new();
    for (name, policy) in &content.policies {
        let Some(text) = sections.remove(name.as_str()) else {
            wrong.push(format!("{name}: not there"));
            continue;
        };
        let rank = format!("*Priority {}, confidence {}", policy.priority, policy.confidence);
        let techniques = policy.categories.iter().filter_map(|category| category.rsplit_once(' ').map(|(_, id)| id));
        for needed in techniques.filter(|id| id.starts_with("(T")).chain([rank.as_str(), "Known false positives: "]) {
            if !text.contains(needed) {
                wrong.push(format!("{name}: lacks `{needed}`"));
            }
        }
    }
    wrong.extend(sections.into_keys().map(|heading| format!("{heading}: no such detection")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
