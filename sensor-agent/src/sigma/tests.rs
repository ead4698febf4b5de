//! What comes of rules: held against an evaluator of Sigma that knows nothing of the import, and case by case.

mod cases;
mod differential;
mod evaluator;
mod logs;
mod output;
mod public;
mod refusals;

use diagnostic::{Report, Span, Spanned};
use schema::{EventType, PolicyType, Seen};
use serde_json::{Value, json};
use settings::{Node, Schema, parse};

use super::*;
use crate::event::build::build;
use crate::rules::{ChainIndex, RuleSet, Scratch, Verdict};

/// Takes in one file.
fn import_one(text: &str) -> Imported {
    import(&[("rule.yml".to_owned(), Ok(text.to_owned()))], &Options::default())
}

/// What is said of one file.
fn said(text: &str) -> String {
    import_one(text).told.iter().map(|told| format!("{told}\n")).collect()
}

/// The policies of a file, compiled.
fn compiled(text: &str) -> RuleSet {
    let mut report = Report::default();
    let source = report.add_source("policies", text);
    let root = parse(text, source, &Schema::new(&[]), &mut report)
        .unwrap_or_else(|broken| panic!("{}: {text}", broken.message));
    let get = |node: &Node, name: &str| {
        node.entries().iter().find(|entry| entry.key.value == name).map(|entry| entry.value.clone())
    };
    let texts = |node: Node| node.items().iter().filter_map(Node::spanned).collect::<Vec<_>>();
    let lists: Vec<_> = get(&root, "lists")
        .iter()
        .flat_map(Node::entries)
        .map(|entry| ListSource {
            name: entry.key.clone(),
            kind: get(&entry.value, "type").and_then(|kind| kind.spanned()),
            values: get(&entry.value, "values").map(texts),
            add: Vec::new(),
            remove: Vec::new(),
        })
        .collect();
    let lists = Lists::merge(&lists, &mut report);
    let policies: Vec<(Spanned<String>, Vec<Spanned<String>>)> = root
        .entries()
        .iter()
        .filter(|entry| entry.key.value != "lists")
        .map(|entry| (entry.key.clone(), get(&entry.value, "rules").map(texts).unwrap_or_default()))
        .collect();
    let span = Span { source, bytes: 0..0 };
    let chains: Vec<_> = policies
        .iter()
        .map(|(name, rules)| Chain { name: &name.value, rules, span: &span, on_missing_default: MissingDefault::Error })
        .collect();
    let first = root.entries().iter().find(|entry| entry.key.value != "lists");
    let seen = first
        .and_then(|entry| get(&entry.value, "policy")?.spanned())
        .map(|word| PolicyType::from_word(&word.value).and_then(PolicyType::seen).expect("a type that is served"));
    let set = compile(seen.unwrap_or(Seen::only(EventType::Exec)), &chains, &lists, &mut report);
    assert!(report.diagnostics().is_empty(), "{report}\n{text}");
    set
}

/// An event of Sigma's names as one of ours: of a file or a connection if it has one.
fn ours(event: &Value) -> Value {
    let kind = match event {
        event if event.get("TargetFilename").is_some() => "FILE_EVENT_TYPE_CREATE",
        event if event.get("DestinationIp").is_some() => "NETWORK_EVENT_TYPE_CONNECT_ATTEMPT",
        _ => "PROCESS_EVENT_TYPE_EXEC",
    };
    let mut out = json!({"eventType": kind});
    let mut parent = json!({});
    for (name, value) in event.as_object().expect("an event has fields") {
        let (target, key) = match name.as_str() {
            "Image" => (&mut out, "programName"),
            "CommandLine" => (&mut out, "commandLine"),
            "CurrentDirectory" => (&mut out, "cwd"),
            "User" => (&mut out, "userName"),
            "LogonId" => (&mut out, "uid"),
            "TargetFilename" => (&mut out, "filePath"),
            "DestinationIp" => (&mut out, "dstAddr"),
            "DestinationPort" => (&mut out, "dstPort"),
            "Initiated" => {
                out["direction"] = if value == "true" { "outbound" } else { "inbound" }.into();
                continue;
            }
            "ParentImage" => (&mut parent, "programName"),
            "ParentCommandLine" => (&mut parent, "commandLine"),
            other => panic!("{other}"),
        };
        target[key] = value.clone();
    }
    if parent != json!({}) {
        out["lineage"] = json!([parent]);
    }
    out
}

/// Whether a chain matches an event, by both evaluations.
fn matches(set: &RuleSet, chain: ChainIndex, event: &Value) -> bool {
    let (built, host) = build(event).unwrap_or_else(|errors| panic!("{event}: {errors:?}"));
    let mut found = false;
    set.matches(&built, &host, &mut Scratch::default(), &mut |here, _| found |= here == chain);
    let plain = set.verdict(chain, &built, &host).expect("there is a default").0 == Verdict::Match;
    assert_eq!(found, plain, "{event}: the two evaluations differ");
    found
}

/// A rule for processes with this detection, in YAML's flow style or indented by four.
fn rule(detection: &str) -> String {
    rule_of("process_creation", detection)
}

/// The same of another log.
fn rule_of(category: &str, detection: &str) -> String {
    format!("title: t\nlogsource: {{product: linux, category: {category}}}\ndetection:\n{detection}\n")
}
