//! Exceptions of a policy: what it is not to tell, although its rules say so. Each is a rule in front of the policy's.
//!
//! They are held against events that violate the policy alone, so that they cost nothing where nothing is wrong, and each
//! counts what it took.

use crate::event::{Event, Host};
use crate::rules::{RuleSet, Scratch};

/// The exceptions of one policy, in order.
#[derive(Debug)]
pub struct Exceptions {
    /// Chain `n` ignores what the `n`-th takes, and matches all else.
    rules: RuleSet,
    each: Vec<Exception>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Exception {
    /// As it is written.
    pub rule: String,
    /// From then on it takes nothing any more: nanoseconds since the Unix epoch.
    pub until: Option<u64>,
    /// Alerts that it took since the start.
    pub taken: u64,
    /// Whether it was said that it has expired.
    pub told: bool,
}

impl Exception {
    #[must_use]
    pub const fn new(rule: String, until: Option<u64>) -> Self {
        Self { rule, until, taken: 0, told: false }
    }

    /// Whether it takes nothing any more.
    #[must_use]
    pub fn has_expired(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Exceptions {
    /// As many chains as exceptions, each of one `ignore`, and `match` where that does not hold.
    #[must_use]
    pub fn new(rules: RuleSet, each: Vec<Exception>) -> Self {
        Self { rules, each }
    }

    /// Whether one of them takes an event that violates the policy.
    pub(super) fn take(&mut self, event: &Event, host: &Host, scratch: &mut Scratch) -> bool {
        let mut left: Vec<usize> = Vec::with_capacity(self.each.len());
        self.rules.matches(event, host, scratch, &mut |chain, _| left.push(chain.0));
        let takes = |at: usize, one: &Exception| !left.contains(&at) && !one.has_expired(event.time);
        let found = self.each.iter_mut().enumerate().find(|(at, one)| takes(*at, one));
        found.map(|(_, one)| one.taken += 1).is_some()
    }

    /// How many alerts each took.
    pub(super) fn taken(&self) -> Vec<u64> {
        self.each.iter().map(|one| one.taken).collect()
    }

    /// Goes on counting where those before a reload were.
    pub(super) fn after(&mut self, before: Self) {
        for one in &mut self.each {
            if let Some(before) = before.each.iter().find(|it| it.rule == one.rule) {
                (one.taken, one.told) = (before.taken, before.told && before.until == one.until);
            }
        }
    }

    /// Those that have expired, each told once.
    pub(super) fn expired(&mut self, now: u64) -> impl Iterator<Item = &str> {
        let news = self.each.iter_mut().filter(move |one| one.has_expired(now) && !one.told);
        news.map(|one| {
            one.told = true;
            one.rule.as_str()
        })
    }

    /// Whether some of them ask for one of these fields.
    pub(super) fn ask_for(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.rules.asks_for(field))
    }
}
