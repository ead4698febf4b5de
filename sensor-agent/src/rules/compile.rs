//! Chains of rules, checked, and what is asked of them.

use foldhash::HashMap;

use super::Problem;
use super::ast::Verdict;
use super::check::{Checker, Expr};
use super::contradiction::contradiction;
use super::eval::{Program, Run, Scratch};
use super::lists::Lists;
use super::parse::parse;
use super::plan::{normal, program};
use super::test::Atom;
use crate::diagnostic::{Report, Span, Spanned};
use crate::event::{Class, Event, Host};

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

/// Compiled chains for one class of events.
#[derive(Debug)]
pub struct RuleSet {
    class: Class,
    pub(super) chains: Box<[CheckedChain]>,
    pub(super) atoms: Box<[Atom]>,
    program: Program,
}

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

/// Checks and compiles chains for events of one class. What is wrong goes to the report and is left out; whether
/// there were errors is for the caller to look up there.
#[must_use]
pub fn compile(class: Class, chains: &[Chain<'_>], lists: &Lists, report: &mut Report) -> RuleSet {
    let mut checker = Checker::new(class, lists);
    let chains: Box<[_]> = chains.iter().map(|chain| check_chain(chain, &mut checker, report)).collect();
    let atoms = checker.atoms.into_boxed_slice();
    let program = program(&chains, &atoms);
    RuleSet { class, chains, atoms, program }
}

impl RuleSet {
    /// The class of events that it is for.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// How many chains it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chains.len()
    }

    /// Whether it has no chains.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// Calls for each chain whose verdict is match, in order, with the rule that decided.
    ///
    /// Never fails. Allocates nothing once the scratch has grown to this set, which it does at the first event.
    pub fn matches(
        &self,
        event: &Event,
        host: &Host,
        scratch: &mut Scratch,
        found: &mut impl FnMut(ChainIndex, RuleIndex),
    ) {
        debug_assert_eq!(event.kind.class(), self.class, "events of one class go to rules of that class");
        Run { program: &self.program, atoms: &self.atoms, event, host, scratch }.matches(found);
    }

    /// The verdict of one chain and the rule that decided, rule by rule: slow and plain. None if no rule held, which
    /// takes a chain whose default was wrong.
    #[must_use]
    pub fn verdict(&self, chain: ChainIndex, event: &Event, host: &Host) -> Option<(Verdict, RuleIndex)> {
        let rules = &self.chains.get(chain.0)?.rules;
        let decides = |rule: &CheckedRule| match &rule.condition {
            Condition::Always => true,
            Condition::Never => false,
            Condition::When(condition) => self.holds(condition, event, host),
        };
        let at = rules.iter().position(decides)?;
        Some((rules[at].verdict, RuleIndex(at)))
    }

    pub(super) fn holds(&self, expr: &Expr, event: &Event, host: &Host) -> bool {
        match expr {
            Expr::Atom(atom) => self.atoms[*atom as usize].holds(event, host),
            Expr::Not(inner) => !self.holds(inner, event, host),
            Expr::And(parts) => parts.iter().all(|part| self.holds(part, event, host)),
            Expr::Or(parts) => parts.iter().any(|part| self.holds(part, event, host)),
        }
    }

    /// A rule as written, for alerts. Empty if there is no such rule.
    #[must_use]
    pub fn rule_text(&self, chain: ChainIndex, rule: RuleIndex) -> &str {
        self.chains.get(chain.0).and_then(|chain| chain.rules.get(rule.0)).map_or("", |rule| &rule.text)
    }

    /// The chain of this name; the first, if several have it.
    #[must_use]
    pub fn chain(&self, name: &str) -> Option<ChainIndex> {
        self.chains.iter().position(|chain| &*chain.name == name).map(ChainIndex)
    }

    /// The name of a chain. Empty if there is no such chain.
    #[must_use]
    pub fn chain_name(&self, chain: ChainIndex) -> &str {
        self.chains.get(chain.0).map_or("", |chain| &chain.name)
    }
}

fn check_chain(chain: &Chain<'_>, checker: &mut Checker<'_>, report: &mut Report) -> CheckedChain {
    let mut rules = Vec::with_capacity(chain.rules.len() + 1);
    let mut default: Option<usize> = None;
    let mut seen: HashMap<String, usize> = HashMap::default();
    for (index, source) in chain.rules.iter().enumerate() {
        let text = source.value.as_str();
        let mut checked =
            CheckedRule { text: text.trim().into(), verdict: Verdict::Ignore, condition: Condition::Never };
        match parse(text) {
            Err(problem) => problem.report(source, report),
            Ok(rule) => {
                checked.verdict = rule.verdict;
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
    CheckedChain { name: chain.name.into(), rules }
}
