//! Exceptions that would have kept an alert back: the narrowest first, each tried on the alert and on those beside it.

use diagnostic::{Report, Span, Spanned};
use foldhash::HashMap;
use schema::{EventType, Seen, Type};
use serde_json::Value;
use uuid::Uuid;

use crate::event::build::{BuildError, build};
use crate::event::fields::{self, Field};
use crate::event::json::as_text;
use crate::event::{Event, Host};
use crate::redaction::MARK;
use crate::rules::{self, Chain, ChainIndex, Lists, MissingDefault, RuleSet, Verdict, escape, quoted};

/// Most characters of a command line that a rule names whole; of a longer one its beginning.
const LONG: usize = 300;
/// Where the middle of arguments is missing.
const CUT: &str = " … ";

/// An alert, read back from its JSON.
#[derive(Clone, Debug)]
pub struct PastAlert {
    pub uuid: Option<Uuid>,
    pub policy: String,
    /// As rules of its policy saw it, but for what was taken out.
    pub event: Event,
    pub host: Host,
}

/// Why something is no alert.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    #[error("this is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("this is no alert: it has no `strategy_name`")]
    NoAlert,
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Event(Vec<BuildError>),
}

impl PastAlert {
    /// Reads an alert as outputs of the format `json` have it.
    ///
    /// # Errors
    /// It is no JSON, or no alert.
    pub fn read(json: &[u8]) -> Result<Self, TellError> {
        let value: Value = serde_json::from_slice(json)?;
        let policy = value.get("strategy_name").and_then(Value::as_str).ok_or(TellError::NoAlert)?.to_owned();
        let (mut event, host) = build(&value).map_err(TellError::Event)?;
        if event.kind == EventType::ExecFailed {
            // To the rules it is a program that is being run.
            event.kind = EventType::Exec;
        }
        let uuid = value.get("uuid").and_then(Value::as_str).and_then(|text| text.parse().ok());
        Ok(Self { uuid, policy, event, host })
    }

    /// Who ran what, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let of = |name| fields::by_name(name).and_then(|field| as_text(field.of(&self.event, &self.host)));
        let user = of("userName").or_else(|| of("uid")).unwrap_or_else(|| "?".into());
        format!("{} by {user}", of("programName").unwrap_or_else(|| "?".into()))
    }
}

/// An exception that would have kept the alert back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What it asks for: *exactly this*, *whatever its arguments*.
    pub called: &'static str,
    /// `ignore` and a condition.
    pub rule: String,
    /// Of the other alerts of the policy, those that it would silence as well.
    pub others: usize,
    /// These by who ran what, the most frequent first.
    pub silenced: Vec<(String, usize)>,
}

/// What a condition may name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Program,
    Arguments,
    Parent,
    User,
    Place,
    /// What the event is about.
    Subject,
}

/// Proposals, the narrowest first; none that does not hold for the alert itself. `others` are alerts of any policy, this one
/// among them or not.
#[must_use]
pub fn proposals(alert: &PastAlert, others: &[PastAlert]) -> Vec<Proposal> {
    let mut parts = parts(alert);
    // What a rule cannot say, such as bytes that are no text, is left out.
    parts.retain(|(_, text)| {
        compiled(&format!("ignore {text}"), alert.event.kind).is_some_and(|rules| ignores(&rules, alert))
    });
    let all: &[Of] = &[Of::Program, Of::Arguments, Of::Parent, Of::User, Of::Place, Of::Subject];
    let without =
        |left_out: &'static [Of]| all.iter().copied().filter(move |of| !left_out.contains(of)).collect::<Vec<_>>();
    let kinds = [
        ("exactly this", without(&[])),
        ("whatever its arguments", without(&[Of::Arguments])),
        ("whoever runs it", without(&[Of::Arguments, Of::User])),
        ("wherever it comes from", without(&[Of::Arguments, Of::User, Of::Parent])),
    ];
    let mut proposals: Vec<Proposal> = Vec::new();
    for (called, named) in kinds {
        let named: Vec<&str> =
            parts.iter().filter(|(of, _)| named.contains(of)).map(|(_, text)| text.as_str()).collect();
        let rule = format!("ignore {}", named.join(" and "));
        if named.is_empty() || proposals.iter().any(|before| before.rule == rule) {
            continue;
        }
        let Some(rules) = compiled(&rule, alert.event.kind).filter(|rules| ignores(rules, alert)) else { continue };
        let is_other =
            |other: &&PastAlert| other.policy == alert.policy && (other.uuid.is_none() || other.uuid != alert.uuid);
        let silenced: Vec<String> = others
            .iter()
            .filter(is_other)
            .filter(|other| rules.sees(other.event.kind) && ignores(&rules, other))
            .map(PastAlert::summary)
            .collect();
        proposals.push(Proposal { called, rule, others: silenced.len(), silenced: counted(silenced) });
    }
    proposals
}

