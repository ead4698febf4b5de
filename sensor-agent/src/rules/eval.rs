//! The hot path: one event against all chains.
//!
//! First the indexes that rules are found by are asked; whatever comparisons the event passes name the rules that
//! can hold. Only these, and the few that no index can find, are tried, in order. Every further comparison is made
//! at most once, when the first rule asks for it.

use std::cmp::Ordering;

use super::ast::Scope;
use super::chain::{ChainIndex, RuleIndex};
use super::check::Expr;
use super::program::{Plan, Program};
use super::test::{Atom, any_text};
use crate::event::fields::Field;
use crate::event::{Event, Host, Value};

/// Memory for evaluation, to be kept from event to event; one for each thread. It fits any rule set and grows to it
/// at the first event.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Counts events; a mark that equals it was set for this event.
    event: u32,
    /// For each comparison: it holds.
    holds: Vec<u32>,
    /// For each comparison made by itself: it was made.
    made: Vec<u32>,
    /// For each regular expression: a literal that it needs was found.
    possible: Vec<u32>,
    groups: Vec<u32>,
    sought: Vec<u32>,
    /// For each rule: it was found.
    found: Vec<u32>,
    candidates: Vec<u32>,
    /// Candidates and those always tried, in order.
    merged: Vec<u32>,
    /// A value in small letters.
    folded: Vec<u8>,
}

/// Bytes of [`Scratch::folded`] to begin with: more than nearly all values have.
const FOLDED: usize = 8 * 1024;

impl Scratch {
    fn begin(&mut self, program: &Program) {
        let grow = |marks: &mut Vec<u32>, len: usize| {
            if marks.len() < len {
                marks.resize(len, 0);
            }
        };
        grow(&mut self.holds, program.plans.len());
        grow(&mut self.made, program.plans.len());
        grow(&mut self.groups, program.groups.len());
        grow(&mut self.possible, program.plans.len());
        grow(&mut self.sought, program.sought.len());
        grow(&mut self.found, program.rules.len());
        self.candidates.clear();
        self.candidates.reserve(program.rules.len());
        self.merged.clear();
        self.merged.reserve(program.rules.len());
        if program.any_case {
            self.folded.clear();
            self.folded.reserve(FOLDED);
        }
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            let Self { holds, made, possible, groups, sought, found, .. } = self;
            for marks in [holds, made, possible, groups, sought, found] {
                marks.fill(0);
            }
            self.event = 1;
        }
    }
}

/// One event being evaluated.
pub(super) struct Run<'a> {
    pub(super) program: &'a Program,
    pub(super) atoms: &'a [Atom],
    pub(super) event: &'a Event,
    pub(super) host: &'a Host,
    pub(super) scratch: &'a mut Scratch,
}

