//! Which events somebody wants to see.

use diagnostic::{Report, Severity, Span, Spanned, nearest};
use schema::Class;

use crate::control::Query;
use crate::event::{Event, Host, Process};
use crate::rules::{self, Chain, Lists, MissingDefault, RuleSet, Scratch, Verdict};

/// The events that somebody asks for.
#[derive(Debug)]
pub struct Filter {
    class: Option<Class>,
    pid: Option<u32>,
    container: Option<String>,
    /// Of each class, unless its events do not have the fields that are asked for; none without a condition.
    rules: Option<Vec<RuleSet>>,
    scratch: Scratch,
}

impl Filter {
    /// What a query asks for.
    ///
    /// # Errors
    /// What is wrong with it, with the place in the condition, ready to be shown. Without errors the report may still hold
    /// warnings.
    pub fn new(query: &Query) -> Result<(Self, Report), Report> {
        let mut report = Report::default();
        let class = query.class.as_deref().and_then(|name| {
            let class = Class::ALL.into_iter().find(|class| class.name() == name);
            if class.is_none() {
                let names = Class::ALL.map(Class::name);
                let near = nearest(name, names).map(|near| format!("did you mean {near}? "));
                report.error(None, format!("there is no class `{name}` of events")).help(format!(
                    "{}There are {}",
                    near.unwrap_or_default(),
                    names.join(", ")
                ));
            }
            class
        });
        let rules = query.filter.as_deref().and_then(|text| compile(text, class, &mut report));
        if report.has_errors() {
            return Err(report);
        }
        let (pid, container) = (query.pid, query.container.clone());
        Ok((Self { class, pid, container, rules, scratch: Scratch::default() }, report))
    }

    /// Whether this event is asked for. Allocates nothing.
    pub fn passes(&mut self, event: &Event, host: &Host) -> bool {
        let class = event.kind.class();
        let passes = self.class.is_none_or(|only| only == class)
            && self.pid.is_none_or(|pid| is_of(&event.process, pid))
            && self.container.as_deref().is_none_or(|name| is_in(&event.process, name));
        if !passes {
            return false;
        }
        let Some(rules) = &self.rules else { return true };
        let Some(rules) = rules.iter().find(|rules| rules.class() == class) else { return false };
        let mut matched = false;
        rules.matches(event, host, &mut self.scratch, &mut |_, _| matched = true);
        matched
    }

    /// The classes whose events can pass.
    pub fn classes(&self) -> impl Iterator<Item = Class> {
        let of_rules =
            |class: &Class| self.rules.as_ref().is_none_or(|rules| rules.iter().any(|rules| rules.class() == *class));
        Class::ALL.into_iter().filter(|class| self.class.is_none_or(|only| only == *class)).filter(of_rules)
    }
}

/// Whether a process is the one with this id, or comes of it.
fn is_of(process: &Process, pid: u32) -> bool {
    process.key.tgid == pid || process.ancestors().any(|ancestor| ancestor.key.tgid == pid)
}

fn is_in(process: &Process, name: &str) -> bool {
    process
        .container
        .as_deref()
        .is_some_and(|container| container.facts().name == name || container.id.starts_with(name))
}

/// The condition for the events of each class that have its fields. If none have, what is wrong with it for those that have
/// most of them.
fn compile(text: &str, class: Option<Class>, report: &mut Report) -> Option<Vec<RuleSet>> {
    let source = report.add_source("-filter", text);
    let span = |bytes| Span { source, bytes };
    if let [list, ..] = rules::lists_named(text).as_slice() {
        report
            .error(span(0..text.len()), format!("a filter knows no lists, and this names `${list}`"))
            .help("write the values: `uid in (0, 1000)`");
        return None;
    }
    let classes = Class::ALL.into_iter().filter(|each| class.is_none_or(|only| only == *each));
    let tried: Vec<(RuleSet, Report)> = classes.map(|class| of_class(class, text)).collect();
    let fewest = tried.iter().map(|(_, report)| report.error_count()).min()?;
    let (_, best) = tried.iter().find(|(_, report)| report.error_count() == fewest)?;
    let behind = behind(text);
    for found in best.diagnostics() {
        let at = |offset: usize| offset.saturating_sub(behind).min(text.len());
        let place = found.span.as_ref().map(|it| span(at(it.bytes.start)..at(it.bytes.end)));
        let told = report.add(found.severity, place, &found.message);
        told.label(&found.label).help.clone_from(&found.help);
    }
    let fits = |report: &Report| report.diagnostics().iter().all(|found| found.severity == Severity::Warning);
    Some(tried.into_iter().filter(|(_, report)| fits(report)).map(|(rules, _)| rules).collect())
}

