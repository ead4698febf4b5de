//! Conditions in negation normal form: what planning and the search for contradictions read.

use super::check::Expr;

/// The same condition with `not` at comparisons only, and no `and` directly in an `and`.
pub(super) fn normal(expr: &Expr, negated: bool) -> Expr {
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
