//! Conditions that no event can fulfil, as far as they are cheap to see: one subject, held against a few given values
//! and something else that none of them passes, as in `uid == 0 and uid > 5`.

use schema::Type;

use super::ast::Scope;
use super::check::Expr;
use super::test::{Atom, Test};
use crate::event::Value;

/// At most so many values are tried.
const TRIED: usize = 256;

/// The subject of which no value fulfils the condition, if there is one. Of `or`, one such part suffices: it is of no
/// use.
pub(super) fn contradiction<'a>(normal: &Expr, atoms: &'a [Atom]) -> Option<&'a Atom> {
    match normal {
        Expr::Atom(_) | Expr::Not(_) => None,
        Expr::Or(parts) => parts.iter().find_map(|part| contradiction(part, atoms)),
        Expr::And(parts) => parts
            .iter()
            .find_map(|part| match part {
                Expr::Atom(atom) => impossible(&atoms[*atom as usize], parts, atoms),
                _ => None,
            })
            .or_else(|| parts.iter().find_map(|part| contradiction(part, atoms))),
    }
}

fn impossible<'a>(given: &'a Atom, parts: &[Expr], atoms: &'a [Atom]) -> Option<&'a Atom> {
    let values = values(given)?;
    let passes_all = |value: &Value<'_>| {
        parts.iter().all(|part| match part {
            Expr::Atom(atom) => {
                let other = &atoms[*atom as usize];
                !same_subject(given, other) || other.test.holds(*value)
            }
            Expr::Not(inner) => match **inner {
                Expr::Atom(atom) => {
                    let other = &atoms[atom as usize];
                    !same_subject(given, other) || !other.test.holds(*value)
                }
                _ => true,
            },
            _ => true,
        })
    };
    (!values.is_empty() && !values.iter().any(passes_all)).then_some(given)
}

fn same_subject(one: &Atom, other: &Atom) -> bool {
    one.scope == other.scope && one.field.name == other.field.name
}

/// All values that pass a comparison, if the subject has one value at most and they are few.
fn values(atom: &Atom) -> Option<Vec<Value<'_>>> {
    if atom.scope == Scope::AnyAncestor || matches!(atom.field.ty, Type::Texts | Type::Numbers) {
        return None;
    }
    let values: Vec<_> = match &atom.test {
        Test::Bool { wanted, .. } => vec![Value::Bool(*wanted)],
        Test::Numbers(numbers) if numbers.len() <= TRIED => numbers.iter().map(|number| Value::Int(*number)).collect(),
        Test::Words(words) => words.iter().map(|word| Value::Word(word)).collect(),
        Test::Globs { globs, path, any_case: false, .. } if globs.len() <= TRIED => globs
            .iter()
            .map(|glob| glob.exact().filter(|_| !path || glob.has_slash()).map(Value::Text))
            .collect::<Option<_>>()?,
        _ => return None,
    };
    Some(values)
}
