//! The rule language: what a policy alerts on and what a table keeps.
//!
//! ```text
//! rule texts ─parse─▶ ast ─check─▶ comparisons on registered fields ─compile─▶ RuleSet ─matches─▶ (chain, rule)
//! lists ─────merge──────────────────────▲
//! ```
//!
//! A *chain* is one policy's or one table's ordered rules: `match CONDITION`, `ignore CONDITION`, and last `default
//! match` or `default ignore`. The first rule that holds decides. All chains for one class of events are compiled
//! into one [`RuleSet`], which shares every comparison between them and tries only those rules that can hold.
//!
//! Everything is checked at load, against the field registry: a comparison that could never be meant is an error,
//! not a rule that never fires. Evaluation never fails, and allocates nothing for an event that nothing matches.
//!
//! # Absent values
//!
//! A comparison with a value that the event does not have is false. `!=`, `!~` and `not in` are exactly the opposite
//! of `==`, `=~` and `in`, and so true for an absent value; likewise `args != "x"` holds if no argument is `x`, and
//! `any lineage.name != "x"` if no ancestor is.

pub mod ast;
mod case_faults;
pub mod cases;
mod chain;
mod check;
mod compile;
mod contradiction;
mod eval;
mod explain;
mod fold;
mod foreign;
mod glob;
mod index;
mod lexer;
mod lists;
mod needed;
mod normal;
mod numbers;
mod operators;
mod parse;
mod plan;
mod program;
mod regex;
mod test;
#[cfg(test)]
mod tests;
mod watched;

use std::ops::Range;

pub use ast::{Scope, Verdict, quoted};
pub use case_faults::case_faults;
pub use cases::{Case, CaseOutcome, CaseResult, CasesError, read_cases, run_cases};
pub use chain::{Chain, ChainIndex, MissingDefault, RuleIndex};
pub(crate) use check::{is_no_path, never_a_path};
pub use compile::{RuleSet, check_alone, compile};
pub use eval::Scratch;
pub use explain::{Explanation, Finding, Outcome, Step};
pub use glob::{Glob, GlobError, escape};
pub use lexer::{lists_compared, lists_named};
pub use lists::{LIST_KINDS, List, ListKind, ListKindInfo, ListSource, Lists};
pub use operators::{OPERATORS, Operator, OperatorInfo};
pub use parse::parse;
pub(crate) use regex::read as read_expression;

use diagnostic::{Report, Severity, Spanned};

/// What a rule may be at most. Far above what people write, far below what would make loading slow.
pub mod limits {
    /// Bytes of one rule.
    pub const RULE_BYTES: usize = 64 * 1024;
    /// Nesting of brackets and `not`.
    pub const DEPTH: usize = 64;
    /// The farthest ancestor that `lineage[n]` names.
    pub const LINEAGE_INDEX: u16 = 255;
    /// Bytes of a compiled regular expression.
    pub const REGEX_BYTES: usize = 512 * 1024;
    /// Entries of one list.
    pub const LIST_ENTRIES: usize = 1_000_000;
}

/// Something wrong in a rule's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// Where in the rule's text.
    pub range: Range<usize>,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Short text at the caret.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    fn error(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, range, message: message.into(), label: String::new(), help: None }
    }

    fn warning(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(range, message) }
    }

    fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    fn did_you_mean(self, word: Option<&str>) -> Self {
        match word {
            Some(word) => self.help(format!("did you mean `{word}`?")),
            None => self,
        }
    }

    /// Tells it of a rule that stands in a source.
    pub fn report(self, rule: &Spanned<String>, report: &mut Report) {
        let span = rule.part(self.range);
        let diagnostic = match self.severity {
            Severity::Error => report.error(span, self.message),
            Severity::Warning => report.warning(span, self.message),
        };
        diagnostic.label(self.label);
        diagnostic.help = self.help;
    }
}
