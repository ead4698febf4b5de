//! Chains of rules to one set that is evaluated in one go.
//!
//! For each rule a set of comparisons is chosen of which at least one must hold if the rule does: of `and` its best
//! part's, of `or` all its parts', of `not` none. The rule is then tried only for events that pass one of them.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use regex_automata::meta::Regex;

use super::Problem;
use super::ast::{Scope, Verdict};
use super::check::{Checker, Expr};
use super::eval::{ExpressionSet, Group, LiveRule, Plan, Program, Run, Scratch};
use super::glob::Glob;
use super::index::{Index, is_indexed};
use super::lists::Lists;
use super::parse::parse;
use super::test::{Atom, Expression, Test};
use crate::diagnostic::{Report, Span, Spanned};
use crate::event::fields::Type;
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
                        let (condition, problems) = checker.condition(condition);
                        problems.into_iter().for_each(|problem| problem.report(source, report));
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

/// Chooses how everything is evaluated.
fn program(chains: &[CheckedChain], atoms: &[Atom]) -> Program {
    let mut rules = Vec::new();
    for (chain, checked) in chains.iter().enumerate() {
        let first = rules.len();
        for (rule, checked) in checked.rules.iter().enumerate() {
            let condition = match &checked.condition {
                Condition::Never => continue,
                Condition::Always => None,
                Condition::When(condition) => Some(normal(condition, false)),
            };
            let number = |n: usize| u32::try_from(n).expect("fewer than 2^32 rules");
            let is_match = checked.verdict == Verdict::Match;
            rules.push(LiveRule { chain: number(chain), rule: number(rule), is_match, condition });
        }
        // What is ignored last is ignored anyway.
        while rules.len() > first && rules.last().is_some_and(|rule: &LiveRule| !rule.is_match) {
            rules.pop();
        }
    }

    let mut postings = vec![Vec::new(); atoms.len()];
    let mut always = Vec::new();
    // Comparisons of rules that are tried often.
    let mut often = HashSet::default();
    for (number, rule) in (0u32..).zip(&rules) {
        let key = rule.condition.as_ref().and_then(|condition| key(condition, atoms));
        if key.as_ref().is_none_or(|key| key.cost >= OFTEN)
            && let Some(condition) = &rule.condition
        {
            collect(condition, &mut often);
        }
        match key {
            Some(mut key) => {
                key.atoms.sort_unstable();
                key.atoms.dedup();
                key.atoms.into_iter().for_each(|atom| postings[atom as usize].push(number));
            }
            None => always.push(number),
        }
    }

    let mut plans = vec![Plan::Direct; atoms.len()];
    let groups = groups(atoms, &mut plans);
    let sets = sets(atoms, &often, &mut plans);
    for rule in &mut rules {
        if let Some(condition) = &mut rule.condition {
            cheapest_first(condition, atoms);
        }
    }
    let mut eager: Vec<u32> = (0..plans.len())
        .filter(|atom| !postings[*atom].is_empty())
        .filter_map(|atom| if let Plan::Group(group) = plans[atom] { Some(group) } else { None })
        .collect();
    eager.sort_unstable();
    eager.dedup();
    Program {
        plans: plans.into(),
        rules: rules.into(),
        always: always.into(),
        postings: postings.into_iter().map(Into::into).collect(),
        groups,
        eager: eager.into(),
        sets,
    }
}

/// The same condition with `not` at comparisons only, and no `and` directly in an `and`.
fn normal(expr: &Expr, negated: bool) -> Expr {
    let join = |parts: &[Expr], is_and: bool| {
        let mut joined = Vec::with_capacity(parts.len());
        for part in parts {
            match normal(part, negated) {
                Expr::And(inner) if is_and => joined.extend(inner),
                Expr::Or(inner) if !is_and => joined.extend(inner),
                other => joined.push(other),
            }
        }
        if is_and { Expr::And(joined.into()) } else { Expr::Or(joined.into()) }
    };
    match expr {
        Expr::Atom(atom) if negated => Expr::Not(Box::new(Expr::Atom(*atom))),
        Expr::Atom(atom) => Expr::Atom(*atom),
        Expr::Not(inner) => normal(inner, !negated),
        Expr::And(parts) => join(parts, !negated),
        Expr::Or(parts) => join(parts, negated),
    }
}

/// Comparisons of which one must hold if a condition does.
struct Key {
    atoms: Vec<u32>,
    /// How often one of them is likely to hold, and what it takes to know; 100 is for each event.
    cost: u32,
}

/// From this cost on a key spares little.
const OFTEN: u32 = 30;

fn key(expr: &Expr, atoms: &[Atom]) -> Option<Key> {
    match expr {
        Expr::Atom(atom) => {
            let cost = cost(&atoms[*atom as usize]).filter(|cost| *cost < 100)?;
            Some(Key { atoms: vec![*atom], cost })
        }
        Expr::Not(_) => None,
        Expr::And(parts) => parts.iter().filter_map(|part| key(part, atoms)).min_by_key(|key| key.cost),
        Expr::Or(parts) => {
            parts.iter().map(|part| key(part, atoms)).try_fold(Key { atoms: Vec::new(), cost: 0 }, |mut all, part| {
                let part = part?;
                all.cost = (all.cost + part.cost).min(99);
                all.atoms.extend(part.atoms);
                Some(all)
            })
        }
    }
}

