//! Test cases for rules: an event, and what a policy should say of it.
//!
//! A file is a YAML list:
//!
//! ```yaml
//! - name: wget is not for users            # optional
//!   policy: Enforced Wget Blocklist
//!   expect: match                          # or ignore
//!   rule: match programName == "wget"      # optional: the rule that must decide
//!   event: {programName: /usr/bin/wget, uid: 1000, lineage: [{programName: /bin/bash}]}
//! ```
//!
//! How an event is written down: [`crate::event::build`].

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::ast::Verdict;
use super::chain::ChainIndex;
use super::compile::RuleSet;
use super::explain::Explanation;
use crate::event::build::{BuildError, build};

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// As given, or else the policy's name.
    pub name: String,
    pub policy: String,
    pub expect: Verdict,
    /// The rule that must decide, as written in the policy.
    pub rule: Option<String>,
    pub event: serde_json::Value,
    /// Where it stands in its file, from 1.
    pub line: u64,
}

/// The file is no list of cases. Says where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CasesError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Option<String>,
    policy: String,
    expect: Expect,
    rule: Option<String>,
    event: serde_json::Value,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Match,
    Ignore,
}

/// Reads a file of cases.
///
/// # Errors
/// The first thing that is wrong with the YAML, or a key that is missing, unknown or of the wrong type.
pub fn read_cases(yaml: &str) -> Result<Vec<Case>, CasesError> {
    let raw: Vec<Spanned<Raw>> =
        serde_saphyr::from_str(yaml).map_err(|error| CasesError(error.to_string().trim_end().to_owned()))?;
    let case = |Spanned { value, referenced, .. }: Spanned<Raw>| Case {
        name: value.name.unwrap_or_else(|| value.policy.clone()),
        policy: value.policy,
        expect: match value.expect {
            Expect::Match => Verdict::Match,
            Expect::Ignore => Verdict::Ignore,
        },
        rule: value.rule.map(|rule| rule.trim().to_owned()),
        event: value.event,
        line: referenced.line(),
    };
    Ok(raw.into_iter().map(case).collect())
}

/// How one case went.
#[derive(Clone, Debug)]
pub struct CaseOutcome {
    pub name: String,
    pub policy: String,
    pub line: u64,
    pub result: CaseResult,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub enum CaseResult {
    Passed,
    /// The verdict is another.
    OtherVerdict {
        expected: Verdict,
        explanation: Explanation,
    },
    /// The verdict is right, and another rule decided.
    OtherRule {
        expected: String,
        explanation: Explanation,
    },
    UnknownPolicy,
    /// The policy is about events of another class.
    OtherClass {
        policy: &'static str,
        event: &'static str,
    },
    /// The policy sees events of another kind.
    OtherKind {
        policy: Cow<'static, str>,
        event: &'static str,
    },
    BadEvent(Vec<BuildError>),
}

/// Runs cases. `lookup` finds a policy's rules by its name.
pub fn run_cases<'a>(cases: &[Case], lookup: impl Fn(&str) -> Option<(&'a RuleSet, ChainIndex)>) -> Vec<CaseOutcome> {
    let run = |case: &Case| CaseOutcome {
        name: case.name.clone(),
        policy: case.policy.clone(),
        line: case.line,
        result: match lookup(&case.policy) {
            Some((set, chain)) => result(case, set, chain),
            None => CaseResult::UnknownPolicy,
        },
    };
    cases.iter().map(run).collect()
}

fn result(case: &Case, set: &RuleSet, chain: ChainIndex) -> CaseResult {
    let (event, host) = match build(&case.event) {
        Ok(built) => built,
        Err(errors) => return CaseResult::BadEvent(errors),
    };
    let class = event.kind.class();
    if class != set.class() {
        return CaseResult::OtherClass { policy: set.class().name(), event: class.name() };
    }
    if !set.sees(event.kind) {
        return CaseResult::OtherKind { policy: set.seen().name(), event: event.kind.word() };
    }
    let Some(explanation) = set.explain(chain, &event, &host) else { return CaseResult::UnknownPolicy };
    if explanation.verdict != Some(case.expect) {
        return CaseResult::OtherVerdict { expected: case.expect, explanation };
    }
    let decided = explanation.decided_by.map(|rule| set.rule_text(chain, rule));
    match &case.rule {
        Some(rule) if decided != Some(rule) => CaseResult::OtherRule { expected: rule.clone(), explanation },
        _ => CaseResult::Passed,
    }
}

impl CaseOutcome {
    #[must_use]
    pub fn passed(&self) -> bool {
        matches!(self.result, CaseResult::Passed)
    }
}

