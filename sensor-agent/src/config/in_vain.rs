//! Settings that are right, each for itself, and without effect as things are.

use std::path::Path;

use diagnostic::{Report, nearest};
use settings::{FromText, Node, Section};

use super::Config;
use super::policy::{ContentGroup, Policy};

/// Where files are is said by the main file, before the others are read.
pub(crate) fn paths(root: &Node, report: &mut Report) {
    for entry in root.entries().iter().filter(|entry| entry.key.value == "paths" && !entry.value.is_null()) {
        report
            .warning(entry.key.span.clone(), "`paths` is read in the main file alone")
            .label("without effect here")
            .help("put it into runtimedetections.yaml, or use the options of the command line");
    }
}

/// Content groups that are asked for and have no detection, or are on already.
pub(crate) fn groups(config: &Config, top: &Section<'_>, report: &mut Report) {
    let groups: Vec<&ContentGroup> =
        config.policies.iter().filter_map(|policy| policy.content_group.as_ref()).collect();
    // Without content there is nothing to compare with, which is told by itself.
    if groups.is_empty() {
        return;
    }
    let mut known: Vec<String> = groups
        .iter()
        .flat_map(|group| (1..=group.parts().len()).map(|length| group.parts()[..length].join(".")))
        .collect();
    known.sort_unstable();
    known.dedup();
    let mut before: Vec<ContentGroup> = Vec::new();
    let written = top.texts("enabled_content_groups");
    let all: Vec<Option<ContentGroup>> = written.iter().map(|text| ContentGroup::from_text(&text.value).ok()).collect();
    for (text, group) in written.iter().zip(&all) {
        let Some(group) = group else { continue };
        let wider = all.iter().flatten().find(|other| *other != group && group.is_within(other));
        let again = before.iter().find(|other| group.is_within(other));
        if group.parts().len() > 1 && !groups.iter().any(|other| other.is_within(group)) {
            let help = match nearest(&group.path(), known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the groups are {}", known.join(", ")),
            };
            report
                .warning(text.span.clone(), format!("no detection is in the content group `{}`", text.value))
                .label("switches nothing on")
                .help(help);
        } else if let Some(other) = wider.or(again) {
            report
                .warning(text.span.clone(), format!("`{}` is on already", text.value))
                .label(format!("part of `{}`", other.path()))
                .help("keep the narrower one to have that part alone, or the wider one for all of it");
        }
        before.push(group.clone());
    }
}

/// What is said of secrets while none is taken out.
pub(crate) fn redaction(config: &Config, section: &Section<'_>, report: &mut Report) {
    let settings = &config.redaction;
    let why = if !settings.enabled {
        "`redaction.enabled` is false"
    } else if !settings.defaults && settings.patterns.is_empty() {
        "there is no pattern"
    } else {
        return;
    };
    for key in ["defaults", "patterns", "exceptions"] {
        if let Some(span) = section.span(key) {
            report
                .warning(span, format!("nothing is taken out of what is told: {why}"))
                .label("without effect")
                .help("take the key out, or have secrets taken out");
        }
    }
}

/// What policies may do while none does anything.
pub(crate) fn response(config: &Config, section: &Section<'_>, report: &mut Report) {
    if config.response.enabled {
        if !config.policies.iter().any(|policy| policy.enabled && policy.actions().next().is_some()) {
            report
                .warning(section.span("enabled"), "no policy that is on asks for an action")
                .label("the sensor keeps the right to end programs, and has no use for it")
                .help("name what is to be done in a policy's `responseActions`, or take `response` out");
        }
        return;
    }
    for key in ["actions_per_minute", "protected"] {
        if let Some(span) = section.span(key) {
            report
                .warning(span, "nothing is done about anything: `response.enabled` is false")
                .label("without effect")
                .help("take the key out, or add `enabled: true` to `response`");
        }
    }
}

/// Types of policies that are asked for and of which nothing is shipped.
pub(crate) fn types(config: &Config, top: &Section<'_>, report: &mut Report) {
    let is_shipped =
        |policy: &&Policy| Path::new(report.source_name(policy.rules_span.source)) == config.locations.content;
    let shipped: Vec<&str> = config.policies.iter().filter(is_shipped).map(|policy| policy.policy_type.word).collect();
    // Without content there is nothing to compare with, which is told by itself.
    if shipped.is_empty() {
        return;
    }
    for word in top.texts("enabled_policy_types") {
        if !shipped.iter().any(|shipped| shipped.eq_ignore_ascii_case(&word.value)) {
            report
                .warning(word.span.clone(), format!("no shipped detection is of the type `{}`", word.value))
                .label("switches nothing on");
        }
    }
}

/// What is set up and was never switched on, and what nothing makes use of.
pub(crate) fn switches(config: &Config, top: &Section<'_>, report: &mut Report) {
    let mut off = |section: &Section<'_>, at: &str, name: &str, what: &str| {
        if section.node("enabled").is_none()
            && let Some(node) = section.node(at)
        {
            report
                .warning(node.span.clone(), format!("`{name}` is not switched on: {what}"))
                .label("without effect")
                .help(format!("add `enabled: true` to `{name}`; `enabled: false` says that it is meant so"));
        }
    };
    let investigations = top.section("investigations");
    off(&top.section("mcs"), "url", "mcs", "nothing connects to it");
    off(&top.section("crisensor"), "addr", "crisensor", "nobody asks there");
    let recorder = investigations.section("flight_recorder");
    off(&recorder, "tables", "flight_recorder", "nothing is recorded");
    if config.crisensor.enabled && config.crisensor.addr.is_none() {
        report
            .warning(
                top.section("crisensor").span("enabled"),
                "`crisensor` is switched on and names no socket: those at the usual places are asked, as they are without it",
            )
            .label("without effect")
            .help("add `addr: \"unix:///run/docker.sock\"` to ask that one alone, or take `enabled` out");
    }
    let recorder_is_forgotten = recorder.node("enabled").is_none() && recorder.node("tables").is_none();
    if let Some(sink) = config.investigations.sinks.first().filter(|_| recorder_is_forgotten) {
        report
            .warning(sink.span.clone(), "no rows go to this sink: the flight recorder is not switched on")
            .label("gets nothing")
            .help("add `flight_recorder: {enabled: true}` to `investigations`");
    }
    topics(config, report);
}

/// Topics that nothing is ever sent under.
fn topics(config: &Config, report: &mut Report) {
    let investigations = &config.investigations;
    let sent = investigations.sinks.iter().any(|sink| sink.target.has_topics());
    for topic in &investigations.topics {
        let recorded =
            investigations.flight_recorder.tables.iter().find(|table| std::ptr::eq(table.table, topic.table));
        let why = match recorded {
            _ if !sent => "no sink of backend `zeromq` or `mcs` is there".to_owned(),
            None => format!("the table `{}` is not among those that are recorded", topic.table.name),
            Some(table) if !table.enabled => format!("the table `{}` is switched off", topic.table.name),
            Some(_) => continue,
        };
        report
            .warning(topic.topic.span.clone(), format!("nothing goes under this topic: {why}"))
            .label("without effect")
            .help("take the topic out, or add what it is for");
    }
}
