//! Checked chains as one set, and what is asked of it.

use diagnostic::Report;
use schema::{Class, EventType, Seen};

use super::ast::{Scope, Verdict};
use super::chain::{Chain, ChainIndex, CheckedChain, CheckedRule, Condition, RuleIndex, check_chain};
use super::check::{Checker, Expr};
use super::eval::{Run, Scratch};
use super::lists::Lists;
use super::plan::program;
use super::program::Program;
use super::test::Atom;
use crate::event::{Event, Host, Value};

/// Compiled chains for one class of events.
#[derive(Debug)]
pub struct RuleSet {
    seen: Seen,
    pub(super) chains: Box<[CheckedChain]>,
    pub(super) atoms: Box<[Atom]>,
    program: Program,
}

/// Checks and compiles chains for events of one class, or of one kind. What is wrong goes to the report and is left out; whether
/// there were errors is for the caller to look up there.
#[must_use]
pub fn compile(seen: impl Into<Seen>, chains: &[Chain<'_>], lists: &Lists, report: &mut Report) -> RuleSet {
    let seen = seen.into();
    let mut checker = Checker::new(seen, lists);
    let chains: Box<[_]> = chains.iter().map(|chain| check_chain(chain, &mut checker, report)).collect();
    let atoms = checker.atoms.into_boxed_slice();
    let program = program(&chains, &atoms);
    RuleSet { seen, chains, atoms, program }
}

/// Checks chains as [`compile`] does, for what nothing will run.
pub fn check_alone(seen: impl Into<Seen>, chains: &[Chain<'_>], lists: &Lists, report: &mut Report) {
    let mut checker = Checker::new(seen.into(), lists);
    for chain in chains {
        check_chain(chain, &mut checker, report);
    }
}

impl RuleSet {
    /// The class of events that it is for.
    #[must_use]
    pub fn class(&self) -> Class {
        self.seen.class()
    }

    /// The events that it is for.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen
    }

    /// Whether it is for events of this kind.
    #[must_use]
    pub fn sees(&self, kind: EventType) -> bool {
        self.seen.contains(kind)
    }

    /// Whether some rule asks for this field. An empty list, of exceptions say, asks for nothing.
    #[must_use]
    pub fn asks_for(&self, field: &str) -> bool {
        self.atoms.iter().any(|atom| atom.field.name == field && !atom.test.holds_for_nothing())
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
        debug_assert!(self.sees(event.kind), "events go to the rules that are about them");
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

    /// Whether a chain's rules ask for a field that is meant, of what is meant.
    #[must_use]
    pub fn chain_asks_for(&self, chain: ChainIndex, is_meant: &dyn Fn(Scope, &str) -> bool) -> bool {
        let asks = |atom: u32| {
            let Atom { scope, field, ref test, .. } = self.atoms[atom as usize];
            is_meant(scope, field.name) && !test.holds_for_nothing()
        };
        let conditions =
            self.chains.get(chain.0).into_iter().flat_map(|chain| &chain.rules).filter_map(|rule| {
                if let Condition::When(condition) = &rule.condition { Some(condition) } else { None }
            });
        conditions.into_iter().any(|condition| condition.atoms(&asks))
    }

    /// Whether a chain can match an event of this kind, as far as that shows without one.
    #[must_use]
    pub fn may_match(&self, chain: ChainIndex, kind: EventType) -> bool {
        for rule in self.chains.get(chain.0).into_iter().flat_map(|chain| &chain.rules) {
            let holds = match &rule.condition {
                Condition::Always => Some(true),
                Condition::Never => Some(false),
                Condition::When(condition) => self.known(condition, kind),
            };
            match (rule.verdict, holds) {
                (Verdict::Match, Some(true) | None) => return true,
                (Verdict::Ignore, Some(true)) => return false,
                (_, Some(false)) | (Verdict::Ignore, None) => {}
            }
        }
        false
    }

    /// Whether a condition holds for all events of a kind, or for none.
    fn known(&self, expr: &Expr, kind: EventType) -> Option<bool> {
        match expr {
            Expr::Atom(atom) => {
                let Atom { scope, field, test, .. } = &self.atoms[*atom as usize];
                let of_another = !field.applies_to(Seen::only(kind));
                match field.name {
                    "eventType" => Some(test.holds(Value::Word(kind.word()))),
                    _ if *scope == Scope::Event && of_another => Some(test.holds(Value::Absent)),
                    _ => None,
                }
            }
            Expr::Not(inner) => self.known(inner, kind).map(|holds| !holds),
            Expr::And(parts) | Expr::Or(parts) => {
                // One part that is such decides.
                let decides = matches!(expr, Expr::Or(_));
                let mut parts = parts.iter().map(|part| self.known(part, kind));
                parts
                    .try_fold(Some(!decides), |all, part| match part {
                        Some(holds) if holds == decides => Err(decides),
                        Some(_) => Ok(all),
                        None => Ok(None),
                    })
                    .unwrap_or_else(Some)
            }
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
