//! One pattern: a regular expression, as rules have them.

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::meta::{BuildError, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_syntax::hir::Hir;
use settings::Problem;

use crate::event::Taken;
use crate::rules::read_expression;

/// Bytes that one pattern may take compiled, and all of them together.
const PATTERN_BYTES: usize = 1 << 20;
const ALL_BYTES: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Pattern {
    hir: Hir,
    /// Compiled once a line has a secret: most have none.
    regex: OnceLock<Regex>,
    is_value: bool,
}

impl Pattern {
    /// What its groups match is secret; without groups, all that it matches. `is_value`: that is the value of an option or a
    /// variable.
    pub(super) fn new(text: &str, is_value: bool) -> Result<Self, Problem> {
        let hir = read_expression(text).map_err(|(message, place)| {
            let problem = Problem::new(message);
            if let Some(place) = place { problem.part(place) } else { problem }
        })?;
        if hir.properties().minimum_len().is_none_or(|least| least == 0) {
            return Err(Problem::new("this matches where nothing stands").help(
                "name something that has to be there, as in `--pin=(\\S+)`: what the group matches is taken out",
            ));
        }
        Ok(Self { hir, regex: OnceLock::new(), is_value })
    }

    fn compiled(&self) -> Result<Regex, Problem> {
        let built = Regex::builder().configure(config(PATTERN_BYTES)).build_from_hir(&self.hir);
        built.map_err(|error| fault(&error))
    }

    fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| self.compiled().expect("it was compiled when it was checked"))
    }

    /// What is secret by this pattern.
    pub(super) fn secrets<'p>(&'p self, line: &'p [u8]) -> impl Iterator<Item = Taken> + 'p {
        self.regex().captures_iter(line).flat_map(|found| {
            let first = usize::from(found.group_len() > 1);
            let groups: Vec<Range<usize>> = found.iter().skip(first).flatten().map(|group| group.range()).collect();
            groups.into_iter().filter(|group| !group.is_empty()).map(|at| Taken { at, is_value: self.is_value })
        })
    }

    /// All that it matches.
    pub(super) fn matches<'p>(&'p self, line: &'p [u8]) -> impl Iterator<Item = Range<usize>> + 'p {
        self.regex().find_iter(line).map(|found| found.range())
    }
}

/// Whatever one of them matches; none if there are none.
pub(super) fn any_of(patterns: &[Pattern]) -> Option<Regex> {
    let all: Vec<&Hir> = patterns.iter().map(|pattern| &pattern.hir).collect();
    if all.is_empty() {
        return None;
    }
    let config = config(ALL_BYTES).which_captures(WhichCaptures::None).onepass(false).backtrack(false);
    // All that are within their limits are within that of all, unless there are very many of them: then each is tried.
    let together = Regex::builder().configure(config.clone()).build_many_from_hir(&all).ok();
    together.or_else(|| Regex::builder().configure(config).build_from_hir(&Hir::empty()).ok())
}

/// What is wrong with a pattern of the configuration.
pub(crate) fn check(text: &str) -> Result<(), Problem> {
    Pattern::new(text, false)?.compiled().map(drop)
}

fn config(bytes: usize) -> regex_automata::meta::Config {
    Regex::config().utf8_empty(false).nfa_size_limit(Some(bytes)).hybrid_cache_capacity(1 << 20)
}

fn fault(error: &BuildError) -> Problem {
    match error.size_limit() {
        Some(limit) => {
            Problem::new(format!("this regular expression is too large: compiled, it takes more than {limit} bytes"))
        }
        None => Problem::new(format!("this regular expression cannot be compiled: {error}")),
    }
}
