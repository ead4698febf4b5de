//! Files of test cases for rules: any text is read and run, or refused in words.
#![no_main]

use std::sync::LazyLock;

use diagnostic::{Report, Span, Spanned};
use libfuzzer_sys::fuzz_target;
use schema::Class;
use sensor_agent::rules::{Chain, ChainIndex, Lists, MissingDefault, RuleSet, Verdict, compile, read_cases, run_cases};

const RULES: [&str; 4] = [
    r#"match programName == "*/wget" and uid != 0"#,
    r#"match any lineage.programName contains "bash""#,
    r#"match args =~ "^-[a-z]+$" or exitCode > 3"#,
    "default ignore",
];

static SET: LazyLock<RuleSet> = LazyLock::new(|| {
    let mut report = Report::default();
    let source = report.add_source("rules", RULES.join("\n"));
    let span = Span { source, bytes: 0..1 };
    let rules = RULES.map(|rule| Spanned { value: rule.to_owned(), span: span.clone(), verbatim: false });
    let on_missing_default = MissingDefault::Is(Verdict::Ignore);
    let chain = Chain { name: "policy", rules: &rules, span: &span, on_missing_default };
    compile(Class::Process, &[chain], &Lists::default(), &mut report)
});

fuzz_target!(|text: &str| {
    match read_cases(text) {
        Ok(cases) => {
            let outcomes = run_cases(&cases, |name| (name == "policy").then_some((&*SET, ChainIndex(0))));
            assert_eq!(outcomes.len(), cases.len());
            assert!(outcomes.iter().all(|outcome| !outcome.to_string().is_empty()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
