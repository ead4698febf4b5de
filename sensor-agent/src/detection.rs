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

mod exceptions;
mod throttle;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use exceptions::{Exception, Exceptions};
use foldhash::HashMap;
use schema::{Class, EventType, Seen};
pub use throttle::ThrottleSettings;
use throttle::{Decision, Throttle};

use crate::event::{Detail, Event, Host};
use crate::policy::{MessageType, Policy};
use crate::rules::{ChainIndex, RuleIndex, RuleSet, Scope, Scratch};

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
    /// Whether its rules, exceptions or throttle ask for what a container's runtime tells.
    asks_for_container: bool,
    throttle: Option<Throttle>,
    exceptions: Option<Exceptions>,
    counts: PolicyCounts,
}

/// What a policy came to since the sensor's start, also under earlier configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyCounts {
    pub alerts: u64,
    /// Alerts that its throttle held back.
    pub held_back: u64,
    /// Alerts that each of its exceptions took.
    pub excepted: Vec<u64>,
    /// When it was last violated, held back or not: nanoseconds since the Unix epoch.
    pub last: Option<u64>,
}

/// Fields that say which file was given to be run.
const FILE_FIELDS: &[&str] = &["scriptPath", "filePath"];
/// Fields that a container's runtime tells.
const CONTAINER_FIELDS: &[&str] = &[
    "containerName",
    "containerLabels",
    "isPrivileged",
    "hostNamespaces",
    "containerMounts",
    "imageId",
    "imageName",
    "imageTag",
    "imageDigest",
    "kubernetesPod",
    "kubernetesNamespace",
];

/// What an event is to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    pub user: bool,
    pub container: bool,
}

impl Awaited {
    /// Whether some of it is not there yet.
    #[must_use]
    pub fn is_missing(self, event: &Event) -> bool {
        self.user && event.awaits_name() || self.container && event.awaits_container()
    }
}

/// An event violates a policy.
#[derive(Clone, Debug)]
pub struct Finding {
    pub policy: Arc<Policy>,
    /// The rule that decided, as it was written.
    pub rule: Arc<str>,
    /// Findings that the policy's throttle held back since the last one it let through.
    pub held_back: u64,
    /// The rules ask for what a container's runtime tells, which it had not by then.
    pub container_untold: bool,
    /// Whether its throttle holds this one back: then it is acted upon and not told.
    pub is_held: bool,
}

impl PolicyInForce {
    #[must_use]
    pub fn new(policy: Policy, throttle: Option<ThrottleSettings>) -> Self {
        let throttle = throttle.map(Throttle::new);
        let counts = PolicyCounts::default();
        Self {
            policy: Arc::new(policy),
            needs_incident: false,
            asks_for_file: false,
            asks_for_container: false,
            throttle,
            exceptions: None,
            counts,
        }
    }