fn counted(texts: Vec<String>) -> Vec<(String, usize)> {
    let mut counts: HashMap<String, usize> = HashMap::default();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|(one, many), (other, more)| more.cmp(many).then_with(|| one.cmp(other)));
    counts
}

fn compiled(rule: &str, kind: EventType) -> Option<RuleSet> {
    let mut report = Report::default();
    let span = Span { source: report.add_source("exception", rule), bytes: 0..rule.len() };
    let rules = [Spanned { value: rule.to_owned(), span: span.clone(), verbatim: true }];
    let on_missing_default = MissingDefault::Is(Verdict::Match);
    let chain = Chain { name: "exception", rules: &rules, span: &span, on_missing_default };
    let rules = rules::compile(Seen::only(kind), &[chain], &Lists::default(), &mut report);
    (!report.has_errors()).then_some(rules)
}

fn ignores(rules: &RuleSet, told: &PastAlert) -> bool {
    rules.verdict(ChainIndex(0), &told.event, &told.host).is_some_and(|(verdict, _)| verdict == Verdict::Ignore)
}

/// Every condition that holds for an alert and may tell it from others.
fn parts(alert: &PastAlert) -> Vec<(Of, String)> {
    let (event, host) = (&alert.event, &alert.host);
    let text = |name: &str| fields::by_name(name).and_then(|field| as_text(field.of(event, host)));
    let is = |name: &str, text: &str| format!("{name} == {}", quoted(escape(text).as_bytes()));
    let mut parts = Vec::new();
    let mut put = |of, name: &str| {
        if let Some(value) = text(name) {
            parts.push((of, is(name, &value)));
        }
    };
    put(Of::Program, "programName");
    put(Of::Program, "scriptPath");
    if let Some(line) = text("commandLine") {
        parts.push((Of::Arguments, format!("commandLine == {}", quoted(line_glob(&line).as_bytes()))));
    }
    if let Some(parent) = event.process.parent.as_ref()
        && let Some(path) = fields::by_name("programName").and_then(|field| as_text(field.of_process(parent, host)))
    {
        parts.push((Of::Parent, is("lineage[0].programName", &path)));
    }
    match text("userName") {
        Some(name) => parts.push((Of::User, is("userName", &name))),
        None => parts.push((Of::User, format!("uid == {}", event.process.ids.uid))),
    }
    let mut put = |of, name: &str| {
        if let Some(value) = text(name) {
            parts.push((of, is(name, &value)));
        }
    };
    // An image stays the same from one container of it to the next.
    put(Of::Place, if text("imageName").is_some() { "imageName" } else { "containerName" });
    for field in subject(event.kind) {
        if let Some(value) = as_text(field.of(event, host)) {
            let value = if field.ty == Type::Number { value } else { quoted(escape(&value).as_bytes()) };
            parts.push((Of::Subject, format!("{} == {value}", field.name)));
        }
    }
    parts
}

/// Fields of the kind that say what it is about; not what is another one each time.
fn subject(kind: EventType) -> impl Iterator<Item = &'static Field> {
    let parts = kind.described().parts.iter().filter_map(|part| fields::by_column(part.column));
    parts.filter(|field| match field.ty {
        Type::Path | Type::Text | Type::Word(_) | Type::Address => field.name != "message",
        Type::Number => field.name == "dstPort",
        _ => false,
    })
}

