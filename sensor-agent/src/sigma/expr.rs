//! Conditions on their way into the rule language, and how they are written there.

use std::fmt::Write as _;

/// A condition over comparisons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    /// No event passes.
    Never,
    /// Every event passes.
    Always,
    /// A comparison, as a rule writes it; what stands between the parts is the name of the list of this index.
    Term(Vec<Part>),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    List(usize),
}

impl Expr {
    pub(super) fn term(text: impl Into<String>) -> Self {
        Self::Term(vec![Part::Text(text.into())])
    }

    /// All of them.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        join(parts, false)
    }

    /// One of them.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        join(parts, true)
    }

    pub(super) fn not(self) -> Self {
        match self {
            Self::Never => Self::Always,
            Self::Always => Self::Never,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The alternatives, each a rule of its own.
    pub(super) fn alternatives(&self) -> &[Self] {
        match self {
            Self::Or(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }

    /// The parts that must all hold, each a line of its own.
    pub(super) fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }

    /// As a rule writes it, in brackets where it needs them beside `and` and `not`.
    pub(super) fn write(&self, lists: &[String], out: &mut String) {
        match self {
            // Neither stands within anything.
            Self::Never | Self::Always => {}
            Self::Term(parts) => {
                for part in parts {
                    match part {
                        Part::Text(text) => out.push_str(text),
                        Part::List(index) => {
                            let _ = write!(out, "${}", lists.get(*index).map_or("", String::as_str));
                        }
                    }
                }
            }
            Self::Not(inner) => {
                out.push_str("not ");
                inner.write(lists, out);
            }
            Self::And(parts) | Self::Or(parts) => {
                let word = if matches!(self, Self::And(_)) { " and " } else { " or " };
                out.push('(');
                for (index, part) in parts.iter().enumerate() {
                    out.push_str(if index > 0 { word } else { "" });
                    part.write(lists, out);
                }
                out.push(')');
            }
        }
    }
}

fn join(parts: impl IntoIterator<Item = Expr>, is_or: bool) -> Expr {
    // What decides alone, and what says nothing.
    let (decides, idle) = if is_or { (Expr::Always, Expr::Never) } else { (Expr::Never, Expr::Always) };
    let mut joined: Vec<Expr> = Vec::new();
    for part in parts {
        let inner = match part {
            Expr::Or(inner) if is_or => inner,
            Expr::And(inner) if !is_or => inner,
            other => vec![other],
        };
        for part in inner {
            if part == decides {
                return decides;
            }
            if part != idle && !joined.contains(&part) {
                joined.push(part);
            }
        }
    }
    match joined.len() {
        0 => idle,
        1 => joined.remove(0),
        _ if is_or => Expr::Or(joined),
        _ => Expr::And(joined),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_certain_is_left_out() {
        let [a, b, c] = ["a == 1", "b == 2", "c == 3"].map(Expr::term);
        let written = |expr: &Expr| {
            let mut out = String::new();
            expr.write(&[], &mut out);
            out
        };
        let both = Expr::all([a.clone(), Expr::all([b.clone(), a.clone()]), Expr::Always]);
        assert_eq!(written(&both), "(a == 1 and b == 2)");
        let either = Expr::any([both, Expr::any([c.clone().not(), Expr::Never])]);
        assert_eq!(written(&either), "((a == 1 and b == 2) or not c == 3)");
        assert_eq!(written(&Expr::not(either)), "not ((a == 1 and b == 2) or not c == 3)");
        assert_eq!(Expr::all([a, Expr::Never]), Expr::Never);
        assert_eq!(Expr::any([b, Expr::Never.not()]), Expr::Always);
        assert_eq!((Expr::all([]), Expr::any([])), (Expr::Always, Expr::Never));
        assert_eq!(c.clone().not().not(), c);
    }
}
