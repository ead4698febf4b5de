//! What each policy costs on recorded events.

use std::time::{Duration, Instant};

use crate::event::{Event, Host};
use crate::rules::{RuleSet, Scratch};

/// Events that are kept to be measured with, at most: the first ones of a recording.
pub const MOST: usize = 100_000;
/// How long each is measured, at least.
const LEAST: Duration = Duration::from_millis(20);

/// The cost of one policy, or of all together.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    pub name: String,
    /// Events that it looks at, of those recorded.
    pub events: usize,
    /// Of these, those that it matches.
    pub matched: usize,
    /// For each of these, the best of several rounds: nanoseconds.
    pub nanoseconds: f64,
}

/// Measures rules on events, of which those count alone that they see.
#[must_use]
pub fn cost(name: &str, rules: &RuleSet, events: &[(Event, Host)]) -> Cost {
    let seen: Vec<&(Event, Host)> = events.iter().filter(|(event, _)| rules.sees(event.kind)).collect();
    let mut scratch = Scratch::default();
    let (mut matched, mut best, begin) = (0, f64::INFINITY, Instant::now());
    while !seen.is_empty() && (best.is_infinite() || begin.elapsed() < LEAST) {
        matched = 0;
        let round = Instant::now();
        for (event, host) in &seen {
            rules.matches(event, host, &mut scratch, &mut |_, _| matched += 1);
        }
        best = best.min(round.elapsed().as_nanos() as f64 / seen.len() as f64);
    }
    let nanoseconds = if best.is_finite() { best } else { 0.0 };
    Cost { name: name.to_owned(), events: seen.len(), matched, nanoseconds }
}
