//! The compiled evaluation against the plain one, on random rules and random events.

use diagnostic::Report;
use proptest::prelude::*;
use schema::Class;
use serde_json::{Value, json};

use super::super::*;
use super::{lists, said, source};
use crate::event::build::build;

fn any_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(texts).prop_map(str::to_owned)
}

/// Texts of which some begin, end or contain others.
const TEXTS: &[&str] = &[
    "a",
    "ab",
    "abc",
    "b",
    "bc",
    "/a",
    "/a/",
    "/a/b",
    "/a/b/abc",
    "/usr/bin/wget",
    "sh",
    "bash",
    "é",
    "aé",
    "",
    "…",
    "…/b",
    "…/a/b",
    "…/wget",
    "/A/B",
    "/usr/bin/WGET",
    "…/a/B",
    "aBC",
    "AÉ",
];
const GLOBS: &[&str] = &[
    "a",
    "ab",
    "abc",
    "/a/*",
    "/a/b*",
    "/a*",
    "*c",
    "*bc",
    "*b*",
    "*ab*",
    "a?",
    "?",
    "*",
    "",
    "/a/b",
    "a*c",
    "/*/b",
    "*b/a*c",
    "[ab]*",
    "[!a]",
    "/usr/bin/wget",
    "wget",
    "*/wget",
    "??",
    "b*",
    "/?/b",
    "*?b*",
    "sh",
    "*sh",
];

fn condition() -> impl Strategy<Value = String> {
    let scope = any_of(&["", "", "", "lineage[0].", "lineage[1].", "any lineage."]);
    let text_field = any_of(&["programName", "programName", "args", "cwd", "commandLine", "userName", "filePath"]);
    let number_field = any_of(&["uid", "processPid", "parents"]);
    let leaf = prop_oneof![
        6 => (scope.clone(), text_field.clone(), any_of(&["==", "!="]), any_of(GLOBS))
            .prop_map(|(scope, field, op, glob)| format!("{scope}{field} {op} {}", quoted(glob.as_bytes()))),
        2 => (scope.clone(), text_field.clone(), any_of(&["contains", "startswith", "endswith"]), any_of(TEXTS))
            .prop_map(|(scope, field, op, text)| format!("{scope}{field} {op} {}", quoted(text.as_bytes()))),
        2 => (scope.clone(), text_field.clone(), any_of(&["=~", "!~"]), any_of(&["a", "^a", "c$", "a.c", "^$", "[^a]b", "b+", "é", "w.*t", "sh|bc", "^/a/", "x"]))
            .prop_map(|(scope, field, op, text)| format!("{scope}{field} {op} `{text}`")),
        2 => (scope.clone(), text_field.clone(), any_of(&["in", "not in"]), prop::collection::vec(any_of(GLOBS), 1..8)).prop_map(
            |(scope, field, op, globs)| {
                let globs: Vec<_> = globs.iter().map(|glob| quoted(glob.as_bytes())).collect();
                format!("{scope}{field} {op} ({})", globs.join(", "))
            }
        ),
        3 => (scope.clone(), text_field.clone(), prop::collection::vec(any_of(GLOBS), 1..4), any::<bool>()).prop_map(
            |(scope, field, globs, capitals)| {
                let quote = |glob: &String| quoted(if capitals { glob.to_uppercase() } else { glob.clone() }.as_bytes());
                let globs: Vec<_> = globs.iter().map(quote).collect();
                format!("{scope}{field} iglob ({})", globs.join(", "))
            }
        ),
        1 => (scope.clone(), any_of(&["in $Paths", "not in $Paths", "in $Shells", "iglob $Paths", "iglob $Shells"])).prop_map(|(scope, list)| format!("{scope}programName {list}")),
        1 => (any_of(&["in $Hosts", "not in $Hosts"])).prop_map(|list| format!("hostname {list}")),
        1 => Just("lineage in $Lineage".to_owned()),
        3 => (scope.clone(), number_field, any_of(&["==", "!=", "<=", ">", "&"]), 0..5)
            .prop_map(|(scope, field, op, number)| format!("{scope}{field} {op} {number}")),
        1 => (scope.clone(), text_field).prop_map(|(scope, field)| format!("{scope}{field} exists")),
        1 => any_of(&["eventType == \"*EXEC*\"", "eventType != \"BASELINE_TASK\"", "isMemfd == true", "isMemfd == false", "isTty != true"]),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
            1 => inner.prop_map(|part| format!("not {part}")),
        ]
    })
}

