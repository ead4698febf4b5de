//! Regular expressions in rules: compiled within a limit, and what is wrong with them told with its place.

use std::ops::Range;
use std::sync::{Mutex, OnceLock};

use regex_automata::Input;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson;
use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Hir, HirKind, Literal, Repetition};

use super::limits;
use super::needed::needed;

/// What is wrong with a regular expression, and where in it.
pub(crate) type ExpressionFault = (String, Option<Range<usize>>);

/// A regular expression that was found to be right.
///
/// It is compiled when the first text is held against it, which is seldom: few texts have one of the literals that it needs.
#[derive(Debug)]
pub(super) struct Expression {
    text: Box<str>,
    /// In whatever it matches stands one of these, [letter case left aside](needed).
    pub(super) needed: Option<Box<[Box<[u8]>]>>,
    engine: OnceLock<Engine>,
}

#[derive(Debug)]
enum Engine {
    /// States are made as texts ask for them, and forgotten when they take too much memory.
    Lazy(Box<Lazy>),
    /// Words of characters, whose borders the other cannot see.
    Words(Regex),
}

#[derive(Debug)]
struct Lazy {
    dfa: DFA,
    /// For one thread at a time; another makes do with one of its own.
    cache: Mutex<Option<Cache>>,
}

/// Bytes that an engine's states may take.
const CACHE_BYTES: usize = 128 * 1024;

impl Expression {
    /// Whether it matches somewhere in a text.
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        let engine = self.engine.get_or_init(|| {
            let engine = read(&self.text).and_then(|hir| engine(&hir));
            engine.expect("it was compiled when it was checked")
        });
        match engine {
            Engine::Words(regex) => regex.is_match(text),
            Engine::Lazy(lazy) => {
                let Lazy { dfa, cache } = &**lazy;
                let input = Input::new(text).earliest(true);
                let found = match cache.try_lock() {
                    Ok(mut cache) => dfa.try_search_fwd(cache.get_or_insert_with(|| dfa.create_cache()), &input),
                    Err(_) => dfa.try_search_fwd(&mut dfa.create_cache(), &input),
                };
                found.expect("it stops at no byte and never gives up").is_some()
            }
        }
    }
}

/// Checks a regular expression. It is of bytes, as RE2's are of Latin-1, unless it speaks of characters beyond.
///
/// Names are bytes to the kernel, and whoever makes a file can put one into its name that is no character. So where an
/// expression speaks of characters, what takes any character (`.`) or all but some (`[^é]`, `\P{Greek}`, `\W`) takes such a
/// byte, too.
///
/// Arguments, paths and messages are no lines: whoever words them can put a line feed anywhere. So `.` takes one, unless
/// `(?-s)` says otherwise, and `^` and `$` are the ends of the text, unless `(?m)` makes them those of its lines.
pub(super) fn expression(text: &str) -> Result<Expression, ExpressionFault> {
    let hir = read(text)?;
    engine(&hir)?;
    Ok(Expression { text: text.into(), needed: needed(&hir), engine: OnceLock::new() })
}

fn engine(hir: &Hir) -> Result<Engine, ExpressionFault> {
    let too_large = |limit| format!("this regular expression is too large: compiled, it takes more than {limit} bytes");
    let other = |error: &dyn std::fmt::Display| (format!("this regular expression cannot be compiled: {error}"), None);
    if hir.properties().look_set().contains_word_unicode() {
        let config = Regex::config().utf8_empty(false).nfa_size_limit(Some(limits::REGEX_BYTES)).onepass(false);
        let regex = Regex::builder().configure(config).build_from_hir(hir);
        let fault = |error: meta::BuildError| match error.size_limit() {
            Some(limit) => (too_large(limit), None),
            None => other(&error),
        };
        return regex.map(Engine::Words).map_err(fault);
    }
    let config = thompson::Config::new()
        .utf8(false)
        .nfa_size_limit(Some(limits::REGEX_BYTES))
        .which_captures(thompson::WhichCaptures::None);
    let fault = |error: thompson::BuildError| match error.size_limit() {
        Some(limit) => (too_large(limit), None),
        None => other(&error),
    };
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).map_err(fault)?;
    let config = DFA::config().cache_capacity(CACHE_BYTES).skip_cache_capacity_check(true);
    let dfa = DFA::builder().configure(config).build_from_nfa(nfa).map_err(|error| other(&error))?;
    Ok(Engine::Lazy(Box::new(Lazy { dfa, cache: Mutex::new(None) })))
}

/// Reads a regular expression as [`expression`] does.
pub(crate) fn read(text: &str) -> Result<Hir, ExpressionFault> {
    Ok(of_bytes(syntax(text, false).or_else(|_| syntax(text, true))?))
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

/// The same, with bytes that are no characters in each class that has all characters but some: those have the last one of
/// all, U+10FFFF, which is no letter, digit or sign of any script.
fn of_bytes(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) if class.ranges().last().is_some_and(|last| last.end() == char::MAX) => {
            let bytes = ClassBytes::new([ClassBytesRange::new(0x80, 0xff)]);
            Hir::alternation(vec![Hir::class(Class::Unicode(class)), Hir::class(Class::Bytes(bytes))])
        }
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(Repetition { min, max, greedy, sub }) => {
            Hir::repetition(Repetition { min, max, greedy, sub: Box::new(of_bytes(*sub)) })
        }
        HirKind::Capture(Capture { index, name, sub }) => {
            Hir::capture(Capture { index, name, sub: Box::new(of_bytes(*sub)) })
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(of_bytes).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(of_bytes).collect()),
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(Literal(literal)) => Hir::literal(literal),
        HirKind::Look(look) => Hir::look(look),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(pattern: &str, text: &[u8]) -> bool {
        expression(pattern).unwrap_or_else(|(fault, _)| panic!("{pattern}: {fault}")).is_match(text)
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

    #[test]
    fn a_byte_that_is_no_character_is_no_way_around_an_expression() {
        for (pattern, text, is_so) in [
            // Of bytes.
            ("^/tmp/.*$", &b"/tmp/a\xffb"[..], true),
            ("^/tmp/[^/]+$", b"/tmp/\xff", true),
            (r"^/tmp/\S+\W$", b"/tmp/x\xff", true),
            ("^[a-z]+$", b"a\xff", false),
            // Of characters.
            (r"^/tmp/.*\p{L}$", b"/tmp/\xffx", true),
            ("^/tmp/[^é/]+$", b"/tmp/a\xff\xfe", true),
            (r"^\P{Greek}+$", b"a\xffb", true),
            (r"(?u)^/tmp/\W+[ä]$", b"/tmp/\xff\xc3\xa4", true),
            ("^(?:/tmp/(.){2}é){1,2}$", b"/tmp/\xff\xff\xc3\xa9", true),
            // What is no character is none of those that are asked for, and a character stays one.
            (r"^\p{L}+$", b"a\xff", false),
            ("^[é-ü]+$", b"\xff", false),
            ("^[^é]$", "é".as_bytes(), false),
            (r"^(?u:.)$", "é".as_bytes(), true),
        ] {
            assert_eq!(holds(pattern, text), is_so, "{pattern} on {}", text.escape_ascii());
        }
    }
}
