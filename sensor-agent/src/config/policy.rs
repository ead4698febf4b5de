//! Policies: the configured detections.

use std::path::Path;
use std::time::Duration;

use diagnostic::{Report, Span, Spanned, nearest};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schema::PolicyType;
use settings::{Entry, FromText, Problem, Section};

use super::words::{Feature, ResponseAction, is_built};
use super::{keys, response};
use crate::policy::{Action, Confidence, Priority};

/// A configured detection.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The name: `StrategyName` in templates.
    pub name: Spanned<String>,
    pub policy_type: &'static PolicyType,
    /// Whether it is to run: switched on itself, and so is its content group.
    pub enabled: bool,
    pub priority: Priority,
    pub confidence: Confidence,
    /// The alert's description.
    pub alert_message: Option<Spanned<String>>,
    pub comments: Option<String>,
    pub description: Option<String>,
    pub categories: Vec<String>,
    /// Labels that the alerts carry, in the order given.
    pub alert_labels: Vec<(String, String)>,
    /// What is done, each action once, at least one.
    pub response_actions: Vec<ResponseAction>,
    /// Do everything but act, and say so in the alert.
    pub dry_run: bool,
    pub throttle: Option<Throttle>,
    pub content_group: Option<ContentGroup>,
    /// What it is not to tell all the same.
    pub exceptions: Vec<Exception>,
    /// The rules, not compiled yet.
    pub rules: Vec<Spanned<String>>,
    /// Where they are given last: of a shipped detection that is overridden, in the override.
    pub rules_span: Span,
    /// Why it is not to run, if it is not.
    pub off: Option<Off>,
}

/// Why a policy is not to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// It is switched off itself.
    Disabled,
    /// Its content group is not among those that are on.
    Group,
}

impl Policy {
    /// What is done about what it finds, besides telling it.
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        self.response_actions.iter().filter_map(|action| action.action())
    }

    /// Whether what it finds is to be told as a message of type `audit` instead of an alert.
    #[must_use]
    pub fn only_audits(&self) -> bool {
        let has = |action| self.response_actions.contains(&action);
        has(ResponseAction::Audit) && !has(ResponseAction::Alert)
    }
}

/// What a policy is not to tell, although its rules say so.
#[derive(Clone, Debug)]
pub struct Exception {
    /// `ignore` and a condition, not compiled yet.
    pub rule: Spanned<String>,
    /// Why.
    pub comment: String,
    /// The last day.
    pub until: Option<Spanned<Day>>,
}

impl Exception {
    /// From when on it takes nothing any more: nanoseconds since the Unix epoch.
    #[must_use]
    pub fn expires(&self) -> Option<u64> {
        Some(self.until.as_ref()?.value.end())
    }
}

/// A day of the calendar, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(Date);

impl Day {
    /// When it is over: nanoseconds since the Unix epoch; of days before that, at once.
    #[must_use]
    pub fn end(self) -> u64 {
        let next = self.0.tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
        next.map_or(u64::MAX, |next| u64::try_from(next.timestamp().as_nanosecond()).unwrap_or(0))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, out)
    }
}

impl FromText for Day {
    fn from_text(text: &str) -> Result<Self, Problem> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let day = text.parse().ok().filter(|_| is_plain && text.len() == 10).map(Self);
        day.ok_or_else(|| {
            Problem::new("this is no day of the calendar").help("write year, month and day, such as 2026-12-31")
        })
    }
}

/// How many alerts of a policy are sent at most.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// Alerts …
    pub count: u64,
    /// … in this time …
    pub per: Duration,
    /// … for each combination of the values of these fields (names in rules).
    pub by: Vec<Spanned<String>>,
}

/// A group of shipped detections, such as `Detection Analytics.System Exploitation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentGroup {
    parts: Vec<String>,
}

