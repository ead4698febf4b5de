//! Policies: which events are worth an alert.
//!
//! ```text
//! event ─▶ RuleSet of the event's class (all policies in one go) ─▶ throttle ─▶ Finding
//! ```
//!
//! A policy type says which events its rules see: `program` policies see programs being executed, and nothing of
//! forks and exits, so that one rule on a program name fires once. Those that ask for the file which was given to be run also
//! see one that the kernel takes for no program: shells read such a file as a script themselves, and no exec follows.
//!
//! A policy of the content group *Smart Policy* is worth an alert only where something is wrong already: on a process
//! that is part of an incident, which an alert begins and what the process forks inherits.

mod throttle;

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;
use schema::{Class, EventType, Seen};
pub use throttle::ThrottleSettings;
use throttle::{Decision, Throttle};

use crate::event::{Detail, Event, Host};
use crate::policy::{MessageType, Policy};
use crate::rules::{ChainIndex, RuleIndex, RuleSet, Scratch};

/// The policies in force.
#[derive(Debug, Default)]
pub struct Detection {
    groups: Vec<Group>,
    scratch: Scratch,
    /// The policies that the event at hand violates: chain and rule. Kept for its capacity.
    violated: Vec<(ChainIndex, RuleIndex)>,
    /// Findings that throttles held back since the start.
    held_back: u64,
}

/// The policies that see the same events. Chain `n` of the rules is the `n`-th policy.
#[derive(Debug)]
pub struct Group {
    /// The events, and so the fields and words that the rules may name.
    pub sees: Seen,
    pub rules: RuleSet,
    pub policies: Vec<PolicyInForce>,
}

/// A policy with the state that goes with it.
#[derive(Debug)]
pub struct PolicyInForce {
    policy: Arc<Policy>,
    /// Whether it alerts inside incidents alone: a Smart Policy.
    needs_incident: bool,
    /// Whether its rules ask for the file that was given to be run.
    asks_for_file: bool,
    throttle: Option<Throttle>,
    counts: PolicyCounts,
}

/// What a policy came to since the sensor's start, also under earlier configurations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyCounts {
    pub alerts: u64,
    /// Alerts that its throttle held back.
    pub held_back: u64,
    /// When it was last violated, held back or not: nanoseconds since the Unix epoch.
    pub last: Option<u64>,
}

/// Fields that say which file was given to be run.
const FILE_FIELDS: &[&str] = &["scriptPath", "filePath"];

/// An event violates a policy.
#[derive(Clone, Debug)]
pub struct Finding {
    pub policy: Arc<Policy>,
    /// The rule that decided, as it was written.
    pub rule: Arc<str>,
    /// Findings that the policy's throttle held back since the last one it let through.
    pub held_back: u64,
}

impl PolicyInForce {
    #[must_use]
    pub fn new(policy: Policy, throttle: Option<ThrottleSettings>) -> Self {
        let throttle = throttle.map(Throttle::new);
        let counts = PolicyCounts::default();
        Self { policy: Arc::new(policy), needs_incident: false, asks_for_file: false, throttle, counts }
    }

    /// The same as a Smart Policy, which alerts inside incidents alone.
    #[must_use]
    pub fn in_incidents_alone(self) -> Self {
        Self { needs_incident: true, ..self }
    }
}

impl Detection {
    #[must_use]
    pub fn new(mut groups: Vec<Group>) -> Self {
        for group in groups.iter_mut().filter(|group| group.sees.contains(EventType::Exec)) {
            for (chain, policy) in group.policies.iter_mut().enumerate() {
                policy.asks_for_file = group.rules.chain_asks_for(ChainIndex(chain), FILE_FIELDS);
            }
        }
        Self { groups, ..Self::default() }
    }

    /// Whether a policy asks for files that the kernel takes for no program.
    #[must_use]
    pub fn sees_unformatted(&self) -> bool {
        self.groups.iter().flat_map(|group| &group.policies).any(|policy| policy.asks_for_file)
    }

    /// Whether a policy looks at events of this class.
    #[must_use]
    pub fn sees(&self, class: Class) -> bool {
        self.groups.iter().any(|group| group.sees.class() == class)
    }

    /// Policies in force.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.iter().map(|group| group.policies.len()).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Findings that throttles held back since the start.
    #[must_use]
    pub const fn held_back(&self) -> u64 {
        self.held_back
    }