    /// The same with exceptions.
    #[must_use]
    pub fn except(self, exceptions: Option<Exceptions>) -> Self {
        Self { exceptions, ..self }
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
        for group in &mut groups {
            let sees_execs = group.sees.contains(EventType::Exec);
            for (chain, policy) in group.policies.iter_mut().enumerate() {
                let asks_for = |asks| group.rules.chain_asks_for(ChainIndex(chain), asks);
                let of_file = |scope, field: &str| scope == Scope::Event && FILE_FIELDS.contains(&field);
                policy.asks_for_file = sees_execs && asks_for(&of_file);
                policy.asks_for_container = asks_for(&|_, field| CONTAINER_FIELDS.contains(&field))
                    || policy.exceptions.as_ref().is_some_and(|exceptions| exceptions.ask_for(CONTAINER_FIELDS))
                    || policy.throttle.as_ref().is_some_and(|throttle| throttle.asks_for(CONTAINER_FIELDS));
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

    /// Names of which each file has one that a policy of those can match that look at these events; none of a policy that can match
    /// any.
    #[must_use]
    pub fn watched(&self, is_meant: impl Fn(Seen) -> bool) -> Option<Vec<Box<[u8]>>> {
        let groups = self.groups.iter().filter(|group| is_meant(group.sees));
        let names: Option<Vec<_>> = groups.map(|group| group.rules.watched()).collect();
        Some(names?.concat())
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
        let counts = |held: &PolicyInForce| PolicyCounts {
            excepted: held.exceptions.as_ref().map(Exceptions::taken).unwrap_or_default(),
            ..held.counts.clone()
        };
        let policies = self.groups.iter().flat_map(|group| &group.policies);
        policies.map(move |held| (held.policy.name.as_str(), counts(held)))
    }

    /// What policies ask for of what may come late: the name of a user who was asked for a moment ago, the names of a container.
    #[must_use]
    pub fn awaits(&self, event: &Event) -> Awaited {
        let seeing = || self.groups.iter().filter(|group| group.sees.contains(event.kind));
        let asks = |group: &Group, field: &str| {
            let mut exceptions = group.policies.iter().filter_map(|held| held.exceptions.as_ref());
            group.rules.asks_for(field) || exceptions.any(|exceptions| exceptions.ask_for(&[field]))
        };
        let of_users = |group: &Group| ["userName", "acct"].into_iter().any(|field| asks(group, field));
        let of_containers = |group: &Group| group.policies.iter().any(|policy| policy.asks_for_container);
        Awaited {
            user: seeing().any(of_users),
            container: event.process.container.is_some() && seeing().any(of_containers),
        }
    }

    /// What the throttle of each policy has held back and no alert has told yet.
    pub fn unreported(&self) -> impl Iterator<Item = (&str, u64)> {
        let policies = self.groups.iter().flat_map(|group| &group.policies);
        let unreported =
            policies.filter_map(|held| Some((held.policy.name.as_str(), held.throttle.as_ref()?.unreported())));
        unreported.filter(|(_, count)| *count > 0)
    }

    /// So many were held back in an earlier run, by policy: the next alert of each tells them.
    pub fn owe(&mut self, held_back: &BTreeMap<String, u64>) {
        for held in self.groups.iter_mut().flat_map(|group| &mut group.policies) {
            if let (Some(throttle), Some(count)) = (&mut held.throttle, held_back.get(&held.policy.name)) {
                throttle.owe(*count);
            }
        }
    }

    /// The exceptions that take nothing any more, with the name of the policy: each is told once.
    pub fn expired(&mut self, now: u64) -> impl Iterator<Item = (&str, &str)> {
        self.groups.iter_mut().flat_map(|group| &mut group.policies).flat_map(move |held| {
            let name = held.policy.name.as_str();
            held.exceptions.iter_mut().flat_map(move |it| it.expired(now)).map(move |rule| (name, rule))
        })
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
            if let (Some(exceptions), Some(before)) = (&mut policy.exceptions, before.exceptions) {
                exceptions.after(before);
            }
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
                    if let Some(exceptions) = &mut in_force.exceptions
                        && exceptions.take(event, host, &mut self.scratch)
                    {
                        continue;
                    }
                    in_force.counts.last = Some(event.time);
                    let decision = in_force.throttle.as_mut().map(|throttle| throttle.decide(event, at, host));
                    let is_held = decision == Some(Decision::Hold);
                    let held_back = if let Some(Decision::Pass { held_back }) = decision { held_back } else { 0 };
                    if is_held {
                        self.held_back += 1;
                        in_force.counts.held_back += 1;
                        // A flood must not be the way past what is done about each of them.
                        if in_force.policy.response.actions.is_empty() {
                            continue;
                        }
                    } else {
                        in_force.counts.alerts += 1;
                        in_incident |= in_force.policy.message_type == MessageType::Alert;
                    }
                    let rule = group.rules.rule_text(chain, rule).into();
                    let container = event.process.container.as_deref().filter(|_| in_force.asks_for_container);
                    let container_untold = container.is_some_and(|container| container.told.as_deref().is_none());
                    found(Finding { policy: Arc::clone(&in_force.policy), rule, held_back, is_held, container_untold });
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