/// A command line as a glob: `*` for what was taken out, for what is missing, and for the end of a long one.
fn line_glob(line: &str) -> String {
    let end = line.floor_char_boundary(LONG);
    let mut glob = escape(&line[..end]).replace(&escape(MARK), "*").replace(CUT, " * ");
    if end < line.len() {
        glob.push('*');
    }
    glob
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::alert::{Alert, json};
    use crate::policy::Policy;
    use crate::redaction::Redaction;

    fn past_alert(event: &Value, policy: &str) -> PastAlert {
        let (event, host) = build(event).unwrap();
        let policy = Arc::new(Policy { name: policy.to_owned(), ..Policy::default() });
        let alert = Alert::new(policy, "default match".into(), Redaction::default().event(&event), Arc::new(host));
        let mut out = Vec::new();
        json::write(&mut out, &alert, usize::MAX);
        PastAlert::read(&out).unwrap()
    }

    fn curl(args: &[&str], user: &str) -> Value {
        json!({"programName": "/usr/bin/curl", "args": args, "userName": user, "uid": 7, "processPid": 4,
               "lineage": [{"programName": "/bin/sh", "processPid": 3}]})
    }

    #[test]
    fn the_narrowest_comes_first_and_says_what_else_it_would_silence() {
        let alert = past_alert(&curl(&["curl", "-s", "https://a.test/*"], "bob"), "P");
        let others = [
            alert.clone(),
            past_alert(&curl(&["curl", "-s", "https://a.test/*"], "bob"), "P"),
            past_alert(&curl(&["curl", "-s", "https://a.test/b"], "bob"), "P"),
            past_alert(&curl(&["curl"], "eve"), "P"),
            past_alert(&curl(&["curl"], "bob"), "another"),
            past_alert(&json!({"programName": "/usr/bin/wget", "userName": "bob"}), "P"),
        ];
        let proposed = proposals(&alert, &others);
        let rules: Vec<(&str, &str, usize)> =
            proposed.iter().map(|it| (it.called, it.rule.as_str(), it.others)).collect();
        let curl = r#"ignore programName == "/usr/bin/curl""#;
        let parent = r#"lineage[0].programName == "/bin/sh""#;
        assert_eq!(
            rules,
            [
                (
                    "exactly this",
                    format!(
                        r#"{curl} and commandLine == "curl -s https://a.test/\\*" and {parent} and userName == "bob""#
                    )
                    .as_str(),
                    1
                ),
                ("whatever its arguments", format!(r#"{curl} and {parent} and userName == "bob""#).as_str(), 2),
                ("whoever runs it", format!("{curl} and {parent}").as_str(), 3),
                ("wherever it comes from", curl, 3),
            ]
        );
        assert_eq!(proposed[2].silenced, [("/usr/bin/curl by bob".into(), 2), ("/usr/bin/curl by eve".into(), 1)]);
    }

    #[test]
    fn what_was_taken_out_may_be_anything() {
        let alert = past_alert(&curl(&["curl", "--user=me", "--token=s3cr3t", "x"], "bob"), "P");
        let rule = proposals(&alert, &[]).remove(0).rule;
        assert!(rule.contains(r#"commandLine == "curl --user=me --token=* x""#), "{rule}");
    }

    #[test]
    fn each_kind_of_events_gets_one_that_holds() {
        for event in [
            json!({"eventType": "PROCESS_EVENT_TYPE_EXEC", "programName": "/a [b]\"\\c", "args": ["\u{1b}", "é", "\\xff", "x\ny"]}),
            json!({"programName": "/bin/x", "args": ["x".repeat(2000)], "imageName": "img:1", "isContainer": true}),
            json!({"programName": "/usr/bin/sudo", "messageTypeName": "USER_CMD", "message": "cmd=6C73 res=success"}),
            json!({"programName": "/bin/gdb", "targetPid": 7, "targetProgramName": "/bin/y", "traceRequest": "attach"}),
            json!({}),
        ] {
            let alert = past_alert(&event, "P");
            assert!(proposals(&alert, &[]).first().is_some_and(|first| first.called == "exactly this"), "{event}");
        }
    }

    #[test]
    fn what_is_no_alert_is_told() {
        assert!(matches!(PastAlert::read(b"{"), Err(TellError::Json(_))));
        assert!(matches!(PastAlert::read(b"{\"programName\": \"x\"}"), Err(TellError::NoAlert)));
    }
}
