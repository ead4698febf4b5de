//! Secrets, taken out of what is told: of arguments and command lines, of all ancestors as well, and of audit messages.
//!
//! ```text
//! event ─▶ rules (as it happened) ─▶ Redaction ─▶ alerts, rows of sinks, who looks on
//! ```
//!
//! Rules see what happened. What leaves the engine is another event, in which a [mark](MARK) stands for each secret: so no form
//! of an alert or a row can tell it. That an image has nothing to hide is found once, and remembered with it.

mod events;
mod pattern;
mod shipped;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use regex_automata::meta::Regex;

use crate::event::Taken;
use pattern::Pattern;
pub(crate) use pattern::check;

/// Stands where a secret was taken out.
pub const MARK: &str = "[redacted]";

/// What is taken out, as the configuration has it: expressions that were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub enabled: bool,
    /// Whether the shipped patterns count.
    pub defaults: bool,
    pub patterns: Vec<String>,
    /// What stays whatever the patterns say.
    pub exceptions: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { enabled: true, defaults: true, patterns: Vec::new(), exceptions: Vec::new() }
    }
}

/// Takes secrets out.
pub struct Redaction {
    settings: Settings,
    /// No other one has it.
    number: u64,
    /// All patterns in one automaton; none if nothing is taken out.
    any: Option<Regex>,
    patterns: Vec<Pattern>,
    exceptions: Vec<Pattern>,
}

impl fmt::Debug for Redaction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Redaction").field(&self.settings).finish()
    }
}

impl Default for Redaction {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Redaction {
    /// Compiles the patterns, which [were checked](check) when the configuration was read.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let compiled = |texts: &[String]| texts.iter().filter_map(|text| Pattern::new(text, false).ok()).collect();
        let mut patterns: Vec<Pattern> = if settings.defaults { shipped::patterns() } else { Vec::new() };
        patterns.extend::<Vec<Pattern>>(compiled(&settings.patterns));
        let any = if settings.enabled { pattern::any_of(&patterns) } else { None };
        let exceptions = compiled(&settings.exceptions);
        Self { number: NUMBER.fetch_add(1, Ordering::Relaxed), any, patterns, exceptions, settings }
    }

    /// Whether it takes out the same as another one.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.settings == other.settings
    }

    /// The text with a mark for each secret. No allocation where there is none.
    #[must_use]
    pub fn text<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut secrets = self.secrets(text);
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        secrets.sort_unstable_by_key(|secret| secret.at.start);
        let (mut told, mut next) = (Vec::with_capacity(text.len()), 0);
        for Range { start, end } in secrets.into_iter().map(|secret| secret.at) {
            if start >= next {
                told.extend_from_slice(&text[next..start]);
                told.extend_from_slice(MARK.as_bytes());
            }
            next = next.max(end);
        }
        told.extend_from_slice(&text[next..]);
        Cow::Owned(told)
    }

    /// Where secrets stand in a line, in no order.
    fn secrets(&self, line: &[u8]) -> Vec<Taken> {
        if !self.any.as_ref().is_some_and(|any| any.is_match(line)) {
            return Vec::new();
        }
        let mut secrets: Vec<Taken> = self.patterns.iter().flat_map(|pattern| pattern.secrets(line)).collect();
        // One that was taken out already.
        secrets.retain(|secret| &line[secret.at.clone()] != MARK.as_bytes());
        if !secrets.is_empty() && !self.exceptions.is_empty() {
            let kept: Vec<Range<usize>> = self.exceptions.iter().flat_map(|it| it.matches(line)).collect();
            secrets.retain(|secret| !kept.iter().any(|it| it.start <= secret.at.start && secret.at.end <= it.end));
        }
        secrets
    }
}

#[cfg(test)]
mod tests;
