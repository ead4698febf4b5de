//! The language as its users meet it: what holds, what is refused, what is explained.

mod differential;
mod doubt;
mod refusals;
mod semantics;
mod unknown;

use diagnostic::{Report, Span, Spanned};
use schema::Class;
use serde_json::Value;

use super::*;
use crate::event::build::build;

/// Rules, one a line, as they would stand in a file.
pub(super) fn source(report: &mut Report, text: &str) -> (Vec<Spanned<String>>, Span) {
    let source = report.add_source("rules", text);
    let mut at = 0;
    let rules = text.split_inclusive('\n').filter_map(|line| {
        let start = at;
        at += line.len();
        let line = line.trim_end_matches('\n');
        let span = Span { source, bytes: start..start + line.len() };
        (!line.is_empty()).then(|| Spanned { value: line.to_owned(), span, verbatim: true })
    });
    (rules.collect(), Span { source, bytes: 0..text.len() })
}

pub(super) fn lists(report: &mut Report) -> Lists {
    let source = report.add_source("lists", "");
    let spanned = |text: &str| Spanned { value: text.to_owned(), span: Span { source, bytes: 0..0 }, verbatim: false };
    let list = |(name, kind, values): (&str, &str, &[&str])| ListSource {
        name: spanned(name),
        kind: Some(spanned(kind)),
        values: Some(values.iter().map(|value| spanned(value)).collect()),
        add: Vec::new(),
        remove: Vec::new(),
    };
    let sources: Vec<_> = [
        ("Shells", "names", &["sh", "*bash", "/opt/*"][..]),
        ("Types", "names", &["PROCESS_EVENT_TYPE_EX*"]),
        ("Hosts", "hosts", &["10.0.0.0/8", "*.example.test", "build"]),
        ("Paths", "paths", &["/usr/bin/*", "/etc/passwd", "wget"]),
        ("Numbers", "numbers", &["1", "0x10"]),
        ("Lineage", "lineage", &["/usr/sbin/sshd", "cron"]),
        ("Empty", "paths", &[]),
        ("Nobody", "names", &[]),
        ("Runtimes", "names", &["dokcer", "podman"]),
        ("Negative", "numbers", &["-1"]),
    ]
    .into_iter()
    .map(list)
    .collect();
    Lists::merge(&sources, report)
}

/// Compiles one chain for process events.
pub(super) fn compiled(text: &str) -> (RuleSet, Report) {
    let mut report = Report::default();
    let lists = lists(&mut report);
    let (rules, span) = source(&mut report, text);
    let chain = Chain { name: "test", rules: &rules, span: &span, on_missing_default: MissingDefault::Error };
    let set = compile(Class::Process, &[chain], &lists, &mut report);
    (set, report)
}

/// Errors and warnings, one a line: severity, the text at the caret, message, label, help.
pub(super) fn said(report: &Report) -> String {
    let line = |found: &diagnostic::Diagnostic| {
        let part = found.span.as_ref().map_or("", |span| &report.source_text(span.source)[span.bytes.clone()]);
        let help = found.help.as_deref().unwrap_or("");
        format!("{:?} at [{part}]: {} | {} | {help}\n", found.severity, found.message, found.label)
    };
    report.diagnostics().iter().map(line).collect()
}

/// Whether a condition holds for an event, by both evaluations.
pub(super) fn holds(condition: &str, event: &Value) -> bool {
    let (set, report) = compiled(&format!("match {condition}\ndefault ignore\n"));
    assert!(!report.has_errors(), "{condition}: {}", said(&report));
    let (event, host) = build(event).unwrap_or_else(|errors| panic!("{event}: {errors:?}"));
    let mut found = Vec::new();
    set.matches(&event, &host, &mut Scratch::default(), &mut |chain, rule| found.push((chain, rule)));
    let slow = set.verdict(ChainIndex(0), &event, &host).expect("there is a default").0 == Verdict::Match;
    assert_eq!(!found.is_empty(), slow, "{condition}: the two evaluations differ");
    slow
}