impl Run<'_> {
    /// Calls for each chain whose verdict is match.
    pub(super) fn matches(mut self, found: &mut impl FnMut(ChainIndex, RuleIndex)) {
        let program = self.program;
        self.scratch.begin(program);
        for group in &program.eager {
            self.group(*group);
        }
        for sought in &program.eager_sought {
            self.seek(*sought);
        }
        if self.scratch.candidates.is_empty() && program.always.is_empty() {
            return;
        }
        self.scratch.candidates.sort_unstable();
        self.merge();
        let mut at = 0;
        while at < self.scratch.merged.len() {
            at = self.chain(at, found);
        }
    }

    /// Tries the rules of one chain, from its first in the merged list; gives where the next chain begins.
    fn chain(&mut self, start: usize, found: &mut impl FnMut(ChainIndex, RuleIndex)) -> usize {
        let program = self.program;
        let chain = program.rules[self.scratch.merged[start] as usize].chain;
        let mut at = start;
        let mut decided = false;
        while let Some(rule) = self.scratch.merged.get(at).map(|rule| &program.rules[*rule as usize])
            && rule.chain == chain
        {
            // The `ignore` rules before a `match` rule count only once that holds, which is seldom.
            if !decided && rule.is_match && self.holds(rule.condition.as_ref()) {
                decided = true;
                if !(start..at).any(|before| self.ignores(before)) {
                    found(ChainIndex(rule.chain as usize), RuleIndex(rule.rule as usize));
                }
            }
            at += 1;
        }
        at
    }

    fn ignores(&mut self, at: usize) -> bool {
        let program = self.program;
        let rule = &program.rules[self.scratch.merged[at] as usize];
        !rule.is_match && self.holds(rule.condition.as_ref())
    }

    fn merge(&mut self) {
        let always = &self.program.always;
        let Scratch { candidates, merged, .. } = &mut *self.scratch;
        let (mut left, mut right) = (candidates.iter().peekable(), always.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            // A rule is in one of the two only.
            let next = if a.cmp(b) == Ordering::Less { left.next() } else { right.next() };
            merged.extend(next);
        }
        merged.extend(left);
        merged.extend(right);
    }

    fn holds(&mut self, condition: Option<&Expr>) -> bool {
        condition.is_none_or(|condition| self.expr(condition))
    }

    fn expr(&mut self, expr: &Expr) -> bool {
        match expr {
            Expr::Atom(atom) => self.atom(*atom),
            Expr::Not(inner) => !self.expr(inner),
            Expr::And(parts) => parts.iter().all(|part| self.expr(part)),
            Expr::Or(parts) => parts.iter().any(|part| self.expr(part)),
        }
    }

    fn atom(&mut self, atom: u32) -> bool {
        let index = atom as usize;
        match self.program.plans[index] {
            Plan::Group(group) => self.group(group),
            Plan::Sought(sought) => {
                self.seek(sought);
                if self.scratch.possible[index] == self.scratch.event {
                    self.make(index);
                }
            }
            Plan::Direct => self.make(index),
        }
        self.scratch.holds[index] == self.scratch.event
    }

    /// Makes a comparison by itself, unless it is made.
    fn make(&mut self, index: usize) {
        if self.scratch.made[index] != self.scratch.event {
            self.scratch.made[index] = self.scratch.event;
            if self.atoms[index].holds(self.event, self.host) {
                self.scratch.holds[index] = self.scratch.event;
            }
        }
    }

    /// Makes all comparisons of a group, unless they are made.
    fn group(&mut self, index: u32) {
        let Scratch { event: now, holds, groups, found, candidates, folded, .. } = &mut *self.scratch;
        if groups[index as usize] == *now {
            return;
        }
        groups[index as usize] = *now;
        let program = self.program;
        let group = &program.groups[index as usize];
        each_value(group.scope, group.field, self.event, self.host, |value| {
            group.index.find(value, folded, &mut |atom, verify| {
                let at = atom as usize;
                if holds[at] == *now || verify.is_some_and(|(glob, text)| !glob.matches(text)) {
                    return;
                }
                holds[at] = *now;
                for rule in &program.postings[at] {
                    if found[*rule as usize] != *now {
                        found[*rule as usize] = *now;
                        candidates.push(*rule);
                    }
                }
            });
        });
    }

    /// Looks for the literals of regular expressions, unless that was done.
    fn seek(&mut self, index: u32) {
        let Scratch { event: now, possible, sought, found, candidates, .. } = &mut *self.scratch;
        if sought[index as usize] == *now {
            return;
        }
        sought[index as usize] = *now;
        let program = self.program;
        let index = &program.sought[index as usize];
        each_value(index.scope, index.field, self.event, self.host, |value| {
            any_text(value, |text| {
                for literal in index.literals.find_overlapping_iter(text) {
                    for atom in &index.atoms[literal.pattern().as_usize()] {
                        let at = *atom as usize;
                        if possible[at] == *now {
                            continue;
                        }
                        possible[at] = *now;
                        for rule in &program.postings[at] {
                            if found[*rule as usize] != *now {
                                found[*rule as usize] = *now;
                                candidates.push(*rule);
                            }
                        }
                    }
                }
                false
            });
        });
    }
}

/// Reads a subject; of any ancestor, each one's value.
fn each_value(scope: Scope, field: &Field, event: &Event, host: &Host, mut with: impl FnMut(Value<'_>)) {
    match scope {
        Scope::Event => with(field.of(event, host)),
        Scope::Ancestor(n) => {
            if let Some(process) = event.process.ancestors().nth(usize::from(n)) {
                with(field.of_process(process, host));
            }
        }
        Scope::AnyAncestor => {
            event.process.ancestors().for_each(|process| with(field.of_process(process, host)));
        }
    }
}
