//! What compiled rules consist of: how each comparison is made, and which rules it finds.

use aho_corasick::AhoCorasick;

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
    pub(super) sought: Box<[Sought]>,
    /// Those whose literals find rules.
    pub(super) eager_sought: Box<[u32]>,
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
    /// By itself, if a literal that it needs was found with those of the other regular expressions of its subject.
    Sought(u32),
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

/// Regular expressions of one subject, found by the [literals that they need](super::needed).
#[derive(Debug)]
pub(super) struct Sought {
    pub(super) scope: Scope,
    pub(super) field: &'static Field,
    pub(super) literals: AhoCorasick,
    /// For each literal the comparisons that need it or another.
    pub(super) atoms: Box<[Box<[u32]>]>,
}