impl ContentGroup {
    /// The groups that others are part of.
    pub const ROOTS: [&'static str; 3] = ["Detection Analytics", "Smart Policy", "Audit"];

    /// The names from the widest to the narrowest.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// As it is written: the names with dots between them.
    #[must_use]
    pub fn path(&self) -> String {
        self.parts.join(".")
    }

    /// Whether this group is the other one or part of it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.parts.len() >= other.parts.len()
            && self.parts.iter().zip(&other.parts).all(|(mine, others)| mine.eq_ignore_ascii_case(others))
    }
}

impl FromText for ContentGroup {
    fn from_text(text: &str) -> Result<Self, Problem> {
        let mut parts: Vec<String> = text.split('.').map(|part| part.trim().to_owned()).collect();
        if parts.iter().any(String::is_empty) {
            return Err(Problem::new("a name is missing in this path")
                .help("write it such as `Audit`, without dots at the ends"));
        }
        if let Some(known) = Self::ROOTS.iter().find(|known| known.eq_ignore_ascii_case(&parts[0])) {
            // As it is spelt here, so that whoever asks for a group need not mind letter case.
            (*known).clone_into(&mut parts[0]);
            return Ok(Self { parts });
        }
        let root = parts[0].as_str();
        let problem = Problem::new(format!("there is no content group `{root}`"));
        Err(match nearest(root, Self::ROOTS) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("the groups are {}", Self::ROOTS.join(", "))),
        })
    }
}

/// What of the shipped detections is on.
pub(crate) struct On<'a> {
    pub(crate) groups: &'a [ContentGroup],
    /// Of these, also what is off as shipped.
    pub(crate) types: &'a [&'static PolicyType],
    /// The file of the shipped detections.
    pub(crate) content: &'a Path,
    /// Whether policies may act.
    pub(crate) responses: bool,
}

impl On<'_> {
    /// Whether `enabled` is as shipped.
    fn is_shipped(&self, section: &Section<'_>, report: &Report) -> bool {
        let span = section.span("enabled");
        span.is_some_and(|span| Path::new(report.source_name(span.source)) == self.content)
    }
}

/// Takes a policy out of its merged mapping; none if there is nothing to run, which is reported.
///
/// `on` says what of the shipped detections is on; `others` are the names of all detections that have a type.
pub(crate) fn read(entry: &Entry, on: &On<'_>, others: &[&str], report: &mut Report) -> Option<Policy> {
    let section = Section::new(Some(&entry.value), keys::POLICY);
    let name = entry.key.clone();
    let mut rules = section.texts("rules");
    let Some(policy_type) = section.get::<String>("policy").and_then(|word| PolicyType::from_word(&word)) else {
        // A wrong word was reported before.
        if section.node("policy").is_none() {
            without_type(&name, &rules, others, report);
        }
        return None;
    };
    let Some(given) = section.node("rules") else {
        report
            .error(name.span.clone(), format!("the detection `{}` has no rules", name.value))
            .label("nothing would ever match")
            .help("add `rules:`, a list that ends with `- default ignore` or `- default match`");
        return None;
    };
    if let Some(first) = policy_type.first_rule() {
        let span = given.span.clone();
        rules.insert(0, Spanned { value: first.to_owned(), span, verbatim: false });
    }
    let rules_span = rules.last().map_or_else(|| given.span.clone(), |rule| rule.span.clone());
    let content_group = section.get::<ContentGroup>("contentGroup");
    let in_group = content_group.as_ref().is_none_or(|group| on.groups.iter().any(|enabled| group.is_within(enabled)));
    let switched_on = section.bool("enabled") || on.types.contains(&policy_type) && on.is_shipped(&section, report);
    let policy = Policy {
        policy_type,
        enabled: switched_on && in_group,
        off: if !switched_on { Some(Off::Disabled) } else { (!in_group).then_some(Off::Group) },
        priority: section.value("priority"),
        confidence: section.value("confidence"),
        alert_message: section.spanned("alertMessage"),
        comments: section.get("comments"),
        description: section.get("description"),
        categories: section.texts("categories").into_iter().map(|text| text.value).collect(),
        alert_labels: section
            .pairs("alertLabels")
            .map(|(entry, text)| (entry.key.value.clone(), text.to_owned()))
            .collect(),
        response_actions: section
            .values("responseActions")
            .filter(|actions: &Vec<ResponseAction>| !actions.is_empty())
            .unwrap_or_else(|| vec![ResponseAction::Alert]),
        dry_run: section.bool("dryRun"),
        throttle: throttle(&section),
        content_group,
        exceptions: exceptions(&name.value, &section, report),
        rules,
        rules_span,
        name,
    };
    not_built(&policy, &section, report);
    response::asked_in_vain(&policy, &section, on.responses, report);
    Some(policy)
}

