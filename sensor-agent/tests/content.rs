//! The shipped content: every detection loads, does what its cases say, is documented, and keeps quiet about
//! ordinary life.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use diagnostic::Report;
use sensor_agent::config::{Config, ListConfig, Paths, Policy, load};
use sensor_agent::event::build::build;
use sensor_agent::plan::rule_books;
use sensor_agent::policy::{Confidence, Priority};
use sensor_agent::rules::cases::{Case, CaseOutcome, read_cases, run_cases};
use sensor_agent::rules::{ChainIndex, RuleSet, Scratch, Verdict};
use sensor_agent::sensor::configure;
use serde::Deserialize;
use settings::Environment;

#[path = "content/assemble.rs"]
mod assemble;
#[path = "content/pages.rs"]
mod pages;
#[path = "content/steps.rs"]
mod steps;

const CONTENT: &str = "etc/content/runtimedetections-content.yaml";

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

/// The detections of a tactic, or the lists, as people write them.
fn detections(file: &str) -> String {
    read(&path("etc/content/detections").join(file).with_extension("yaml"))
}

/// The content as the sensor reads it.
struct Shipped {
    config: Config,
    /// One for each class of events.
    books: Vec<RuleSet>,
    report: Report,
}

/// Loaded once: it takes a while in a build for tests.
static SHIPPED: LazyLock<Shipped> = LazyLock::new(Shipped::load);

impl Shipped {
    fn load() -> Self {
        keep(CONTENT, &assemble::assemble(detections));
        Self::at(&path(CONTENT))
    }

    /// The content of this file.
    fn at(content: &Path) -> Self {
        let mut report = Report::default();
        let paths = Paths { content: Some(content.to_owned()), ..paths("sensor-agent/tests/content/main.yaml") };
        let config = load(&paths, &Environment::default(), &mut report);
        let books: Vec<_> = rule_books(&config, &mut report).into_iter().collect();
        assert_eq!(
            books.iter().map(RuleSet::len).sum::<usize>(),
            config.policies.len(),
            "some policies are in no book"
        );
        Self { config, books, report }
    }

    fn policies(&self) -> impl Iterator<Item = (&str, &Policy)> {
        self.config.policies.iter().map(|policy| (policy.name.value.as_str(), policy))
    }

    fn policy(&self, name: &str) -> &Policy {
        self.policies().find(|(policy, _)| *policy == name).expect("it is of the content").1
    }

    fn rules(&self, name: &str) -> Option<(&RuleSet, ChainIndex)> {
        self.books.iter().find_map(|book| {
            let chain = (0..book.len()).map(ChainIndex).find(|&chain| book.chain_name(chain) == name)?;
            Some((book, chain))
        })
    }

