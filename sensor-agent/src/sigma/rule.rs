//! A rule as its document has it.

use settings::{Entry, Node, Value};

use super::Fault;
use super::documents::Document;

/// Said of rules that are written once for all of a file, with `action`, as Sigma did before version 2.
pub(super) const COLLECTION: &str = "`action` (rules in parts) is no part of Sigma any more: write each rule whole";

/// How grave a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Level {
    const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A rule, its detection not looked at yet.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    pub(super) title: String,
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) description: Option<String>,
    pub(super) author: Option<String>,
    pub(super) license: Option<String>,
    pub(super) references: Vec<String>,
    pub(super) false_positives: Vec<String>,
    pub(super) tags: Vec<String>,
    pub(super) level: Option<Level>,
    pub(super) product: Option<String>,
    pub(super) category: Option<String>,
    pub(super) service: Option<String>,
    pub(super) log_source_line: usize,
    /// The searches, in order.
    pub(super) searches: Vec<&'a Entry>,
    /// Of which one must hold, each with its line.
    pub(super) conditions: Vec<(String, usize)>,
}

impl<'a> Rule<'a> {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is missing, or is no rule for single events.
    pub(super) fn read(root: &'a Node, document: &Document<'_>) -> Result<Self, Fault> {
        let line = |node: &Node| document.line(&node.span);
        let Value::Mapping(entries) = &root.value else {
            return Err(Fault::at(line(root), format!("a rule is a mapping, not {}", root.kind())));
        };
        let get = |name: &str| entries.iter().find(|entry| entry.key.value == name);
        for (name, what) in [
            ("action", COLLECTION),
            ("correlation", "a correlation: it is about several events, and a policy sees one at a time"),
            ("filter", "a filter for other rules: it is no rule itself"),
        ] {
            if let Some(entry) = get(name) {
                return Err(Fault::at(document.line(&entry.key.span), what));
            }
        }
        let title =
            text(get("title")).ok_or_else(|| Fault::at(line(root), "this is no Sigma rule: it has no `title`"))?;
        let needed = |name: &str| get(name).ok_or_else(|| Fault::whole(format!("it has no `{name}`")));
        let log_source = &needed("logsource")?.value;
        let detection = &needed("detection")?.value;
        let source = |name: &str| text(log_source.entries().iter().find(|entry| entry.key.value == name));
        if let Some(entry) = get("taxonomy").filter(|_| text(get("taxonomy")).is_some_and(|name| name != "sigma")) {
            let message = "the fields are of another taxonomy than `sigma`, which is not known";
            return Err(Fault::at(line(&entry.value), message));
        }
        let status = text(get("status"));
        if status.as_deref() == Some("unsupported") {
            return Err(Fault::whole("its status is `unsupported`: it cannot be used as it stands"));
        }
        let level = match text(get("level")) {
            None => None,
            Some(word) => Some(Level::ALL.into_iter().find(|level| level.word() == word).ok_or_else(|| {
                let at = get("level").map_or(1, |entry| line(&entry.value));
                Fault::at(at, format!("there is no level `{word}`"))
            })?),
        };
        let mut searches = Vec::new();
        let mut conditions = Vec::new();
        for entry in detection.entries() {
            match entry.key.value.as_str() {
                "condition" => {
                    let alternatives = match &entry.value.value {
                        Value::Sequence(items) => items.iter().collect(),
                        _ => vec![&entry.value],
                    };
                    for node in alternatives {
                        let scalar = node.scalar().ok_or_else(|| Fault::at(line(node), "a condition is text"))?;
                        conditions.push((scalar.text.clone(), line(node)));
                    }
                }
                "timeframe" => {
                    let message = "`timeframe`: counting events in a time is not built";
                    return Err(Fault::at(line(&entry.value), message));
                }
                _ => searches.push(entry),
            }
        }
        if conditions.is_empty() {
            return Err(Fault::at(line(detection), "the detection has no `condition`"));
        }
        Ok(Self {
            title,
            id: text(get("id")),
            status,
            description: text(get("description")),
            author: text(get("author")),
            license: text(get("license")),
            references: texts(get("references")),
            false_positives: texts(get("falsepositives")),
            tags: texts(get("tags")),
            level,
            product: source("product"),
            category: source("category"),
            service: source("service"),
            log_source_line: line(log_source),
            searches,
            conditions,
        })
    }
}

/// Text in one line; none if there is none.
fn text(entry: Option<&Entry>) -> Option<String> {
    one_line(entry?.value.scalar()?.text.as_str())
}

fn texts(entry: Option<&Entry>) -> Vec<String> {
    let Some(entry) = entry else { return Vec::new() };
    match &entry.value.value {
        Value::Sequence(items) => items.iter().filter_map(|item| one_line(&item.scalar()?.text)).collect(),
        _ => text(Some(entry)).into_iter().collect(),
    }
}

fn one_line(text: &str) -> Option<String> {
    let words: Vec<_> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}
