//! Policies: those in force compiled by what they see, all of them checked.

use diagnostic::{Report, Spanned};
use schema::{Owner, POLICY_TYPES, PolicyType, Seen};

use super::exceptions;
use crate::config::{self, Config};
use crate::detection::{Detection, Group, PolicyInForce, ThrottleSettings};
use crate::event::fields::{self, Field};
use crate::policy::{MessageType, Policy, Priority, Response};
use crate::rules::{self, Chain, Lists, MissingDefault, RuleSet};

/// A policy in force, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLine {
    pub name: String,
    pub policy_type: &'static str,
    pub priority: Priority,
    pub rules: usize,
}

/// A policy that is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyOff {
    pub name: String,
    pub why: String,
}

/// The policy types that something serves, and which events their rules see.
fn served() -> impl Iterator<Item = (&'static PolicyType, Seen)> {
    POLICY_TYPES.iter().filter_map(|policy_type| Some((policy_type, policy_type.seen()?)))
}

/// Compiles the policies that are on. The rules of those that are off are checked all the same: whoever switches one
/// on should not meet its errors only then.
pub(super) fn compile(config: &Config, lists: &Lists, report: &mut Report) -> (Detection, Vec<PolicyLine>) {
    for policy in config.policies.iter().filter(|policy| !policy.policy_type.is_served()) {
        check_syntax(policy, report);
    }
    let mut groups = Vec::new();
    for (policy_type, sees) in served() {
        let (enabled, off): (Vec<_>, Vec<_>) = of_type(config, policy_type).partition(|policy| policy.enabled);
        rules::check_alone(sees, &chains(&off), lists, report);
        for policy in &off {
            exceptions::check_alone(policy, sees, lists, report);
            let _ = throttle(policy, sees, report);
        }
        let rules = rules::compile(sees, &chains(&enabled), lists, report);
        let policies: Vec<_> = enabled.iter().map(|policy| in_force(config, policy, sees, lists, report)).collect();
        if !policies.is_empty() {
            groups.push(Group { sees, rules, policies });
        }
    }
    let lines =
        config.policies.iter().filter(|policy| policy.policy_type.is_served() && policy.enabled).map(line).collect();
    (Detection::new(groups), lines)
}

/// All policies that are not in force.
pub(super) fn off(config: &Config) -> Vec<PolicyOff> {
    let why = |policy: &config::Policy| match (policy.off, &policy.content_group) {
        (Some(config::Off::Disabled), _) => Some("switched off: `enabled: false`".to_owned()),
        (Some(config::Off::Group), Some(group)) => Some(format!("its content group `{}` is not enabled", group.path())),
        (Some(config::Off::Group), None) => Some("its content group is not enabled".to_owned()),
        (None, _) => (!policy.policy_type.is_served())
            .then(|| format!("policies of type `{}` are not built yet", policy.policy_type.word)),
    };
    let off = |policy: &config::Policy| Some(PolicyOff { name: policy.name.value.clone(), why: why(policy)? });
    config.policies.iter().filter_map(off).collect()
}

/// The rules of all policies that something serves, whether they are on or off, by what they see: chain by chain, with the
/// policy's name.
#[must_use]
pub fn rule_books(config: &Config, report: &mut Report) -> Vec<RuleSet> {
    let lists = super::lists(config, report);
    let book = |(policy_type, sees)| {
        let policies: Vec<_> = of_type(config, policy_type).collect();
        let rules: Vec<_> = policies.iter().map(|policy| exceptions::in_front(policy)).collect();
        let mut chains = chains(&policies);
        chains.iter_mut().zip(&rules).for_each(|(chain, rules)| chain.rules = rules);
        rules::compile(sees, &chains, &lists, report)
    };
    served().map(book).collect()
}

/// The rules of policies that are on, each with a name.
#[derive(Debug, Default)]
pub struct InForce {
    /// Each policy by itself.
    pub each: Vec<(String, RuleSet)>,
    /// All of a type, as the sensor holds them against events; named after the type.
    pub together: Vec<(String, RuleSet)>,
}

/// The rules of the policies that are on, without their exceptions.
#[must_use]
pub fn in_force_apart(config: &Config, report: &mut Report) -> InForce {
    let lists = super::lists(config, report);
    let mut in_force = InForce::default();
    for (policy_type, sees) in served() {
        let on: Vec<_> = of_type(config, policy_type).filter(|policy| policy.enabled).collect();
        for policy in &on {
            let rules = rules::compile(sees, &chains(&[policy]), &lists, report);
            in_force.each.push((policy.name.value.clone(), rules));
        }
        if !on.is_empty() {
            let rules = rules::compile(sees, &chains(&on), &lists, &mut Report::default());
            in_force.together.push((policy_type.word.to_owned(), rules));
        }
    }
    in_force
}

