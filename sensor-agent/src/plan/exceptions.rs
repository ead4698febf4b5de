//! The exceptions of policies: checked, and compiled.

use clock::unix_now;
use diagnostic::{Report, Spanned};
use schema::Seen;

use crate::config;
use crate::detection::{Exception, Exceptions};
use crate::rules::{self, Chain, Lists, MissingDefault, Verdict};

/// Compiles those of a policy; none if it has none.
pub(super) fn compile(policy: &config::Policy, sees: Seen, lists: &Lists, report: &mut Report) -> Option<Exceptions> {
    if policy.exceptions.is_empty() {
        return None;
    }
    check(policy, report);
    let rules = rules::compile(sees, &chains(policy), lists, report);
    let each = policy.exceptions.iter().map(|one| Exception::new(one.rule.value.trim().to_owned(), one.expires()));
    Some(Exceptions::new(rules, each.collect()))
}

/// Checks those of a policy that is off.
pub(super) fn check_alone(policy: &config::Policy, sees: Seen, lists: &Lists, report: &mut Report) {
    check(policy, report);
    rules::check_alone(sees, &chains(policy), lists, report);
}

/// The rules of a policy, with its exceptions in front: what it says of an event today.
pub(super) fn in_front(policy: &config::Policy) -> Vec<Spanned<String>> {
    let now = unix_now();
    let in_force = policy.exceptions.iter().filter(|one| one.expires().is_none_or(|end| end > now));
    in_force.map(|one| one.rule.clone()).chain(policy.rules.iter().cloned()).collect()
}

fn chains(policy: &config::Policy) -> Vec<Chain<'_>> {
    policy
        .exceptions
        .iter()
        .map(|one| Chain {
            name: &policy.name.value,
            rules: std::slice::from_ref(&one.rule),
            span: &one.rule.span,
            on_missing_default: MissingDefault::Is(Verdict::Match),
        })
        .collect()
}

fn check(policy: &config::Policy, report: &mut Report) {
    let now = unix_now();
    for one in &policy.exceptions {
        // What is no rule at all is told where rules are compiled.
        if rules::parse(&one.rule.value).is_ok_and(|rule| rule.verdict == Verdict::Match || rule.condition.is_none()) {
            report
                .error(one.rule.span.clone(), format!("this is no exception of `{}`", policy.name.value))
                .label("ignores nothing in particular")
                .help("write `ignore` and a condition, such as: ignore programName == \"/usr/bin/rsync\" and uid == 0");
        }
        if let Some(until) = &one.until
            && one.expires().is_some_and(|end| end <= now)
        {
            report
                .warning(until.span.clone(), format!("this exception of `{}` has expired", policy.name.value))
                .label(format!("without effect since the end of {}", until.value))
                .help("take it out, or give a later day");
        }
    }
}
