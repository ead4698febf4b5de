//! Literals of which one stands in everything that a regular expression matches.
//!
//! Looking for the literals of all expressions at once costs one walk over a text, and leaves few expressions to try.

use std::collections::BTreeSet;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Texts in which letters of ASCII are small ones.
type Literals = BTreeSet<Vec<u8>>;

/// Texts that are followed one by one.
const MOST: usize = 64;
/// Members of a class that are followed one by one.
const MOST_OF_CLASS: usize = 4;
/// Literals of one expression.
const MOST_OF_ALL: usize = 512;
/// Bytes of the shortest literal worth looking for.
const SHORTEST: usize = 2;
/// Bytes from which on a longer literal tells no more.
const LONG: usize = 6;

/// The literals, with letters of ASCII made small: whatever the expression matches has one of them, letter case of ASCII left
/// aside. None if no such literals are known or they are too short to tell anything.
pub(super) fn needed(hir: &Hir) -> Option<Box<[Box<[u8]>]>> {
    let literals = known(hir).into_needed()?;
    let has_other = |literal: &[u8]| {
        literals.iter().any(|other| other.len() < literal.len() && memchr::memmem::find(literal, other).is_some())
    };
    let fewest = literals.iter().filter(|literal| !has_other(literal));
    (shortest(&literals) >= SHORTEST).then(|| fewest.map(|literal| literal.as_slice().into()).collect())
}

/// What is known of the texts that an expression matches.
enum Known {
    /// They are these.
    All(Literals),
    /// Each has one of these.
    Needs(Literals),
    Nothing,
}

impl Known {
    fn into_needed(self) -> Option<Literals> {
        match self {
            Self::All(literals) | Self::Needs(literals) => {
                (shortest(&literals) > 0 && literals.len() <= MOST_OF_ALL).then_some(literals)
            }
            Self::Nothing => None,
        }
    }
}

fn shortest(literals: &Literals) -> usize {
    literals.iter().map(Vec::len).min().unwrap_or(0)
}

fn known(hir: &Hir) -> Known {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Known::All(Literals::from([Vec::new()])),
        HirKind::Literal(literal) => Known::All(Literals::from([literal.0.to_ascii_lowercase()])),
        HirKind::Class(class) => of_class(class).map_or(Known::Nothing, Known::All),
        HirKind::Repetition(repetition) => match (repetition.min, repetition.max, known(&repetition.sub)) {
            (1, Some(1), once) => once,
            (0, Some(1), Known::All(mut literals)) => {
                literals.insert(Vec::new());
                Known::All(literals)
            }
            (0, ..) => Known::Nothing,
            (_, _, once) => once.into_needed().map_or(Known::Nothing, Known::Needs),
        },
        HirKind::Capture(capture) => known(&capture.sub),
        HirKind::Concat(parts) => of_all(parts),
        HirKind::Alternation(parts) => of_one(parts),
    }
}

fn of_class(class: &Class) -> Option<Literals> {
    // Both cases of each letter, and the signs that Unicode takes for the same letter.
    let few = |count: usize| (1..=3 * MOST_OF_CLASS).contains(&count);
    let literals: Literals = match class {
        Class::Unicode(class) if few(class.iter().map(|range| range.len()).sum()) => {
            let chars = class.iter().flat_map(|range| range.start()..=range.end());
            chars.map(|char| char.to_ascii_lowercase().to_string().into_bytes()).collect()
        }
        Class::Bytes(class) if few(class.iter().map(|range| range.len()).sum()) => {
            let bytes = class.iter().flat_map(|range| range.start()..=range.end());
            bytes.map(|byte| vec![byte.to_ascii_lowercase()]).collect()
        }
        _ => return None,
    };
    (literals.len() <= MOST_OF_CLASS).then_some(literals)
}

/// Of parts that follow one another: all texts, as long as they are few, or else those that tell most.
fn of_all(parts: &[Hir]) -> Known {
    let mut best: Option<Literals> = None;
    let mut offer = |literals: Literals| {
        let worth = |literals: &Literals| (shortest(literals).min(LONG), std::cmp::Reverse(literals.len()));
        if shortest(&literals) > 0 && best.as_ref().is_none_or(|best| worth(best) < worth(&literals)) {
            best = Some(literals);
        }
    };
    let nothing_yet = || Literals::from([Vec::new()]);
    let mut row = nothing_yet();
    let mut is_all = true;
    for part in parts {
        match known(part) {
            Known::All(literals) if row.len() * literals.len() <= MOST => {
                let joined =
                    row.iter().flat_map(|before| literals.iter().map(move |after| [&before[..], after].concat()));
                row = joined.collect();
            }
            Known::All(literals) => {
                is_all = false;
                offer(std::mem::replace(&mut row, literals));
            }
            other => {
                is_all = false;
                offer(std::mem::replace(&mut row, nothing_yet()));
                other.into_needed().into_iter().for_each(&mut offer);
            }
        }
    }
    if is_all {
        return Known::All(row);
    }
    offer(row);
    best.map_or(Known::Nothing, Known::Needs)
}

/// Of parts one of which there is: what is known of each.
fn of_one(parts: &[Hir]) -> Known {
    let mut all = Literals::new();
    let mut is_all = true;
    for part in parts {
        let known = known(part);
        is_all &= matches!(known, Known::All(_));
        match known {
            Known::All(literals) | Known::Needs(literals) => all.extend(literals),
            Known::Nothing => return Known::Nothing,
        }
    }
    if is_all { Known::All(all) } else { Known::Needs(all) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::regex::expression;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let literals = expression(pattern).unwrap_or_else(|(fault, _)| panic!("{pattern}: {fault}")).needed?;
        Some(literals.iter().map(|literal| literal.escape_ascii().to_string()).collect())
    }

    #[test]
    fn what_tells_most_is_needed() {
        for (pattern, literals) in [
            (r"\b(?:curl|wget2?)\s[^|]*\|\s*(?:ba|da)?sh\b", Some(&["curl", "wget"][..])),
            ("(?i)Falco|AUDITD", Some(&["auditd", "falco"])),
            (r"^\S*/[nN]c(?:at)?\s+-e.*evil", Some(&["evil"])),
            ("a(?:bc){2,}", Some(&["bc"])),
            ("a(?:bc)?d", Some(&["abcd", "ad"])),
            ("(?u)é+x", Some(&["\\xc3\\xa9"])),
            ("(?i)(?u)k2", Some(&["k2", "\\xe2\\x84\\xaa2"])),
            // Too short, or one branch has none.
            ("a.*b", None),
            (r"curl|\d+", None),
            ("(?:curl)*", None),
            ("", None),
            ("$", None),
        ] {
            let expected = literals.map(|all| all.iter().map(|literal| (*literal).to_owned()).collect());
            assert_eq!(of(pattern), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn what_matches_has_one(
            pattern in r"(?:\(\?i\))?(?:(?:a|B|bc|\(aB\|c\)|\(bc\|Ca\|a\?\)|\[bC\]|\.|\^|\\b)(?:[?+*]|\{2\})?){1,6}",
            text in "[abcABC ]{0,10}",
        ) {
            let Ok(expression) = expression(&pattern) else { return Ok(()) };
            if expression.is_match(text.as_bytes()) && let Some(literals) = expression.needed {
                let text = text.to_ascii_lowercase();
                let has = |literal: &[u8]| memchr::memmem::find(text.as_bytes(), literal).is_some();
                prop_assert!(literals.iter().any(|literal| has(literal)), "{pattern}: {literals:?}");
            }
        }
    }
}