fn of_type<'a>(config: &'a Config, policy_type: &PolicyType) -> impl Iterator<Item = &'a config::Policy> {
    config.policies.iter().filter(move |policy| policy.policy_type == policy_type)
}

fn chains<'a>(policies: &[&'a config::Policy]) -> Vec<Chain<'a>> {
    policies
        .iter()
        .map(|policy| Chain {
            name: &policy.name.value,
            rules: &policy.rules,
            span: &policy.rules_span,
            on_missing_default: MissingDefault::Error,
        })
        .collect()
}

/// The fields of policies that nothing serves yet are not known, their grammar is.
fn check_syntax(policy: &config::Policy, report: &mut Report) {
    for rule in &policy.rules {
        if let Err(problem) = rules::parse(&rule.value) {
            problem.report(rule, report);
        }
    }
}

fn in_force(config: &Config, policy: &config::Policy, sees: Seen, lists: &Lists, report: &mut Report) -> PolicyInForce {
    let mut facts = facts(policy);
    if config.response.enabled {
        facts.response = Response { actions: policy.actions().collect(), dry_run: policy.dry_run };
    }
    let in_force = PolicyInForce::new(facts, throttle(policy, sees, report))
        .except(exceptions::compile(policy, sees, lists, report));
    if root_group(policy) == Some("Smart Policy") { in_force.in_incidents_alone() } else { in_force }
}

/// The widest content group that a policy belongs to.
fn root_group(policy: &config::Policy) -> Option<&str> {
    policy.content_group.as_ref()?.parts().first().map(String::as_str)
}

fn message_type(policy: &config::Policy) -> MessageType {
    match root_group(policy) {
        _ if policy.only_audits() => MessageType::Audit,
        Some("Audit") => MessageType::Audit,
        Some("Smart Policy") => MessageType::SmartPolicy,
        _ => MessageType::Alert,
    }
}

fn facts(policy: &config::Policy) -> Policy {
    let group = policy.content_group.as_ref().map_or(&[][..], |group| group.parts());
    Policy {
        name: policy.name.value.clone(),
        policy_type: policy.policy_type.word.to_owned(),
        message_type: message_type(policy),
        priority: policy.priority,
        confidence: policy.confidence,
        description: policy
            .alert_message
            .as_ref()
            .map(|message| message.value.clone())
            .or_else(|| policy.description.clone())
            .unwrap_or_default(),
        comments: policy.comments.clone().unwrap_or_default(),
        categories: policy.categories.clone(),
        labels: policy.alert_labels.clone(),
        content_group: group.join("."),
        response: Response::default(),
    }
}

fn throttle(policy: &config::Policy, sees: Seen, report: &mut Report) -> Option<ThrottleSettings> {
    let throttle = policy.throttle.as_ref()?;
    // What is no field at all was told when the configuration was read.
    let known = throttle.by.iter().filter_map(|name| Some((name, fields::by_name(&name.value)?)));
    let by = known.filter(|(name, field)| can_be_told_apart_by(name, field, sees, report)).map(|(_, field)| field);
    let by = by.collect();
    Some(ThrottleSettings { count: u32::try_from(throttle.count).unwrap_or(u32::MAX), per: throttle.per, by })
}

/// Whether the events have values of this field at all.
fn can_be_told_apart_by(name: &Spanned<String>, field: &Field, sees: Seen, report: &mut Report) -> bool {
    let seen = sees;
    if field.applies_to(seen) {
        return true;
    }
    let has = match field.owner {
        _ if !field.only_in.is_empty() => Seen::these(field.only_in).name(),
        Owner::Class(class) => class.name().into(),
        Owner::Process | Owner::Any => seen.name(),
    };
    report
        .error(name.span.clone(), format!("`{}` is a field of {has} events", field.name))
        .label(format!("this policy sees {} events", seen.name()))
        .help("name a field that these events have: `sophoslinuxsensor fields` lists them");
    false
}

fn line(policy: &config::Policy) -> PolicyLine {
    let facts = facts(policy);
    PolicyLine {
        name: facts.name,
        policy_type: policy.policy_type.word,
        priority: facts.priority,
        rules: policy.rules.len(),
    }
}

#[cfg(test)]
mod tests;