fn chain() -> impl Strategy<Value = String> {
    let rule = (any_of(&["match", "match", "ignore"]), condition())
        .prop_map(|(verdict, condition)| format!("{verdict} {condition}\n"));
    (prop::collection::vec(rule, 0..5), any_of(&["default match\n", "default ignore\n", "default ignore\n"]))
        .prop_map(|(rules, default)| rules.concat() + &default)
}

fn process() -> impl Strategy<Value = Value> {
    (
        any_of(TEXTS),
        any_of(TEXTS),
        prop::collection::vec(any_of(TEXTS), 0..3),
        0..5,
        0..5,
        prop::option::of(any_of(TEXTS)),
        any::<bool>(),
        prop::option::of(any_of(TEXTS)),
    )
        .prop_map(|(program, cwd, args, uid, pid, user, memfd, host)| {
            json!({
                "programName": program, "cwd": cwd, "args": args, "uid": uid, "processPid": pid, "userName": user,
                "isMemfd": memfd, "isUserMounts": host.is_some() || memfd, "hostPath": host
            })
        })
}

fn event() -> impl Strategy<Value = Value> {
    let kind = any_of(&["PROCESS_EVENT_TYPE_EXEC", "PROCESS_EVENT_TYPE_EXIT", "BASELINE_TASK"]);
    let host = any_of(&["10.1.2.3", "a.example.test", "BUILD.", "x", "::ffff:10.0.0.1"]);
    (process(), prop::collection::vec(process(), 0..4), kind, host).prop_map(|(mut event, lineage, kind, host)| {
        event["lineage"] = lineage.into();
        event["eventType"] = kind.into();
        event["hostname"] = host.into();
        event
    })
}

proptest! {
    /// Whatever stands in a rule, it is compiled or refused, and if refused, something is said.
    #[test]
    fn any_words_are_compiled_or_refused(words in prop::collection::vec(prop::sample::select(vec![
        "programName", "args", "uid", "eventType", "isTty", "time", "hostname", "parents", "argsBytes", "lineage", "any", "lineage[0].", ".",
        "==", "!=", "<", "&", "=~", "contains", "in", "iglob", "not", "exists", "and", "or", "(", ")", ",", "$Paths", "$Hosts", "$Numbers", "$No",
        "\"a*\"", "\"[\"", "`(`", "`\\p{L}+`", "\"PROCESS_*\"", "1", "-1", "64KiB", "1h", "0o17", "true", "\"2026-01-31T12:00:00Z\"",
    ]), 1..9)) {
        let (set, report) = super::compiled(&format!("match {}\ndefault ignore\n", words.join(" ")));
        let (event, host) = build(&json!({})).unwrap();
        let verdict = set.verdict(ChainIndex(0), &event, &host);
        prop_assert!(verdict.is_some());
        let parsed = parse(&format!("match {}", words.join(" ")));
        prop_assert_eq!(parsed.is_err() && !report.has_errors(), false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_evaluations_agree(chains in prop::collection::vec(chain(), 1..12), events in prop::collection::vec(event(), 1..8)) {
        let mut report = Report::default();
        let lists = lists(&mut report);
        let sources: Vec<_> = chains.iter().map(|chain| source(&mut report, chain)).collect();
        let chains: Vec<_> = sources
            .iter()
            .map(|(rules, span)| Chain { name: "c", rules, span, on_missing_default: MissingDefault::Error })
            .collect();
        let set = compile(Class::Process, &chains, &lists, &mut report);
        prop_assert!(!report.has_errors(), "{}", said(&report));
        // Kept from event to event, as in the sensor.
        let mut scratch = Scratch::default();
        for event in events {
            let (built, host) = build(&event).unwrap();
            let mut found = Vec::new();
            set.matches(&built, &host, &mut scratch, &mut |chain, rule| found.push((chain, rule)));
            let expected: Vec<_> = (0..set.len())
                .map(ChainIndex)
                .filter_map(|chain| match set.verdict(chain, &built, &host) {
                    Some((Verdict::Match, rule)) => Some((chain, rule)),
                    _ => None,
                })
                .collect();
            prop_assert_eq!(&found, &expected, "{}", event);
            for chain in (0..set.len()).map(ChainIndex) {
                let explained = set.explain(chain, &built, &host).unwrap();
                prop_assert_eq!(explained.verdict.zip(explained.decided_by), set.verdict(chain, &built, &host));
            }
        }
    }
}
