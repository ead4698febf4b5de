//! What a rule says, before it is known whether it makes sense.
//!
//! Every part keeps its byte range in the rule's text, so that the checker can point at it. Printing a rule gives
//! text that parses to the same rule.

use std::fmt;
use std::ops::Range;

use super::operators::Operator;

/// What a rule, and so a chain of rules, says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Match,
    Ignore,
}

impl Verdict {
    /// The word in rules.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Ignore => "ignore",
        }
    }
}

/// `match EXPR`, `ignore EXPR`, `default match` or `default ignore`.
#[derive(Clone, Debug)]
pub struct Rule {
    pub verdict: Verdict,
    /// None: `default`, which holds for every event.
    pub condition: Option<Expr>,
}

/// A condition.
#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    /// Where it stands in the rule's text.
    pub range: Range<usize>,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    /// Two or more, of which one must hold.
    Or(Vec<Expr>),
    /// Two or more, all of which must hold.
    And(Vec<Expr>),
    Not(Box<Expr>),
    Term(Term),
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Term {
    pub subject: Subject,
    pub operator: Operator,
    pub operator_range: Range<usize>,
    pub operand: Operand,
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct Subject {
    pub scope: Scope,
    pub field: String,
    /// Where the field's name stands; of the short form `lineage in`, the word `lineage`.
    pub field_range: Range<usize>,
    /// Where the whole subject stands.
    pub range: Range<usize>,
    /// Written as `lineage in`, which is short for `any lineage.programName in`.
    pub short: bool,
}

/// Whose field it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The event's own.
    Event,
    /// `lineage[n]`: 0 is the parent.
    Ancestor(u16),
    /// `any lineage`: some ancestor's.
    AnyAncestor,
}

/// What it is compared with.
#[derive(Clone, Debug)]
pub enum Operand {
    /// After `exists`.
    None,
    One(Literal),
    /// `("a", "b")`.
    Many(Vec<Literal>),
    /// `$name`.
    List {
        name: String,
        range: Range<usize>,
    },
}

#[derive(Clone, Debug)]
pub struct Literal {
    pub value: LiteralValue,
    pub range: Range<usize>,
    /// Whether the value stands byte by byte in the text, one byte (the quote) after the range's start.
    pub plain: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiteralValue {
    Text(Vec<u8>),
    /// As written, suffix included: its meaning depends on the field's type.
    Number(String),
    Bool(bool),
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.condition {
            Some(condition) => write!(out, "{} {condition}", self.verdict.word()),
            None => write!(out, "default {}", self.verdict.word()),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |out: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    write!(out, " {word} ")?;
                }
                // More brackets than needed keep the shape of what was parsed.
                match part.kind {
                    ExprKind::Or(_) | ExprKind::And(_) => write!(out, "({part})")?,
                    ExprKind::Not(_) | ExprKind::Term(_) => write!(out, "{part}")?,
                }
            }
            Ok(())
        };
        match &self.kind {
            ExprKind::Or(parts) => joined(out, parts, "or"),
            ExprKind::And(parts) => joined(out, parts, "and"),
            ExprKind::Not(inner) => match inner.kind {
                ExprKind::Or(_) | ExprKind::And(_) => write!(out, "not ({inner})"),
                ExprKind::Not(_) | ExprKind::Term(_) => write!(out, "not {inner}"),
            },
            ExprKind::Term(term) => term.fmt(out),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.subject, self.operator.symbol())?;
        match &self.operand {
            Operand::None => Ok(()),
            Operand::One(literal) => write!(out, " {literal}"),
            Operand::Many(literals) => {
                out.write_str(" (")?;
                for (index, literal) in literals.iter().enumerate() {
                    write!(out, "{}{literal}", if index > 0 { ", " } else { "" })?;
                }
                out.write_str(")")
            }
            Operand::List { name, .. } => write!(out, " ${name}"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scope {
            Scope::Event => out.write_str(&self.field),
            Scope::Ancestor(n) => write!(out, "lineage[{n}].{}", self.field),
            Scope::AnyAncestor if self.short => out.write_str("lineage"),
            Scope::AnyAncestor => write!(out, "any lineage.{}", self.field),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            LiteralValue::Text(text) => out.write_str(&quoted(text)),
            LiteralValue::Number(number) => out.write_str(number),
            LiteralValue::Bool(value) => write!(out, "{value}"),
        }
    }
}

/// Text as a rule writes it: in double quotes, with escapes.
#[must_use]
pub fn quoted(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                char if char.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(char))),
                char => out.push(char),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}