/// What stands before a condition to make a rule of it.
const MATCH: &str = "match ";

/// How many bytes are put before this text.
fn behind(text: &str) -> usize {
    let is_rule = matches!(text.split_whitespace().next(), Some("match" | "ignore" | "default"));
    if is_rule { 0 } else { MATCH.len() }
}

fn of_class(class: Class, text: &str) -> (RuleSet, Report) {
    let mut report = Report::default();
    let rule = format!("{}{text}", &MATCH[..behind(text)]);
    // Who says what to leave out wants to see the rest.
    let otherwise = if text.split_whitespace().next() == Some("ignore") { Verdict::Match } else { Verdict::Ignore };
    let source = report.add_source("-filter", rule.as_str());
    let span = Span { source, bytes: 0..rule.len() };
    let rule = [Spanned { value: rule, span: span.clone(), verbatim: true }];
    let chain = Chain { name: "-filter", rules: &rule, span: &span, on_missing_default: MissingDefault::Is(otherwise) };
    let rules = rules::compile(class, &[chain], &Lists::default(), &mut report);
    (rules, report)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::event::build::build;

    fn filter(query: Query) -> Filter {
        Filter::new(&query).map_err(|report| report.to_string()).unwrap().0
    }

    fn condition(text: &str) -> Query {
        Query { filter: Some(text.into()), ..Query::default() }
    }

    fn passes(query: Query, event: serde_json::Value) -> bool {
        let (event, host) = build(&event).unwrap();
        filter(query).passes(&event, &host)
    }

    fn refusal(text: &str) -> String {
        Filter::new(&condition(text)).unwrap_err().to_string()
    }

    #[test]
    fn a_condition_or_a_rule_selects() {
        let curl = || json!({"programName": "/usr/bin/curl", "uid": 1000});
        for (text, expected) in [
            ("uid != 0 and programName == \"*/curl\"", true),
            ("uid == 0", false),
            ("match uid == 1000", true),
            ("ignore uid == 1000", false),
            ("ignore uid == 0", true),
            ("exitCode == 1", false),
        ] {
            assert_eq!(passes(condition(text), curl()), expected, "{text}");
        }
        assert!(passes(condition("exitCode == 1"), json!({"eventType": "PROCESS_EVENT_TYPE_EXIT", "exitCode": 1})));
        assert!(passes(Query::default(), curl()));
    }

    #[test]
    fn fields_of_one_class_leave_out_the_others() {
        let classes = |text: &str| filter(condition(text)).classes().map(Class::name).collect::<Vec<_>>();
        assert_eq!(classes("messageTypeName == \"USER_LOGIN\""), ["audit"]);
        assert_eq!(classes("uid == 0"), Class::ALL.map(Class::name));
        let of_bpf = Query { class: Some("bpf".into()), ..condition("uid == 0") };
        assert_eq!(filter(of_bpf).classes().map(Class::name).collect::<Vec<_>>(), ["bpf"]);
    }

    #[test]
    fn a_process_is_shown_with_what_it_started() {
        let of = |pid| Query { pid: Some(pid), ..Query::default() };
        let event = || json!({"processPid": 7, "lineage": [{"processPid": 5}, {"processPid": 1}]});
        assert!(passes(of(7), event()) && passes(of(5), event()) && !passes(of(6), event()));
    }

    #[test]
    fn a_container_goes_by_its_name_or_the_beginning_of_its_id() {
        let of = |name: &str| Query { container: Some(name.into()), ..Query::default() };
        let event = || json!({"containerId": "0123456789abcdef", "containerName": "web"});
        assert!(passes(of("web"), event()) && passes(of("0123456789ab"), event()));
        assert!(!passes(of("we"), event()) && !passes(of("web"), json!({"uid": 1})));
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let told = refusal("uid = 0");
        assert!(told.contains("--> -filter:1:5") && told.contains("did you mean `==`?"), "{told}");
        let told = refusal("uid == 0 and programname == \"x\"");
        assert!(told.contains("--> -filter:1:14") && told.contains("programName"), "{told}");
        assert!(refusal("uid in $Admins").contains("`$Admins`"));
        assert!(refusal("").contains("-filter"));
        let told = Filter::new(&Query { class: Some("proces".into()), ..Query::default() }).unwrap_err().to_string();
        assert!(told.contains("did you mean process?"), "{told}");
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_with_a_reason(text in r#"(match |ignore )?[\PC"$(),=! ]{0,40}"#) {
            if let Err(report) = Filter::new(&condition(&text)) {
                prop_assert!(report.has_errors());
                prop_assert!(!report.to_string().is_empty());
            }
        }
    }
}
