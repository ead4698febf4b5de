//! Regular expressions in rules: compiled within a limit, and what is wrong with them told with its place.

use std::ops::Range;

use regex_automata::meta::Regex;
use regex_syntax::hir::Hir;

use super::limits;
use super::test::Expression;

/// What is wrong with a regular expression, and where in it.
pub(super) type ExpressionFault = (String, Option<Range<usize>>);

/// Compiles a regular expression. It is of bytes, as RE2's are of Latin-1, unless it speaks of characters beyond.
///
/// Arguments, paths and messages are no lines: whoever words them can put a line feed anywhere. So `.` takes one, unless
/// `(?-s)` says otherwise, and `^` and `$` are the ends of the text, unless `(?m)` makes them those of its lines.
pub(super) fn expression(text: &str) -> Result<Expression, ExpressionFault> {
    let hir = syntax(text, false).or_else(|_| syntax(text, true))?;
    let config = Regex::config()
        .utf8_empty(false)
        .nfa_size_limit(Some(limits::REGEX_BYTES))
        .onepass_size_limit(Some(limits::REGEX_BYTES));
    let regex = Regex::builder().configure(config).build_from_hir(&hir).map_err(|error| match error.size_limit() {
        Some(limit) => {
            (format!("this regular expression is too large: compiled, it takes more than {limit} bytes"), None)
        }
        None => (format!("this regular expression cannot be compiled: {error}"), None),
    })?;
    Ok(Expression { regex, hir })
}

fn syntax(text: &str, unicode: bool) -> Result<Hir, ExpressionFault> {
    let mut parser = regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(unicode)
        .dot_matches_new_line(true)
        .nest_limit(100)
        .build();
    parser.parse(text).map_err(|error| {
        let (kind, span) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
            other => (other.to_string(), None),
        };
        let range = span.map(|span| span.start.offset..span.end.offset);
        (format!("this is no regular expression: {kind}"), range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(pattern: &str, text: &[u8]) -> bool {
        expression(pattern).unwrap_or_else(|(fault, _)| panic!("{pattern}: {fault}")).regex.is_match(text)
    }

    #[test]
    fn a_line_feed_is_no_way_around_an_expression() {
        let hidden = b"from base64 import *\nexec";
        assert!(holds("base64.{0,40}exec", hidden));
        assert!(!holds("(?-s)base64.{0,40}exec", hidden), "who wants lines can have them");
        assert!(holds("base64[^x]*exec", hidden));
        // The ends of the text, not of its lines.
        assert!(!holds("^exec", hidden) && !holds("^from$", b"from\n") && holds("(?m)^exec", hidden));
        // Where the expression speaks of characters, too.
        assert!(holds("é.b", "é\nb".as_bytes()));
    }
}
