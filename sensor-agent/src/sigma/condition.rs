//! The condition of a rule: which searches must hold.
//!
//! ```text
//! or   := and { "or" and }
//! and  := not { "and" not }
//! not  := "not" not | "(" or ")" | ("1" | "any" | "all") "of" ("them" | PATTERN) | NAME
//! ```

/// A condition, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Name(String),
    /// Some, or all, of the searches that the pattern names; none for `them`.
    Of {
        all: bool,
        pattern: Option<String>,
    },
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// Brackets and `not` within each other at most.
const DEPTH: usize = 32;

/// Reads a condition.
///
/// # Errors
/// What in it is not understood.
pub(super) fn parse(text: &str) -> Result<Condition, String> {
    if text.contains('|') {
        return Err(format!("`{}`: counting events is not built", text.trim()));
    }
    let mut parser = Parser { words: words(text), at: 0, depth: 0 };
    let condition = parser.or()?;
    match parser.peek() {
        None => Ok(condition),
        Some(word) => Err(format!("`{word}` is out of place in the condition `{}`", text.trim())),
    }
}

/// Whether a search's name is one that the pattern names. Names with an underscore at their beginning are meant only by a
/// pattern that begins so.
pub(super) fn names(pattern: Option<&str>, name: &str) -> bool {
    let Some(pattern) = pattern else { return !name.starts_with('_') };
    (!name.starts_with('_') || pattern.starts_with('_')) && matches(pattern, name)
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')']) {
            words.extend([&rest[..at], &rest[at..=at]].into_iter().filter(|word| !word.is_empty()));
            rest = &rest[at + 1..];
        }
        words.extend((!rest.is_empty()).then_some(rest));
    }
    words
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|here| here.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Condition, String> {
        self.joined("or", Condition::Or, |parser| parser.joined("and", Condition::And, Self::not))
    }

    fn joined(
        &mut self,
        word: &str,
        join: fn(Vec<Condition>) -> Condition,
        part: impl Fn(&mut Self) -> Result<Condition, String>,
    ) -> Result<Condition, String> {
        let first = part(self)?;
        if !self.take(word) {
            return Ok(first);
        }
        let mut parts = vec![first, part(self)?];
        while self.take(word) {
            parts.push(part(self)?);
        }
        Ok(join(parts))
    }

    fn not(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("the condition is nested more than {DEPTH} deep"));
        }
        let condition = if self.take("not") {
            Condition::Not(Box::new(self.not()?))
        } else if self.take("(") {
            let inner = self.or()?;
            if !self.take(")") {
                return Err("a bracket of the condition is not closed".into());
            }
            inner
        } else {
            self.search()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn search(&mut self) -> Result<Condition, String> {
        let word = self.peek().ok_or("the condition ends where a search is expected")?;
        self.at += 1;
        let counted = self.take("of");
        let all = match (word.to_ascii_lowercase().as_str(), counted) {
            ("and" | "or" | "of" | ")", _) => return Err(format!("`{word}` is out of place in the condition")),
            ("1" | "any", true) => false,
            ("all", true) => true,
            (_, true) => return Err(format!("`{word} of` is not built: there are `1 of` and `all of`")),
            (_, false) => return Ok(Condition::Name(word.to_owned())),
        };
        match self.peek() {
            None | Some("(" | ")") => Err(format!("`{word} of` of what is missing in the condition")),
            Some(pattern) => {
                self.at += 1;
                let them = pattern.eq_ignore_ascii_case("them");
                Ok(Condition::Of { all, pattern: (!them).then(|| pattern.to_owned()) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_each_form() {
        let name = |name: &str| Condition::Name(name.into());
        let of = |all, pattern: &str| Condition::Of { all, pattern: Some(pattern.into()) };
        for (text, expected) in [
            ("selection", name("selection")),
            (
                "a and b or not c",
                Condition::Or(vec![Condition::And(vec![name("a"), name("b")]), Condition::Not(Box::new(name("c")))]),
            ),
            ("a AND (b or c)", Condition::And(vec![name("a"), Condition::Or(vec![name("b"), name("c")])])),
            ("all of them", Condition::Of { all: true, pattern: None }),
            (
                "(1 of sel_* )and not any of filter*",
                Condition::And(vec![of(false, "sel_*"), Condition::Not(Box::new(of(false, "filter*")))]),
            ),
            ("not not all", Condition::Not(Box::new(Condition::Not(Box::new(name("all")))))),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (text, part) in [
            ("", "ends where"),
            ("a and", "ends where"),
            ("a b", "`b` is out of place"),
            ("(a", "not closed"),
            ("a)", "`)` is out of place"),
            ("2 of x*", "`2 of`"),
            ("1 of", "of what"),
            ("a | count() > 5", "counting"),
            ("and a", "`and` is out of place"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
        assert!(parse(&"(".repeat(100_000)).unwrap_err().contains("nested"));
    }

    #[test]
    fn patterns_name_whole_names() {
        for (pattern, yes, no) in [
            ("selection", &["selection"][..], &["selection_x", "Selection"][..]),
            ("sel*", &["sel", "selection_x"], &["xsel"]),
            ("*_a*b", &["x_ab", "x_a_b"], &["_x_ab", "x_a", "x_abc"]),
            ("_x*", &["_x", "_xy"], &["x"]),
            ("a*b*a", &["aba", "axbxa"], &["aa", "ab"]),
        ] {
            assert!(yes.iter().all(|name| names(Some(pattern), name)), "{pattern}");
            assert!(!no.iter().any(|name| names(Some(pattern), name)), "{pattern}");
        }
        assert!(names(None, "x") && !names(None, "_x"));
    }
}
