//! Settings that are right, each for itself, and without effect as things are.

use diagnostic::{Report, nearest};
use settings::{FromText, Node, Section};

use super::Config;
use super::policy::ContentGroup;
use super::words::SinkBackend;

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
    let takes_topics = |backend| matches!(backend, SinkBackend::Zeromq | SinkBackend::Mcs);
    let sent = investigations.sinks.iter().any(|sink| takes_topics(sink.settings.backend()));
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
