//! Why a chain of rules says what it says of one event: for the person who wrote it.

use std::fmt;

use super::ast::{Scope, Verdict};
use super::chain::{ChainIndex, Condition, RuleIndex};
use super::check::Expr;
use super::compile::RuleSet;
use super::test::{Atom, exists};
use crate::event::json::write_value;
use crate::event::{Event, Host, Value};

/// What one chain says of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Of the chain.
    pub name: String,
    /// None if no rule held, which takes a chain whose default was wrong.
    pub verdict: Option<Verdict>,
    /// The rule that decided.
    pub decided_by: Option<RuleIndex>,
    /// How many rules the chain has.
    pub rules: usize,
    /// The rules in order, up to the one that decided.
    pub steps: Vec<Step>,
}

/// One rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub rule: RuleIndex,
    /// As written.
    pub text: String,
    pub outcome: Outcome,
}

/// How it went with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It held, and decided. With the comparisons that made it hold.
    Held(Vec<Finding>),
    /// It did not hold. Of `and` the first comparison that failed, of `or` one for each side.
    Failed(Vec<Finding>),
    /// The rule is wrong, or stands behind one that always decides.
    LeftOut,
}

/// One comparison and what it met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// As a rule would write it, such as `not name == "x"`.
    pub comparison: String,
    /// What is compared, such as `lineage[0].name`.
    pub subject: String,
    /// Its value as JSON, or `absent`; of `any lineage` each ancestor's. Long values are cut.
    pub actual: String,
}

impl RuleSet {
    /// Tells which rule of a chain decides about an event, and why those before it do not. None if there is no such
    /// chain.
    #[must_use]
    pub fn explain(&self, chain: ChainIndex, event: &Event, host: &Host) -> Option<Explanation> {
        let checked = self.chains.get(chain.0)?;
        let mut steps = Vec::new();
        let mut decided = None;
        for (index, rule) in checked.rules.iter().enumerate() {
            let outcome = match &rule.condition {
                Condition::Never => Outcome::LeftOut,
                Condition::Always => Outcome::Held(Vec::new()),
                Condition::When(condition) => {
                    let mut findings = Vec::new();
                    if self.trace(condition, false, event, host, &mut findings) {
                        Outcome::Held(findings)
                    } else {
                        Outcome::Failed(findings)
                    }
                }
            };
            let held = matches!(outcome, Outcome::Held(_));
            steps.push(Step { rule: RuleIndex(index), text: rule.text.to_string(), outcome });
            if held {
                decided = Some((rule.verdict, RuleIndex(index)));
                break;
            }
        }
        Some(Explanation {
            name: checked.name.to_string(),
            verdict: decided.map(|(verdict, _)| verdict),
            decided_by: decided.map(|(_, rule)| rule),
            rules: checked.rules.len(),
            steps,
        })
    }

    /// Whether a condition, or its opposite, holds, and the comparisons that settle it.
    fn trace(&self, expr: &Expr, negated: bool, event: &Event, host: &Host, findings: &mut Vec<Finding>) -> bool {
        let start = findings.len();
        match expr {
            Expr::Not(inner) => self.trace(inner, !negated, event, host, findings),
            Expr::Atom(atom) => {
                let atom = &self.atoms[*atom as usize];
                let holds = atom.holds(event, host) != negated;
                findings.push(finding(atom, negated, event, host));
                holds
            }
            Expr::And(parts) | Expr::Or(parts) => {
                // Negated, `and` is `or` of the opposites, and the other way round.
                let all = matches!(expr, Expr::And(_)) != negated;
                for part in parts {
                    let before = findings.len();
                    if self.trace(part, negated, event, host, findings) != all {
                        // This part settles it; the others have nothing to say.
                        findings.drain(start..before);
                        return !all;
                    }
                }
                all
            }
        }
    }
}

fn finding(atom: &Atom, negated: bool, event: &Event, host: &Host) -> Finding {
    let name = atom.field.name;
    let subject = match atom.scope {
        Scope::Event => name.to_owned(),
        Scope::Ancestor(n) => format!("lineage[{n}].{name}"),
        Scope::AnyAncestor => format!("any lineage.{name}"),
    };
    let mut out = Vec::new();
    let mut show = |value| {
        if !out.is_empty() {
            out.extend_from_slice(b", ");
        }
        if exists(value) {
            write_value(&mut out, value)
        } else {
            out.extend_from_slice(b"absent")
        }
        if let Value::Place(place) = value {
            out.extend_from_slice(b" (by mounts that are not the host's; the host has it ");
            match place.host {
                Some(host) => {
                    out.extend_from_slice(b"at ");
                    write_value(&mut out, Value::Text(host));
                }
                None => out.extend_from_slice(b"nowhere"),
            }
            out.push(b')');
        }
    };
    match atom.scope {
        Scope::Event => show(atom.field.of(event, host)),
        Scope::Ancestor(n) => {
            event.process.ancestors().skip(usize::from(n)).take(1).for_each(|it| show(atom.field.of_process(it, host)));
        }
        Scope::AnyAncestor => event.process.ancestors().for_each(|it| show(atom.field.of_process(it, host))),
    }
    if out.is_empty() {
        out.extend_from_slice(b"absent (no such ancestor is known)");
    }
    let comparison = if negated { format!("not {}", atom.text) } else { atom.text.clone() };
    Finding { comparison: cut(comparison), subject, actual: cut(String::from_utf8_lossy(&out).into_owned()) }
}

/// Longest value shown, bytes.
const SHOWN: usize = 400;

fn cut(mut text: String) -> String {
    if text.len() > SHOWN {
        text.truncate(text.floor_char_boundary(SHOWN));
        text.push('…');
    }
    text
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.verdict, self.decided_by) {
            (Some(verdict), Some(rule)) => {
                let verdict = if verdict == Verdict::Match { "matches" } else { "ignores" };
                writeln!(out, "`{}` {verdict} this event: rule {} of {} decides", self.name, rule.0 + 1, self.rules)?;
            }
            _ => writeln!(out, "`{}` says nothing of this event: none of {} rules holds", self.name, self.rules)?,
        }
        for step in &self.steps {
            writeln!(out, "{:>3}. {}", step.rule.0 + 1, step.text)?;
            match &step.outcome {
                Outcome::LeftOut => writeln!(out, "     left out: the rule is wrong, or another decides before it")?,
                Outcome::Held(findings) => {
                    writeln!(out, "     holds")?;
                    for found in findings {
                        writeln!(out, "       {}: {} is {}", found.comparison, found.subject, found.actual)?;
                    }
                }
                Outcome::Failed(findings) => {
                    writeln!(out, "     does not hold")?;
                    for found in findings {
                        writeln!(out, "       not so: {}; {} is {}", found.comparison, found.subject, found.actual)?;
                    }
                }
            }
        }
        Ok(())
    }
}
