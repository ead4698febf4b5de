//! Regular expressions in rules: compiled within a limit, and what is wrong with them told with its place.

use std::ops::Range;

use regex_automata::meta::Regex;
use regex_syntax::hir::Hir;

use super::limits;
use super::test::Expression;

/// What is wrong with a regular expression, and where in it.
pub(super) type ExpressionFault = (String, Option<Range<usize>>);

/// Compiles a regular expression. It is of bytes, as RE2's are of Latin-1, unless it speaks of characters beyond.
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
    let mut parser = regex_syntax::ParserBuilder::new().utf8(false).unicode(unicode).nest_limit(100).build();
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