    /// What each policy came to.
    pub fn counts(&self) -> impl Iterator<Item = (&str, PolicyCounts)> {
        self.groups.iter().flat_map(|group| &group.policies).map(|held| (held.policy.name.as_str(), held.counts))
    }

    /// Whether policies ask for the name of a user who was asked for a moment ago.
    #[must_use]
    pub fn awaits_name(&self, event: &Event) -> bool {
        event.awaits_name()
            && self.groups.iter().any(|group| {
                group.sees.contains(event.kind)
                    && ["userName", "acct"].into_iter().any(|field| group.rules.asks_for(field))
            })
    }

    /// What the throttle of each policy has held back and no alert has told yet.
    pub fn untold(&self) -> impl Iterator<Item = (&str, u64)> {
        let policies = self.groups.iter().flat_map(|group| &group.policies);
        let untold = policies.filter_map(|held| Some((held.policy.name.as_str(), held.throttle.as_ref()?.untold())));
        untold.filter(|(_, count)| *count > 0)
    }

    /// So many were held back in an earlier run, by policy: the next alert of each tells them.
    pub fn owe(&mut self, held_back: &BTreeMap<String, u64>) {
        for held in self.groups.iter_mut().flat_map(|group| &mut group.policies) {
            if let (Some(throttle), Some(count)) = (&mut held.throttle, held_back.get(&held.policy.name)) {
                throttle.owe(*count);
            }
        }
    }

    /// Goes on where the policies before a reload were: one that keeps its name keeps its counts and what its throttle knows.
    #[must_use]
    pub fn after(mut self, before: Self) -> Self {
        self.held_back += before.held_back;
        let policies = before.groups.into_iter().flat_map(|group| group.policies);
        let mut before: HashMap<String, PolicyInForce> =
            policies.map(|policy| (policy.policy.name.clone(), policy)).collect();
        for policy in self.groups.iter_mut().flat_map(|group| &mut group.policies) {
            let Some(before) = before.remove(&policy.policy.name) else { continue };
            policy.counts = before.counts;
            if let (Some(throttle), Some(before)) = (&mut policy.throttle, before.throttle) {
                throttle.go_on(before);
            }
        }
        self
    }

    /// Holds an event against all policies that see its kind. No allocation when none is violated.
    ///
    /// `at` is when it happened by the boot clock, nanoseconds. Findings of Smart Policies come last: an alert on the same
    /// event begins the incident that they take.
    pub fn evaluate(&mut self, event: &Event, at: u64, host: &Host, found: &mut impl FnMut(Finding)) {
        let mut in_incident = event.process.incident.is_some();
        // To the rules it is what they are about: a program that is being run.
        let unformatted = is_unformatted(event).then(|| Event { kind: EventType::Exec, ..event.clone() });
        let event = unformatted.as_ref().unwrap_or(event);
        for group in self.groups.iter_mut().filter(|group| group.sees.contains(event.kind)) {
            self.violated.clear();
            let (violated, policies) = (&mut self.violated, &group.policies);
            group.rules.matches(event, host, &mut self.scratch, &mut |chain, rule| {
                if unformatted.is_none() || policies.get(chain.0).is_some_and(|policy| policy.asks_for_file) {
                    violated.push((chain, rule));
                }
            });
            for needs_incident in [false, true] {
                if needs_incident && !in_incident {
                    break;
                }
                for &(chain, rule) in &self.violated {
                    let Some(in_force) = group.policies.get_mut(chain.0) else { continue };
                    if in_force.needs_incident != needs_incident {
                        continue;
                    }
                    in_force.counts.last = Some(event.time);
                    let held_back = match in_force.throttle.as_mut().map(|throttle| throttle.decide(event, at, host)) {
                        None => 0,
                        Some(Decision::Pass { held_back }) => held_back,
                        Some(Decision::Hold) => {
                            self.held_back += 1;
                            in_force.counts.held_back += 1;
                            continue;
                        }
                    };
                    in_force.counts.alerts += 1;
                    in_incident |= in_force.policy.message_type == MessageType::Alert;
                    let rule = group.rules.rule_text(chain, rule).into();
                    found(Finding { policy: Arc::clone(&in_force.policy), rule, held_back });
                }
            }
        }
    }
}

/// Whether the kernel refused a file as no program, which whoever tried may read as a script.
fn is_unformatted(event: &Event) -> bool {
    matches!(event.detail, Detail::ExecFailed { errno: libc::ENOEXEC })
}

#[cfg(test)]
mod tests;
