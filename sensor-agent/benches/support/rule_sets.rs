//! Rules as people write them, in any number.

use diagnostic::{Report, Span, Spanned};
use schema::Class;
use sensor_agent::rules::{Chain, ListSource, Lists, MissingDefault, RuleSet, compile};

/// Compiles chains, and a list `L` of a kind with entries.
pub(crate) fn rule_set(chains: &[Vec<String>], list: Option<(&str, Vec<String>)>) -> RuleSet {
    let mut report = Report::default();
    let source = report.add_source("bench", "");
    let span = Span { source, bytes: 0..0 };
    let spanned = |value: String| Spanned { value, span: span.clone(), verbatim: false };
    let lists: Vec<_> = list
        .into_iter()
        .map(|(kind, values)| ListSource {
            name: spanned("L".into()),
            kind: Some(spanned(kind.into())),
            values: Some(values.into_iter().map(spanned).collect()),
            add: Vec::new(),
            remove: Vec::new(),
        })
        .collect();
    let lists = Lists::merge(&lists, &mut report);
    let rules: Vec<Vec<_>> = chains.iter().map(|chain| chain.iter().cloned().map(spanned).collect()).collect();
    let chains: Vec<_> = rules
        .iter()
        .map(|rules| Chain { name: "c", rules, span: &span, on_missing_default: MissingDefault::Error })
        .collect();
    let set = compile(Class::Process, &chains, &lists, &mut report);
    assert!(!report.has_errors(), "{:?}", report.diagnostics());
    set
}

/// About `count` rules of the kinds that people write, in policies of four and a default.
pub(crate) fn typical(count: usize) -> Vec<Vec<String>> {
    (0..count / 5)
        .map(|n| {
            vec![
                format!(
                    "match programName == \"/usr/bin/tool{n}\" and not any lineage.programName == \"/usr/bin/apt{n}\""
                ),
                format!("match programName == \"/opt/app{n}/*\" and uid == 0"),
                format!("ignore parentProgramName == \"service{n}\" and eventType == \"PROCESS_EVENT_TYPE_EXEC\""),
                if n % 2 == 0 {
                    format!("match programName == \"bash\" and args == \"-i{n}\"")
                } else {
                    format!("match eventType == \"PROCESS_EVENT_TYPE_EXEC\" and commandLine contains \"evil{n}\"")
                },
                "default ignore".into(),
            ]
        })
        .collect()
}
