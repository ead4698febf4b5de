//! The shipped content: every detection loads, does what its cases say, is documented, and keeps quiet about
//! ordinary life.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use diagnostic::Report;
use sensor_agent::config::{Confidence, Config, ListConfig, Paths, Policy, PolicyType, Priority, load};
use sensor_agent::event::Class;
use sensor_agent::event::build::build;
use sensor_agent::plan::rule_books;
use sensor_agent::rules::cases::{Case, read_cases, run_cases};
use sensor_agent::rules::{ChainIndex, RuleSet, Scratch, Verdict};
use sensor_agent::sensor::configure;
use serde::Deserialize;
use settings::{Environment, Word};

const FEWEST_CASES: usize = 2;

/// Below the root of the repository.
fn path(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(below)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn paths(main: &str) -> Paths {
    Paths {
        main: Some(path(main)),
        content: Some(path("etc/content/runtimedetections-content.yaml")),
        ..Paths::default()
    }
}

/// The content as the sensor reads it.
struct Shipped {
    config: Config,
    /// All policies that are programmed, in the order of `config`.
    rules: RuleSet,
    report: Report,
}

/// Loaded once: it takes a while in a build for tests.
static SHIPPED: LazyLock<Shipped> = LazyLock::new(Shipped::load);

impl Shipped {
    fn load() -> Self {
        let mut report = Report::default();
        let config = load(&paths("sensor-agent/tests/content/main.yaml"), &Environment::default(), &mut report);
        let books = rule_books(&config, &mut report);
        let rules = books.into_iter().find(|book| book.class() == Class::Process).expect("programs have a book");
        assert_eq!(rules.len(), config.policies.len(), "policies about other events are shipped, and none is run here");
        Self { config, rules, report }
    }

    fn policies(&self) -> impl Iterator<Item = (ChainIndex, &str, &Policy)> {
        self.config.policies.iter().enumerate().map(|(at, policy)| (ChainIndex(at), policy.name.value.as_str(), policy))
    }

    fn chain(&self, name: &str) -> Option<ChainIndex> {
        self.policies().find(|(_, policy, _)| *policy == name).map(|(chain, ..)| chain)
    }

    fn lists(&self) -> impl Iterator<Item = &ListConfig> {
        self.config.lists.iter().flatten()
    }
}

fn findings(report: &Report) -> Vec<String> {
    report
        .diagnostics()
        .iter()
        .map(|finding| format!("{:?}: {} ({})", finding.severity, finding.message, finding.label))
        .collect()
}

/// Every case, with the file it is from.
fn cases() -> Vec<(String, Case)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(path("etc/content/tests"))
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

/// The names of a detection's own lists begin with this.
fn list_prefix(policy: &str) -> String {
    policy.replace(' ', "_")
}

#[test]
fn the_content_is_without_a_finding() {
    assert_eq!(findings(&SHIPPED.report), [""; 0]);
}

#[test]
fn the_demonstration_is_without_a_finding() {
    let mut report = Report::default();
    let (config, _) = configure(&paths("etc/demo.yaml"), &Environment::default(), &mut report);
    assert_eq!(findings(&report), [""; 0]);
    assert!(config.policies.iter().any(|policy| policy.name.value.starts_with("Demonstration: ") && policy.enabled));
}

#[test]
fn every_case_has_its_verdict() {
    let shipped = &*SHIPPED;
    let (files, cases): (Vec<_>, Vec<_>) = cases().into_iter().unzip();
    let outcomes = run_cases(&cases, |policy| shipped.chain(policy).map(|chain| (&shipped.rules, chain)));
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
    let shipped = &*SHIPPED;
    let few: Vec<_> = shipped
        .policies()
        .filter_map(|(_, policy, _)| {
            let [negative, positive] = counts.get(policy).copied().unwrap_or_default();
            let few = negative < FEWEST_CASES || positive < FEWEST_CASES;
            few.then(|| format!("{policy}: {positive} that match, {negative} that do not"))
        })
        .collect();
    assert!(few.is_empty(), "too few cases:\n{}", few.join("\n"));
}

#[test]
fn every_rule_decides_some_case() {
    let shipped = &*SHIPPED;
    let mut deciding = BTreeSet::new();
    for (_, case) in cases() {
        let Some(chain) = shipped.chain(&case.policy) else { continue };
        let (event, host) = build(&case.event).unwrap();
        if let Some((_, rule)) = shipped.rules.verdict(chain, &event, &host) {
            deciding.insert((chain, rule.0));
        }
    }
    let mut idle = Vec::new();
    for (chain, name, policy) in shipped.policies() {
        for (index, rule) in policy.rules.iter().enumerate() {
            // The allow-lists are empty.
            if !rule.value.contains("-allowList") && !deciding.contains(&(chain, index)) {
                idle.push(format!("{name}: {}", rule.value));
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
    let shipped = &*SHIPPED;
    let policies: Vec<_> = shipped.policies().collect();
    let text = read(&path("sensor-agent/tests/content/ordinary.yaml"));
    let events: Vec<Ordinary> = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for Ordinary { name, raises, event } in events {
        let (event, host) = build(&event).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let mut raised = Vec::new();
        shipped.rules.matches(&event, &host, &mut scratch, &mut |chain, rule| {
            let (_, policy, settings) = policies[chain.0];
            if settings.enabled {
                raised.push((policy, settings.priority, shipped.rules.rule_text(chain, rule)));
            }
        });
        for (policy, priority, rule) in &raised {
            let quiet = matches!(priority, Priority::Low | Priority::Info);
            if !quiet || !raises.iter().any(|expected| expected == policy) {
                wrong.push(format!("{name} raises `{policy}` ({}): {rule}", priority.word()));
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
    let shipped = &*SHIPPED;
    let lists: BTreeMap<_, _> = shipped.lists().map(|list| (list.name.value.as_str(), list)).collect();
    let mut wrong = Vec::new();
    for (_, name, policy) in shipped.policies() {
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{name}: {what}"));
            }
        };
        let sentence = |text: Option<&String>| text.is_some_and(|text| text.trim().ends_with('.'));
        expect(policy.policy_type == PolicyType::Program, "not of type `program`");
        expect(sentence(policy.alert_message.as_ref().map(|text| &text.value)), "the message is no sentence");
        expect(sentence(policy.comments.as_ref()), "the comments are no sentence");
        expect(
            policy.rules.last().is_some_and(|rule| rule.value == "default ignore"),
            "no `default ignore` at the end",
        );
        let group: Vec<&str> =
            policy.content_group.iter().flat_map(|group| group.parts()).map(String::as_str).collect();
        if name == "Alert Tester" {
            expect(group.is_empty(), "the self check must not depend on a content group");
            continue;
        }
        expect(matches!(group[..], ["Audit" | "Detection Analytics", _]), "not in a group of a group");
        expect(group.first() != Some(&"Audit") || policy.priority != Priority::High, "audited, and of high priority");
        expect(policy.confidence != Confidence::Low || policy.priority != Priority::High, "high, and not sure of it");
        expect(!policy.categories.is_empty(), "no category");
        for category in &policy.categories {
            expect(is_technique(category), category);
        }
        let first = &policy.rules[0].value;
        for field in ["programName", "parentProgramName", "commandLine"] {
            let list = format!("{}-{field}-allowList", list_prefix(name));
            expect(first.contains(&format!("{field} in ${list}")), "the first rule asks no allow-list");
            let empty = |list: &&ListConfig| list.values.as_ref().is_some_and(Vec::is_empty);
            expect(lists.get(list.as_str()).is_some_and(empty), "an allow-list is not empty");
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
    let shipped = &*SHIPPED;
    let rules: String =
        shipped.policies().flat_map(|(_, _, policy)| &policy.rules).map(|rule| format!("{} ", rule.value)).collect();
    let unused: Vec<_> = shipped
        .lists()
        .map(|list| &list.name.value)
        .filter(|name| !rules.contains(&format!("${name} ")) && !rules.contains(&format!("${name})")))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn the_manual_tells_of_every_detection() {
    let manual = read(&path("docs/content.md"));
    let mut sections: BTreeMap<&str, String> = BTreeMap::new();
    for section in manual.split("\n### ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap();
        let text = text.split("\n## ").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(sections.insert(heading, text).is_none(), "{heading} is there twice");
    }
    let shipped = &*SHIPPED;
    let mut wrong = Vec::new();
    for (_, name, policy) in shipped.policies() {
        let Some(text) = sections.remove(name) else {
            wrong.push(format!("{name}: not there"));
            continue;
        };
        let rank = format!("*Priority {}, confidence {}", policy.priority.word(), policy.confidence.word());
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