/// What finding rules by this comparison costs; none if no index has it.
fn cost(atom: &Atom) -> Option<u32> {
    if !is_indexed(&atom.test) {
        return None;
    }
    let of_glob = |glob: &Glob| match glob.shape() {
        (super::glob::Shape::Exact(_), _) => 1,
        (super::glob::Shape::Prefix(text) | super::glob::Shape::Suffix(text), _) => {
            if text.len() > 4 {
                4
            } else {
                12
            }
        }
        (super::glob::Shape::Contains(_), _) => 10,
        (super::glob::Shape::Any, _) => 100,
    };
    let (each, count) = match &atom.test {
        Test::Globs { globs, .. } => (globs.iter().map(of_glob).max().unwrap_or(0), globs.len()),
        Test::Numbers(numbers) if numbers.iter().any(|number| (0..=1).contains(number)) => (35, numbers.len()),
        Test::Numbers(numbers) => (5, numbers.len()),
        Test::Nets(nets) => (6, nets.len()),
        Test::Words(words) => (40, words.len()),
        _ => (50, 1),
    };
    let subject = match atom.scope {
        Scope::Event => 0,
        Scope::Ancestor(_) => 1,
        Scope::AnyAncestor => 20,
    } + if atom.field.ty == Type::Texts { 3 } else { 0 };
    Some(if each >= 100 { 100 } else { (each + subject + count.max(1).ilog2()).min(99) })
}

fn collect(expr: &Expr, into: &mut HashSet<u32>) {
    match expr {
        Expr::Atom(atom) => {
            into.insert(*atom);
        }
        Expr::Not(inner) => collect(inner, into),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| collect(part, into)),
    }
}

/// Puts parts that are known or cheap before those that are not.
fn cheapest_first(expr: &mut Expr, atoms: &[Atom]) {
    if let Expr::And(parts) | Expr::Or(parts) = expr {
        parts.iter_mut().for_each(|part| cheapest_first(part, atoms));
        parts.sort_by_key(|part| effort(part, atoms));
    }
}

fn effort(expr: &Expr, atoms: &[Atom]) -> u32 {
    match expr {
        Expr::Atom(atom) => {
            let atom = &atoms[*atom as usize];
            let test = if matches!(atom.test, Test::Regex(_)) { 40 } else { 1 };
            let subject = if atom.scope == Scope::AnyAncestor { 20 } else { 0 };
            test + subject + if atom.field.ty == Type::Texts { 5 } else { 0 }
        }
        Expr::Not(inner) => effort(inner, atoms),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().map(|part| effort(part, atoms)).sum(),
    }
}

/// Comparisons by subject; the subjects in the order in which they were first named.
fn by_subject(atoms: &[Atom], belongs: impl Fn(u32, &Atom) -> bool) -> Vec<Vec<u32>> {
    let mut places: HashMap<(Scope, &str), usize> = HashMap::default();
    let mut subjects: Vec<Vec<u32>> = Vec::new();
    for (number, atom) in (0u32..).zip(atoms).filter(|(number, atom)| belongs(*number, atom)) {
        let place = *places.entry((atom.scope, atom.field.name)).or_insert(subjects.len());
        if place == subjects.len() {
            subjects.push(Vec::new());
        }
        subjects[place].push(number);
    }
    subjects
}

fn groups(atoms: &[Atom], plans: &mut [Plan]) -> Box<[Group]> {
    let subjects = by_subject(atoms, |_, atom| is_indexed(&atom.test));
    let group = |(number, members): (u32, Vec<u32>)| {
        members.iter().for_each(|atom| plans[*atom as usize] = Plan::Group(number));
        let Atom { scope, field, .. } = atoms[members[0] as usize];
        let index = Index::new(members.iter().map(|atom| (*atom, &atoms[*atom as usize].test)));
        Group { scope, field, index }
    };
    (0u32..).zip(subjects).map(group).collect()
}

/// From how many regular expressions on one automaton for all is faster.
const SET: usize = 8;

fn sets(atoms: &[Atom], often: &HashSet<u32>, plans: &mut [Plan]) -> Box<[ExpressionSet]> {
    let expression = |atom: u32| match &atoms[atom as usize].test {
        Test::Regex(expression) => Some(expression),
        _ => None,
    };
    let subjects = by_subject(atoms, |number, atom| often.contains(&number) && matches!(atom.test, Test::Regex(_)));
    let mut sets = Vec::new();
    for members in subjects.into_iter().filter(|members| members.len() >= SET) {
        let expressions: Vec<&Arc<Expression>> = members.iter().filter_map(|atom| expression(*atom)).collect();
        let hirs: Vec<_> = expressions.iter().map(|expression| &expression.hir).collect();
        let config = Regex::config()
            .utf8_empty(false)
            .match_kind(regex_automata::MatchKind::All)
            .hybrid_cache_capacity(16 << 20);
        // Each fits by itself; should all together not fit, each stays by itself.
        let Ok(regex) = Regex::builder().configure(config).build_many_from_hir(&hirs) else { continue };
        let Atom { scope, field, .. } = atoms[members[0] as usize];
        let number = u32::try_from(sets.len()).expect("fewer than 2^32 sets");
        members.iter().for_each(|atom| plans[*atom as usize] = Plan::Set(number));
        sets.push(ExpressionSet { scope, field, regex, atoms: members.into() });
    }
    sets.into()
}