fn without_type(name: &Spanned<String>, rules: &[Spanned<String>], others: &[&str], report: &mut Report) {
    let types = PolicyType::WORDS.join(", ");
    let near = nearest(&name.value, others.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    if rules.is_empty() {
        report
            .warning(name.span.clone(), format!("there is no detection `{}` to override", name.value))
            .label("not known, and so without effect")
            .help(near.unwrap_or_else(|| "check the name, or install the content package that has it".into()));
    } else {
        report
            .error(name.span.clone(), format!("the detection `{}` has no type", name.value))
            .label("no `policy` here, nor in an earlier file")
            .help(format!(
                "add `policy:` and one of {types}{}",
                near.map_or(String::new(), |near| format!("; or {near}"))
            ));
    }
}

fn throttle(section: &Section<'_>) -> Option<Throttle> {
    section.node("throttle")?;
    let throttle = section.section("throttle");
    Some(Throttle { count: throttle.get("count")?, per: throttle.get("per")?, by: throttle.texts("by") })
}

/// Takes the exceptions; those that lack something are told, and left out.
fn exceptions(policy: &str, section: &Section<'_>, report: &mut Report) -> Vec<Exception> {
    let each = section.items("exceptions").iter().filter_map(|item| {
        let one = Section::new(Some(item), keys::EXCEPTION);
        let lacking =
            [("rule", "`ignore` and a condition"), ("comment", "why this is excepted, for whoever comes after you")];
        for (key, what) in
            lacking.into_iter().filter(|(key, _)| one.spanned(key).is_none_or(|text| text.value.trim().is_empty()))
        {
            report
                .error(item.span.clone(), format!("an exception of `{policy}` has no `{key}`"))
                .label(format!("needs `{key}`"))
                .help(format!("add `{key}`: {what}"));
        }
        let until = one.spanned("until").zip(one.get::<Day>("until")).map(|(text, day)| text.map(|_| day));
        Some(Exception { rule: one.spanned("rule")?, comment: one.get("comment").unwrap_or_default(), until })
    });
    each.collect()
}

/// Says what an enabled policy asks for in vain.
fn not_built(policy: &Policy, section: &Section<'_>, report: &mut Report) {
    if !policy.enabled {
        return;
    }
    let name = &policy.name.value;
    if !policy.policy_type.is_served() {
        report
            .warning(
                section.span("policy"),
                format!("policies of type `{}` are not built yet: `{name}` will not fire", policy.policy_type.word),
            )
            .label("checked, but not run");
    }
    let instead = if policy.only_audits() { "audit" } else { "alert" };
    for action in &policy.response_actions {
        if !is_built(Feature::Action(*action)) {
            report
                .warning(
                    section.span("responseActions"),
                    format!("the action `{}` is not built yet: `{name}` will only {instead}", action.word()),
                )
                .label("checked, but not done");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_path_narrows_a_group() {
        let group = |text| ContentGroup::from_text(text).unwrap();
        let narrow = group("Detection Analytics.System Exploitation");
        assert!(narrow.is_within(&group("detection analytics")));
        assert!(narrow.is_within(&narrow));
        assert!(!group("Detection Analytics").is_within(&narrow));
        assert!(!group("Audit").is_within(&group("Smart Policy")));
        assert_eq!(ContentGroup::from_text("Audt").unwrap_err().help.as_deref(), Some("did you mean `Audit`?"));
        assert!(ContentGroup::from_text("Audit.").is_err());
        assert_eq!(group("smart policy.x").parts(), ["Smart Policy", "x"]);
    }
}
