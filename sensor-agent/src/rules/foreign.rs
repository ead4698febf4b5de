//! What other tools call the operators: whoever writes one out of habit is told what there is here.

/// The words that others have for an operator, each with what is written here in front of `x`.
static OPERATORS: &[(&[&str], &str)] = &[
    (&["equals", "equal", "eq", "is", "glob"], "== \"x\""),
    (&["ne", "neq", "isnt"], "!= \"x\""),
    (&["gt"], "> 1"),
    (&["ge", "gte"], ">= 1"),
    (&["lt"], "< 1"),
    (&["le", "lte"], "<= 1"),
    (&["like", "wildcard"], "== \"*x*\""),
    (&["ilike", "icontains"], "iglob \"*x*\""),
    (&["istartswith"], "iglob \"x*\""),
    (&["iendswith"], "iglob \"*x\""),
    (&["matches", "match", "regex", "regexp", "rlike", "pmatch"], "=~ `x`"),
    (&["has", "includes"], "contains \"x\""),
    (&["prefix", "begins", "beginswith", "starts"], "startswith \"x\""),
    (&["suffix", "ends"], "endswith \"x\""),
    (&["intersects", "any", "oneof"], "in (\"x\", \"y\")"),
];

/// What to write for an operator that is not known by this word, if others know it.
pub(super) fn operator(word: &str, field: &str) -> Option<String> {
    let (_, here) = OPERATORS.iter().find(|(words, _)| words.iter().any(|theirs| theirs.eq_ignore_ascii_case(word)))?;
    Some(format!("write `{field} {here}`"))
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn what_is_advised_is_a_rule_and_what_is_asked_for_is_none() {
        for (words, here) in OPERATORS {
            assert!(parse(&format!("match a {here}")).is_ok(), "{here}");
            for word in *words {
                assert!(parse(&format!("match a {word} \"x\"")).is_err(), "{word} is an operator");
            }
        }
    }
}