impl fmt::Display for CaseOutcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, policy, line, result } = self;
        match result {
            CaseResult::Passed => write!(out, "ok: {name}"),
            CaseResult::OtherVerdict { expected, explanation } => {
                write!(out, "FAILED: {name} (line {line}): `{}` was expected\n{explanation}", expected.word())
            }
            CaseResult::OtherRule { expected, explanation } => {
                write!(out, "FAILED: {name} (line {line}): `{expected}` was expected to decide\n{explanation}")
            }
            CaseResult::UnknownPolicy => write!(out, "FAILED: {name} (line {line}): there is no policy `{policy}`"),
            CaseResult::OtherClass { policy: about, event } => {
                write!(
                    out,
                    "FAILED: {name} (line {line}): `{policy}` is about {about} events, and this is a {event} event"
                )
            }
            CaseResult::OtherKind { policy: sees, event } => {
                write!(
                    out,
                    "FAILED: {name} (line {line}): `{policy}` sees {sees} events alone, and this is one of type {event}"
                )
            }
            CaseResult::BadEvent(errors) => {
                write!(out, "FAILED: {name} (line {line}): the event cannot be built")?;
                errors.iter().try_for_each(|error| write!(out, "\n  {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{compiled, said};
    use super::*;

    #[test]
    fn cases_are_read_and_run() {
        let (set, report) =
            compiled("ignore uid == 0\nmatch programName == \"wget\"\nmatch args == \"-q\"\ndefault ignore\n");
        assert_eq!(said(&report), "");
        let cases = read_cases(
            r#"
- policy: P
  expect: match
  rule: 'match programName == "wget"'
  event: {programName: /usr/bin/wget, uid: 1000, args: [wget, "-q"]}
- name: root may
  policy: P
  expect: match
  event:
    programName: /usr/bin/wget
    uid: 0
- policy: P
  expect: match
  rule: match args == "-q"
  event: {programName: wget, uid: 1, args: ["-q"]}
- {policy: Q, expect: ignore, event: {}}
- {policy: P, expect: ignore, event: {stage: ring}}
- {policy: P, expect: ignore, event: {uids: 1}}
- {policy: P, expect: ignore, event: }
"#,
        )
        .unwrap();
        assert_eq!(cases.iter().map(|case| case.line).collect::<Vec<_>>(), [2, 6, 12, 16, 17, 18, 19]);
        let outcomes = run_cases(&cases, |policy| (policy == "P").then_some((&set, ChainIndex(0))));
        let said: Vec<_> = outcomes.iter().map(ToString::to_string).collect();
        for (said, expected) in said.iter().zip([
            "ok: P",
            "FAILED: root may (line 6): `match` was expected\n`test` ignores this event: rule 1 of 4 decides",
            "FAILED: P (line 12): `match args == \"-q\"` was expected to decide\n`test` matches this event: rule 2 of 4",
            "FAILED: Q (line 16): there is no policy `Q`",
            "FAILED: P (line 17): `P` is about process events, and this is a sensor event",
            "FAILED: P (line 18): the event cannot be built\n  there is no field or column `uids`; did you mean `uid`?",
            "FAILED: P (line 19): the event cannot be built\n  an event is a map",
        ]) {
            assert!(said.starts_with(expected), "expected {expected}\n got {said}");
        }
        assert_eq!(outcomes.iter().filter(|outcome| outcome.passed()).count(), 1);
    }

    #[test]
    fn an_event_of_a_kind_that_the_policy_never_sees_fails_its_case() {
        use schema::{EventType, Seen};

        use super::super::{Chain, Lists, MissingDefault, compile};
        use diagnostic::{Report, Span, Spanned};

        let mut report = Report::default();
        let span = Span { source: report.add_source("test", "default match"), bytes: 0..13 };
        let rules = [Spanned { value: "default match".to_owned(), span: span.clone(), verbatim: true }];
        let chain = Chain { name: "P", rules: &rules, span: &span, on_missing_default: MissingDefault::Error };
        let set = compile(Seen::only(EventType::Exec), &[chain], &Lists::default(), &mut report);
        let cases = read_cases(
            "- {policy: P, expect: match, event: {exitCode: 1}}\n- {policy: P, expect: match, event: {uid: 1}}\n",
        );
        let outcomes = run_cases(&cases.unwrap(), |_| Some((&set, ChainIndex(0))));
        assert_eq!(
            outcomes[0].to_string(),
            "FAILED: P (line 1): `P` sees PROCESS_EVENT_TYPE_EXEC events alone, and this is one of type \
             PROCESS_EVENT_TYPE_EXIT"
        );
        assert!(outcomes[1].passed());
    }

    #[test]
    fn what_is_no_case_is_refused() {
        for (yaml, part) in [
            ("- policy: P\n  expect: mach\n  event: {}\n", "mach"),
            ("- policy: P\n  expect: match\n", "event"),
            ("- policy: P\n  expect: match\n  event: {}\n  rules: x\n", "rules"),
            ("- policy: P\n expect: [\n", "line"),
            ("policy: P\n", "sequence"),
        ] {
            let error = read_cases(yaml).unwrap_err().to_string();
            assert!(error.contains(part), "{yaml}: {error}");
        }
    }
}
