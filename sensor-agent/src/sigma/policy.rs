//! What was taken, written as a file of policies.

use std::fmt::Write as _;

use foldhash::{HashMap, HashSet};
use schema::Seen;

use super::rule::{Level, Rule};
use super::translate::Translated;
use crate::policy::{Confidence, Priority};

/// The type of the lists that are written.
pub(super) const LIST_TYPE: &str = "names";

/// Where rules of little weight go.
const GROUP: &str = "Audit.Sigma";

/// A policy that is made of a rule.
#[derive(Debug)]
pub(super) struct Policy {
    name: String,
    id: Option<String>,
    /// Keys and values before the rules, in order.
    keys: Vec<(&'static str, Written)>,
    lists: Vec<(String, Vec<String>)>,
    /// Each in lines.
    rules: Vec<Vec<String>>,
    /// The events that they see.
    seen: Seen,
}

#[derive(Debug)]
enum Written {
    Text(String),
    Texts(Vec<String>),
    Pairs(Vec<(&'static str, String)>),
}

impl Policy {
    /// The policy of a rule.
    pub(super) fn new(rule: &Rule<'_>, condition: Translated, keep_level: bool) -> Self {
        let level = rule.level.unwrap_or(Level::Medium);
        let priority = match (level, keep_level) {
            (Level::Critical, _) | (Level::High, true) => Priority::High,
            (Level::High, false) | (Level::Medium, true) => Priority::Medium,
            (Level::Medium, false) | (Level::Low, true) => Priority::Low,
            (Level::Low, false) | (Level::Informational, _) => Priority::Info,
        };
        let confidence = match rule.status.as_deref() {
            Some("stable") => Confidence::High,
            Some("experimental") => Confidence::Low,
            _ => Confidence::Medium,
        };
        let text = |text: &str| Written::Text(text.to_owned());
        let mut keys = vec![
            ("policy", text(condition.view.policy)),
            ("priority", text(priority.word())),
            ("confidence", text(confidence.word())),
        ];
        if !keep_level && level <= Level::Low {
            keys.push(("contentGroup", text(GROUP)));
        }
        let categories = categories(&rule.tags);
        if !categories.is_empty() {
            keys.push(("categories", Written::Texts(categories)));
        }
        keys.push(("alertMessage", text(rule.description.as_deref().unwrap_or(&rule.title))));
        keys.push(("comments", Written::Text(comments(rule))));
        let url = rule.references.iter().find(|text| text.starts_with("https://") || text.starts_with("http://"));
        let labels: Vec<_> = [
            ("sigmaId", rule.id.clone()),
            ("sigmaLevel", rule.level.map(|level| level.word().to_owned())),
            ("sigmaAuthor", rule.author.clone()),
            ("sigmaUrl", url.cloned()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
        if !labels.is_empty() {
            keys.push(("alertLabels", Written::Pairs(labels)));
        }
        let Translated { view, expr, lists, list_names } = condition;
        let first = view.first.iter().map(|rule| vec![(*rule).to_owned()]);
        let matching = expr.alternatives().iter().map(|alternative| {
            let line = |(index, part): (usize, &super::expr::Expr)| {
                let mut line = String::from(if index == 0 { "match " } else { "and " });
                part.write(&list_names, &mut line);
                line
            };
            alternative.conjuncts().iter().enumerate().map(line).collect()
        });
        let mut rules: Vec<Vec<String>> = first.collect();
        if expr == super::expr::Expr::Always {
            rules.push(vec!["default match".to_owned()]);
        } else {
            rules.extend(matching);
            rules.push(vec!["default ignore".to_owned()]);
        }
        Self {
            name: rule.title.clone(),
            id: rule.id.clone(),
            keys,
            lists: list_names.into_iter().zip(lists).collect(),
            rules,
            seen: view.seen(),
        }
    }

    pub(super) const fn seen(&self) -> Seen {
        self.seen
    }

    pub(super) fn lists(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.lists.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    pub(super) fn rules(&self) -> Vec<String> {
        self.rules.iter().map(|lines| lines.join(" ")).collect()
    }
}

/// Makes names unique: those that others have, too, get the id.
pub(super) fn name(policies: &mut [Policy], taken: &HashSet<String>) {
    let mut counts: HashMap<String, usize> = HashMap::default();
    for policy in policies.iter() {
        *counts.entry(policy.name.clone()).or_default() += 1;
    }
    let mut names = taken.clone();
    for policy in policies {
        if counts.get(&policy.name).is_some_and(|count| *count > 1) || names.contains(&policy.name) {
            if let Some(id) = &policy.id {
                policy.name = format!("{} ({id})", policy.name);
            }
            let plain = policy.name.clone();
            let mut number = 2;
            while names.contains(&policy.name) {
                policy.name = format!("{plain} ({number})");
                number += 1;
            }
        }
        names.insert(policy.name.clone());
    }
}

/// Techniques as categories are written here; other tags as they are.
fn categories(tags: &[String]) -> Vec<String> {
    let attack = |tag: &String| tag.to_ascii_lowercase().strip_prefix("attack.").map(str::to_owned);
    let is_id = |text: &str, first: char| {
        text.strip_prefix(first).is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
    };
    let is_tactic = |text: &String| !['t', 's', 'g'].into_iter().any(|first| is_id(text, first));
    let tactics: Vec<_> = tags.iter().filter_map(attack).filter(is_tactic).map(|tactic| capitals(&tactic)).collect();
    let mut categories = Vec::new();
    for tag in tags {
        match attack(tag) {
            Some(id) if is_id(&id, 't') => {
                let id = id.to_ascii_uppercase();
                let tactic = if tactics.is_empty() { "ATT&CK".to_owned() } else { tactics.join(", ") };
                categories.push(format!("MITRE.{tactic}.{id} ({id})"));
            }
            Some(text) if is_tactic(&text) => {}
            _ => categories.push(tag.clone()),
        }
    }
    if !categories.iter().any(|category| category.starts_with("MITRE.")) {
        categories.extend(tactics.iter().map(|tactic| format!("MITRE.{tactic}")));
    }
    categories
}

/// `privilege-escalation` as people write it.
fn capitals(tactic: &str) -> String {
    let word = |word: &str| match (word, word.get(..1)) {
        ("and", _) | (_, None) => word.to_owned(),
        (_, Some(first)) => first.to_ascii_uppercase() + &word[1..],
    };
    tactic.split(['-', '_']).map(word).collect::<Vec<_>>().join(" ")
}

/// Whose rule it is, and what else its reader should know.
fn comments(rule: &Rule<'_>) -> String {
    let mut out = String::from("A rule of Sigma");
    for (word, text) in [("", &rule.id), ("status ", &rule.status), ("by ", &rule.author)] {
        if let Some(text) = text {
            let comma = if word.is_empty() { "" } else { "," };
            let _ = write!(out, "{comma} {word}{text}");
        }
    }
    match &rule.license {
        Some(license) => {
            let _ = write!(out, ". Licence: {license}.");
        }
        None => out.push_str(". Licence: that of where it comes from; of SigmaHQ, the Detection Rule License 1.1."),
    }
    for (word, texts) in
        [("False positives", &rule.false_positives), ("References", &rule.references), ("Tags", &rule.tags)]
    {
        if !texts.is_empty() {
            let joined = texts.join("; ");
            let stop = if joined.ends_with('.') { "" } else { "." };
            let _ = write!(out, " {word}: {joined}{stop}");
        }
    }
    out
}

const HEAD: &str = "\
# Policies made of rules of Sigma, by `sophoslinuxsensor rules import sigma`.
# The rules are their authors', who are named in each, and under the licence that each names or that its source has.
# Rules of SigmaHQ are under the Detection Rule License 1.1: whoever passes them on names the authors and keeps this notice.
";

/// The policies as a file.
pub(super) fn file(policies: &[Policy]) -> String {
    let mut out = String::from(HEAD);
    let mut lists = policies.iter().flat_map(|policy| &policy.lists).peekable();
    if lists.peek().is_some() {
        out.push_str("\nlists:\n");
    }
    for (name, values) in lists {
        let _ = write!(out, "  {name}:\n    type: {LIST_TYPE}\n    values:\n");
        for value in values {
            let _ = writeln!(out, "      - {}", yaml(value));
        }
    }
    for policy in policies {
        let _ = writeln!(out, "\n{}:", yaml(&policy.name));
        for (key, value) in &policy.keys {
            match value {
                Written::Text(text) => {
                    let _ = writeln!(out, "  {key}: {}", yaml(text));
                }
                Written::Texts(texts) => {
                    let texts: Vec<_> = texts.iter().map(|text| yaml(text)).collect();
                    let _ = writeln!(out, "  {key}: [{}]", texts.join(", "));
                }
                Written::Pairs(pairs) => {
                    let _ = writeln!(out, "  {key}:");
                    for (key, text) in pairs {
                        let _ = writeln!(out, "    {key}: {}", yaml(text));
                    }
                }
            }
        }
        out.push_str("  rules:\n");
        for lines in &policy.rules {
            match lines.as_slice() {
                [line] if line.starts_with("default ") => {
                    let _ = writeln!(out, "    - {line}");
                }
                // Folded: what stands in a line stays as it is.
                lines => {
                    out.push_str("    - >-\n");
                    for line in lines {
                        let _ = writeln!(out, "      {line}");
                    }
                }
            }
        }
    }
    out
}

/// A text in one line as YAML writes it: plain words as they are, else in quotes.
pub(crate) fn yaml(text: &str) -> String {
    let is_word = text.starts_with(|char: char| char.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || ['.', ' '].contains(&char))
        && !text.ends_with(' ')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if is_word {
        return text.to_owned();
    }
    if text.chars().all(|char| char == ' ' || char.is_ascii_graphic() || char.is_alphanumeric()) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            ' ' => out.push(' '),
            char if char.is_ascii_graphic() || char.is_alphanumeric() => out.push(char),
            char => {
                let _ = write!(out, "\\U{:08x}", u32::from(char));
            }
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_categories() {
        let of = |tags: &[&str]| categories(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert_eq!(
            of(&[
                "attack.execution",
                "attack.command-and-control",
                "attack.t1059.004",
                "cve.2021-44228",
                "attack.s0154"
            ]),
            ["MITRE.Execution, Command and Control.T1059.004 (T1059.004)", "cve.2021-44228", "attack.s0154"]
        );
        assert_eq!(of(&["attack.stealth"]), ["MITRE.Stealth"]);
        assert_eq!(of(&["attack.t1070"]), ["MITRE.ATT&CK.T1070 (T1070)"]);
    }
}
