//! What compiled rules consist of: how each comparison is made, and which rules it finds.

use regex_automata::meta::Regex;

use super::ast::Scope;
use super::check::Expr;
use super::index::Index;
use crate::event::fields::Field;

/// What compiled rules consist of.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// How each comparison is made.
    pub(super) plans: Box<[Plan]>,
    /// Rules that can decide, chain by chain, in order.
    pub(super) rules: Box<[LiveRule]>,
    /// Those that no index finds, ascending.
    pub(super) always: Box<[u32]>,
    /// For each comparison the rules that it finds.
    pub(super) postings: Box<[Box<[u32]>]>,
    pub(super) groups: Box<[Group]>,
    /// Groups whose comparisons find rules.
    pub(super) eager: Box<[u32]>,
    pub(super) sets: Box<[ExpressionSet]>,
    /// Whether some comparison does not care about letter case.
    pub(super) any_case: bool,
}

/// How a comparison is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plan {
    /// By itself.
    Direct,
    /// With all others of its subject.
    Group(u32),
    /// With other regular expressions of its subject.
    Set(u32),
}

#[derive(Debug)]
pub(super) struct LiveRule {
    pub(super) chain: u32,
    /// Position in the chain.
    pub(super) rule: u32,
    pub(super) is_match: bool,
    /// None: always holds.
    pub(super) condition: Option<Expr>,
}

/// Comparisons of one subject, made together.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) scope: Scope,
    pub(super) field: &'static Field,
    pub(super) index: Index,
}

/// Regular expressions of one subject in one automaton.
#[derive(Debug)]
pub(super) struct ExpressionSet {
    pub(super) scope: Scope,
    pub(super) field: &'static Field,
    pub(super) regex: Regex,
    /// The comparison of each pattern.
    pub(super) atoms: Box<[u32]>,
}