    /// Which policies that are on raise an alert on this event, and by which rule.
    fn raised(&self, event: &serde_json::Value, scratch: &mut Scratch) -> Vec<(&Policy, &str)> {
        let (event, host) = build(event).unwrap_or_else(|errors| panic!("{event}: {errors:?}"));
        let mut raised = Vec::new();
        for book in self.books.iter().filter(|book| book.sees(event.kind)) {
            book.matches(&event, &host, scratch, &mut |chain, rule| {
                let policy = self.policy(book.chain_name(chain));
                if policy.enabled {
                    raised.push((policy, book.rule_text(chain, rule)));
                }
            });
        }
        // What counts only once something is wrong: there is no incident here.
        raised.retain(|(policy, _)| !is_smart(policy));
        raised
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

fn is_smart(policy: &Policy) -> bool {
    policy.content_group.iter().flat_map(|group| group.parts()).next().is_some_and(|part| part == "Smart Policy")
}

/// Compares a file that is made with the one that is there, or writes it.
fn keep(file: &str, wanted: &str) {
    let file = path(file);
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    if there != wanted && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, wanted).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    } else {
        let stale = format!("{} is stale: UPDATE_DOCS=1 cargo test -p sensor-agent --test content", file.display());
        assert!(there == wanted, "{stale}");
    }
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
    let outcomes = run_cases(&cases, |policy| shipped.rules(policy));
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
        .filter_map(|(policy, _)| {
            let [negative, positive] = counts.get(policy).copied().unwrap_or_default();
            let few = negative == 0 || positive == 0;
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
        let Some((book, chain)) = shipped.rules(&case.policy) else { continue };
        let (event, host) = build(&case.event).unwrap_or_else(|errors| panic!("{}: {errors:?}", case.name));
        if let Some((_, rule)) = book.verdict(chain, &event, &host) {
            deciding.insert((case.policy, rule.0));
        }
    }
    let mut idle = Vec::new();
    for (name, policy) in shipped.policies() {
        for (index, rule) in policy.rules.iter().enumerate() {
            // The allow-lists are empty.
            if !rule.value.contains("-allowList") && !deciding.contains(&(name.to_owned(), index)) {
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
    let text = read(&path("sensor-agent/tests/content/ordinary.yaml"));
    let events: Vec<Ordinary> = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for Ordinary { name, raises, event } in events {
        let raised: Vec<_> = shipped
            .raised(&event, &mut scratch)
            .into_iter()
            .map(|(policy, rule)| (policy.name.value.as_str(), policy.priority, rule))
            .collect();
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
    let wrong = lacking(&SHIPPED);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What each detection lacks.
fn lacking(shipped: &Shipped) -> Vec<String> {
    let lists: BTreeMap<_, _> = shipped.lists().map(|list| (list.name.value.as_str(), list)).collect();
    let mut wrong = Vec::new();
    for (name, policy) in shipped.policies() {
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{name}: {what}"));
            }
        };
        let sentence = |text: Option<&String>| text.is_some_and(|text| text.trim().ends_with('.'));
        expect(sentence(policy.alert_message.as_ref().map(|text| &text.value)), "the message is no sentence");
        expect(sentence(policy.comments.as_ref()), "the comments are no sentence");
        let tells = |text: &String| text.contains("Known false positives: ");
        expect(name == "Alert Tester" || policy.description.as_ref().is_some_and(tells), "no known false positives");
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
        expect(matches!(group[..], ["Audit" | "Detection Analytics" | "Smart Policy", _]), "not in a group of a group");
        expect(group.first() != Some(&"Audit") || policy.priority != Priority::High, "audited, and of high priority");
        expect(policy.confidence != Confidence::Low || policy.priority != Priority::High, "high, and not sure of it");
        expect(!policy.categories.is_empty(), "no category");
        for category in &policy.categories {
            expect(is_technique(category), category);
            let techniques = pages::technique(category);
            expect(
                techniques.is_some_and(|(tactic, ..)| pages::TACTICS.iter().any(|(name, _)| *name == tactic)),
                category,
            );
        }
        let first = &policy.rules[usize::from(policy.policy_type.first_rule().is_some())].value;
        for field in ["programName", "parentProgramName", "commandLine"] {
            let list = format!("{}-{field}-allowList", list_prefix(name));
            expect(first.contains(&format!("{field} in ${list}")), "the first rule asks no allow-list");
            let empty = |list: &&ListConfig| list.values.as_ref().is_some_and(Vec::is_empty);
            expect(lists.get(list.as_str()).is_some_and(empty), "an allow-list is not empty");
        }
        // Where no better hook is to be had, these cost every system call of the host something.
        let costly = [
            "credentialChange",
            "namespace",
            "mount",
            "memoryExec",
            "memfdCreate",
            "userfaultfd",
            "sysctl",
            "perfEvent",
            "kexec",
            "bpfAttach",
            "sensorTampering",
            "rawSocket",
            "unixConnect",
        ];
        let is_about_all_files =
            ["Setuid Bit Given by Any Program", "Capability Given to File by Any Program"].contains(&name);
        let costs = is_about_all_files || costly.contains(&policy.policy_type.word);
        expect(policy.enabled != costs || name == "Program Added to Running Container", "is off, or on");
    }
    wrong
}

/// What `docs/contributing/detection.md` shows is a detection with its cases.
#[test]
fn the_walk_of_a_detection_leads_there() {
    let page = read(&path("docs/contributing/detection.md"));
    let blocks: Vec<&str> =
        page.split("```yaml fragment\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [detection, cases] = blocks[..] else { panic!("{} blocks", blocks.len()) };
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join("content.yaml");
    let with_it = |file: &str| match file {
        "discovery" => format!("{}\n{detection}", detections(file)),
        _ => detections(file),
    };
    std::fs::write(&content, assemble::assemble(with_it)).unwrap();
    std::fs::set_permissions(&content, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let shipped = Shipped::at(&content);
    assert_eq!(findings(&shipped.report), [""; 0]);
    assert_eq!(lacking(&shipped), [""; 0]);
    let cases = read_cases(cases).unwrap();
    assert!([Verdict::Match, Verdict::Ignore].iter().all(|verdict| cases.iter().any(|case| case.expect == *verdict)));
    let outcomes = run_cases(&cases, |name| shipped.rules(name));
    assert!(outcomes.iter().all(CaseOutcome::passed), "{outcomes:#?}");
}

/// `MITRE.<Tactic>.<Technique> (T1234)` or `(T1234.001)`.
fn is_technique(category: &str) -> bool {
    let digits = |text: &str, len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = pages::technique(category).and_then(|(_, _, id)| id.strip_prefix('T'));
    id.is_some_and(|id| id.split_once('.').map_or(digits(id, 4), |(main, sub)| digits(main, 4) && digits(sub, 3)))
}

#[test]
fn every_list_is_used() {
    let shipped = &*SHIPPED;
    let rules: String =
        shipped.policies().flat_map(|(_, policy)| &policy.rules).map(|rule| format!("{} ", rule.value)).collect();
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
    let (before, rest) = manual.split_once(pages::BEGIN).expect("the mark where the detections begin");
    let (_, after) = rest.split_once(pages::END).expect("the mark where they end");
    let policies = &SHIPPED.config.policies;
    keep("docs/content.md", &format!("{before}{}{after}", pages::reference(policies)));
    let layer = serde_json::to_string_pretty(&pages::layer(policies)).expect("it is JSON");
    keep("etc/content/attack-navigator-layer.json", &(layer + "\n"));
}

#[test]
fn every_shared_list_is_named_in_the_manual() {
    let manual = read(&path("docs/content.md"));
    let unnamed: Vec<_> = SHIPPED
        .lists()
        .map(|list| list.name.value.as_str())
        .filter(|name| !name.ends_with("-allowList") && !manual.contains(&format!("`{name}`")))
        .collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[test]
fn what_an_attacker_does_raises_an_alert() {
    let steps = steps::read(&read(&path("sensor-agent/tests/content/attack-steps.yaml")));
    let tally = steps::run(&SHIPPED, &steps);
    assert!(tally.wrong.is_empty(), "{tally}");
}

#[test]
fn what_an_administrator_does_is_at_most_audited() {
    let steps = steps::read(&read(&path("sensor-agent/tests/content/ordinary-work.yaml")));
    let tally = steps::run(&SHIPPED, &steps);
    assert!(tally.wrong.is_empty(), "{tally}");
}
