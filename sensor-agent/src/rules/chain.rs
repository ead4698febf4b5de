//! Chains of rules: as people write them, and checked one by one.

use diagnostic::{Report, Span, Spanned};
use foldhash::HashMap;

use super::Problem;
use super::ast::Verdict;
use super::check::{Checker, Expr};
use super::contradiction::contradiction;
use super::normal::normal;
use super::parse::parse;

/// One policy's or one table's ordered rules, as written.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// Of the policy or table, for messages.
    pub name: &'a str,
    pub rules: &'a [Spanned<String>],
    /// Where a missing default is shown.
    pub span: &'a Span,
    pub on_missing_default: MissingDefault,
}

/// What it means that a chain has no `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingDefault {
    /// It is an error.
    Error,
    /// The verdict for what no rule holds for.
    Is(Verdict),
}

/// Position of a chain among those that were compiled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainIndex(pub usize);

/// Position of a rule in its chain, as written. An unwritten default stands behind the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(pub usize);

#[derive(Debug)]
pub(super) struct CheckedChain {
    pub(super) name: Box<str>,
    pub(super) rules: Vec<CheckedRule>,
}

#[derive(Debug)]
pub(super) struct CheckedRule {
    /// As written.
    pub(super) text: Box<str>,
    pub(super) verdict: Verdict,
    pub(super) condition: Condition,
}

#[derive(Debug)]
pub(super) enum Condition {
    When(Expr),
    /// `default`.
    Always,
    /// The rule is wrong or stands behind a default: it never decides.
    Never,
}

/// Checks one chain. What is wrong goes to the report and never decides.
pub(super) fn check_chain(chain: &Chain<'_>, checker: &mut Checker<'_>, report: &mut Report) -> CheckedChain {
    let mut rules = Vec::with_capacity(chain.rules.len() + 1);
    let mut default: Option<usize> = None;
    // A rule that is wrong may be meant to.
    let mut may_match = chain.on_missing_default == MissingDefault::Is(Verdict::Match);
    let mut seen: HashMap<String, usize> = HashMap::default();
    for (index, source) in chain.rules.iter().enumerate() {
        let text = source.value.as_str();
        let mut checked =
            CheckedRule { text: text.trim().into(), verdict: Verdict::Ignore, condition: Condition::Never };
        match parse(text) {
            Err(problem) => {
                may_match = true;
                problem.report(source, report);
            }
            Ok(rule) => {
                checked.verdict = rule.verdict;
                may_match |= rule.verdict == Verdict::Match && default.is_none();
                let condition = match &rule.condition {
                    None => Some(Condition::Always),
                    Some(condition) => {
                        let range = condition.range.clone();
                        let (condition, problems) = checker.condition(rule.verdict, condition);
                        problems.into_iter().for_each(|problem| problem.report(source, report));
                        if let Some(atom) =
                            condition.as_ref().and_then(|it| contradiction(&normal(it, false), &checker.atoms))
                        {
                            Problem::warning(range, "a part of this condition never holds")
                                .label(format!(
                                    "no value passes `{}` and all else that goes with it by `and`",
                                    atom.text
                                ))
                                .report(source, report);
                        }
                        condition.map(Condition::When)
                    }
                };
                let earlier = rule.condition.as_ref().and_then(|condition| seen.insert(condition.to_string(), index));
                let unreachable = match (default, earlier) {
                    (Some(default), _) => Some((default, "decides for every event")),
                    (None, Some(earlier)) => Some((earlier, "has the same condition")),
                    (None, None) => None,
                };
                if let Some((before, why)) = unreachable {
                    Problem::warning(0..text.len(), "this rule never decides")
                        .label(format!(
                            "rule {} `{}` stands before it and {why}",
                            before + 1,
                            chain.rules[before].value.trim()
                        ))
                        .help("take it out, or move it up")
                        .report(source, report);
                } else if let Some(condition) = condition {
                    checked.condition = condition;
                }
                if rule.condition.is_none() {
                    default = default.or(Some(index));
                }
            }
        }
        rules.push(checked);
    }
    if default.is_none() {
        match chain.on_missing_default {
            MissingDefault::Error => {
                report
                    .error(chain.span.clone(), format!("the rules of `{}` have no default", chain.name))
                    .label("what about an event that no rule holds for?")
                    .help("end the rules with `default ignore` or `default match`");
            }
            MissingDefault::Is(verdict) => {
                let text = format!("default {}", verdict.word()).into();
                rules.push(CheckedRule { text, verdict, condition: Condition::Always });
            }
        }
    }
    if !may_match && !chain.rules.is_empty() {
        report
            .warning(chain.span.clone(), format!("no rule of `{}` matches anything", chain.name))
            .label("all of them ignore")
            .help("begin the rules for what is wanted with `match`, or take this out");
    }
    CheckedChain { name: chain.name.into(), rules }
}
