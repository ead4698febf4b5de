//! How checked rules are evaluated fast.
//!
//! For each rule a set of comparisons is chosen of which at least one must hold if the rule does: of `and` its best
//! part's, of `or` all its parts', of `not` none. The rule is then tried only for events that pass one of them.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use foldhash::{HashMap, HashSet};
use schema::Type;

use super::ast::{Scope, Verdict};
use super::chain::{CheckedChain, Condition};
use super::check::Expr;
use super::glob::{Glob, Shape};
use super::index::{Index, is_indexed};
use super::normal::normal;
use super::program::{Group, LiveRule, Plan, Program, Sought};
use super::test::{Atom, Test};

/// Chooses how everything is evaluated.
pub(super) fn program(chains: &[CheckedChain], atoms: &[Atom]) -> Program {
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

    let mut plans = vec![Plan::Direct; atoms.len()];
    let groups = groups(atoms, &mut plans);
    let sought = sought(atoms, &mut plans);
    let mut uses = vec![0u32; atoms.len()];
    for rule in &rules {
        let mut used = HashSet::default();
        rule.condition.iter().for_each(|condition| collect(condition, &mut used));
        used.into_iter().for_each(|atom| uses[atom as usize] += 1);
    }
    let is_found = |plan: &Plan| !matches!(plan, Plan::Direct);
    let costs = atoms.iter().zip(&uses).zip(&plans);
    let costs: Vec<_> = costs.map(|((atom, uses), plan)| is_found(plan).then(|| cost(atom, *uses))).collect();
    let mut postings = vec![Vec::new(); atoms.len()];
    let mut always = Vec::new();
    for (number, rule) in (0u32..).zip(&rules) {
        let key = rule.condition.as_ref().and_then(|condition| key(condition, &costs));
        match key {
            Some(mut key) => {
                key.atoms.sort_unstable();
                key.atoms.dedup();
                key.atoms.into_iter().for_each(|atom| postings[atom as usize].push(number));
            }
            None => always.push(number),
        }
    }

    for rule in &mut rules {
        if let Some(condition) = &mut rule.condition {
            cheapest_first(condition, atoms);
        }
    }
    let finds = || plans.iter().zip(&postings).filter(|(_, rules)| !rules.is_empty()).map(|(plan, _)| *plan);
    let once = |numbers: BTreeSet<u32>| numbers.into_iter().collect();
    let eager =
        once(finds().filter_map(|plan| if let Plan::Group(group) = plan { Some(group) } else { None }).collect());
    let eager_sought =
        once(finds().filter_map(|plan| if let Plan::Sought(sought) = plan { Some(sought) } else { None }).collect());
    Program {
        plans: plans.into(),
        rules: rules.into(),
        always: always.into(),
        postings: postings.into_iter().map(Into::into).collect(),
        groups,
        eager,
        sought,
        eager_sought,
        any_case: atoms.iter().any(|atom| matches!(atom.test, Test::Globs { any_case: true, .. })),
    }
}

/// Comparisons of which one must hold if a condition does.
struct Key {
    atoms: Vec<u32>,
    /// How often one of them is likely to hold, and what it takes to know; 100 is for each event.
    cost: u32,
}

fn key(expr: &Expr, costs: &[Option<u32>]) -> Option<Key> {
    match expr {
        Expr::Atom(atom) => {
            let cost = costs[*atom as usize].filter(|cost| *cost < 100)?;
            Some(Key { atoms: vec![*atom], cost })
        }
        Expr::Not(_) => None,
        Expr::And(parts) => parts.iter().filter_map(|part| key(part, costs)).min_by_key(|key| key.cost),
        Expr::Or(parts) => {
            parts.iter().map(|part| key(part, costs)).try_fold(Key { atoms: Vec::new(), cost: 0 }, |mut all, part| {
                let part = part?;
                all.cost = (all.cost + part.cost).min(99);
                all.atoms.extend(part.atoms);
                Some(all)
            })
        }
    }
}

/// What finding rules by this comparison costs, which an index has and so many rules make.
fn cost(atom: &Atom, uses: u32) -> u32 {
    let of_shape = |shape: Shape<'_>| match shape {
        Shape::Exact(_) => 1,
        Shape::Prefix(text) | Shape::Suffix(text) if text.len() > 4 => 4,
        Shape::Prefix(_) | Shape::Suffix(_) => 12,
        Shape::Contains(_) => 10,
        Shape::Any => 100,
    };
    let of_glob = |glob: &Glob| match glob.shape() {
        Some(shape) => of_shape(shape),
        None => glob.needs().map(of_shape).min().unwrap_or(100),
    };
    let (each, count) = match &atom.test {
        Test::Globs { globs, .. } => (globs.iter().map(of_glob).max().unwrap_or(0), globs.len()),
        Test::Numbers(numbers) if numbers.iter().any(|number| (0..=1).contains(number)) => (35, numbers.len()),
        Test::Numbers(numbers) => (5, numbers.len()),
        Test::Nets(nets) => (6, nets.len()),
        Test::Words(words) => (40, words.len()),
        // A walk over all of the text, after which the expression is still to be tried.
        Test::Regex(_) => (28, 1),
        _ => (50, 1),
    };
    let subject = match atom.scope {
        Scope::Event => 0,
        Scope::Ancestor(_) => 1,
        Scope::AnyAncestor => 20,
    } + if atom.field.ty == Type::Texts { 3 } else { 0 };
    // What many rules ask for finds many rules.
    let shared = 3 * uses.max(1).ilog2().saturating_sub(3);
    if each >= 100 { 100 } else { (each + subject + count.max(1).ilog2() + shared).min(99) }
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

fn sought(atoms: &[Atom], plans: &mut [Plan]) -> Box<[Sought]> {
    let needed = |atom: u32| match &atoms[atom as usize].test {
        Test::Regex(expression) => expression.needed.as_deref(),
        _ => None,
    };
    let mut all = Vec::new();
    for members in by_subject(atoms, |number, _| needed(number).is_some()) {
        let mut literals: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
        for atom in &members {
            needed(*atom).into_iter().flatten().for_each(|literal| literals.entry(literal).or_default().push(*atom));
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(literals.keys());
        // Should they not fit, each expression is tried.
        let Ok(automaton) = automaton else { continue };
        let Atom { scope, field, .. } = atoms[members[0] as usize];
        let number = u32::try_from(all.len()).expect("fewer than 2^32 subjects");
        members.iter().for_each(|atom| plans[*atom as usize] = Plan::Sought(number));
        let atoms = literals.into_values().map(Into::into).collect();
        all.push(Sought { scope, field, literals: automaton, atoms });
    }
    all.into()
}
