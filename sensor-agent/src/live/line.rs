//! An event or an alert in one line for people.

use schema::{EventType, Outcome};

use super::Placed;
use crate::alert::Alert;
use crate::control::Line;
use crate::event::fields::{self, base_name};
use crate::event::json::{as_line, lossless};
use crate::event::{Detail, Event, Host, Process, Value};

/// How many ancestors are named.
const ANCESTORS: usize = 3;
/// How much of the arguments, of a field, of a name is shown: bytes, roughly.
const SHOWN: usize = 1024;
const SHOWN_OF_FIELD: usize = 256;
const SHOWN_OF_NAME: usize = 64;

/// The line of an event.
#[must_use]
pub fn of_event(event: &Event, host: &Host) -> Line {
    let process = &*event.process;
    let word = event.kind.word();
    Line {
        time: event.time,
        kind: word.strip_prefix("PROCESS_EVENT_TYPE_").unwrap_or(word).to_lowercase(),
        failed: event.outcome() == Outcome::Failure,
        priority: None,
        policy: None,
        incident: process.incident.is_some(),
        pid: process.key.tgid,
        user: user(process),
        container: container(process),
        lineage: process.ancestors().take(ANCESTORS).map(|ancestor| name(&ancestor.image.path)).collect(),
        lineage_goes_on: process.depth as usize > ANCESTORS || process.lineage_cut,
        depth: 0,
        text: text(event, host),
    }
}

/// The line of an alert: that of its event, and which policy it violated.
#[must_use]
pub fn of_alert(alert: &Alert) -> Line {
    Line {
        kind: alert.policy.message_type.word().to_owned(),
        priority: Some(alert.policy.priority.word().to_owned()),
        policy: Some(alert.policy.name.clone()),
        ..of_event(&alert.event, &alert.host)
    }
}

/// The line of a running process at its place in a tree; `found` tells of it alone.
#[must_use]
pub fn of_process(found: &Event, host: &Host, placed: &Placed<'_>) -> Line {
    let process = &*found.process;
    let comm = || format!("[{}]", lossless(&process.image.comm));
    let line = of_event(found, host);
    Line {
        time: if host.boot_time == 0 { 0 } else { host.boot_time.saturating_add(process.key.start) },
        kind: "process".to_owned(),
        lineage: placed.between.iter().take(ANCESTORS).map(|ended| name(&ended.image.path)).collect(),
        lineage_goes_on: placed.between.len() > ANCESTORS,
        depth: placed.depth,
        // A thread of the kernel has no program.
        text: if line.text.is_empty() { comm() } else { line.text },
        ..line
    }
}

fn user(process: &Process) -> String {
    let uid = process.ids.uid;
    let user = process.user.as_deref().map_or_else(|| uid.to_string(), str::to_owned);
    if process.ids.euid == uid { user } else { format!("{user} (euid {})", process.ids.euid) }
}

fn container(process: &Process) -> Option<String> {
    let Some(container) = process.container.as_deref() else {
        return process.container_unknown.then(|| "?".to_owned());
    };
    Some(container.shown().to_owned())
}

fn name(path: &[u8]) -> String {
    let name = base_name(path);
    if name.is_empty() { "?".to_owned() } else { shown(name, SHOWN_OF_NAME) }
}

/// What happened: the program, what it was given, and what is of this kind of event alone.
fn text(event: &Event, host: &Host) -> String {
    let image = &event.process.image;
    let mut text = shown(&image.path, SHOWN);
    if let Some(script) = image.script() {
        text = format!("{text} {}", shown(script, SHOWN));
    }
    if matches!(event.kind, EventType::Exec | EventType::Baseline | EventType::ExecFailed) {
        push_arguments(&mut text, event);
    }
    for part in event.kind.described().parts {
        let value = fields::by_column(part.column).map_or(Value::Absent, |field| field.of(event, host));
        if let Some(value) = as_line(value) {
            text.push_str(&format!(" {}={}", part.name, quoted(&shown(value.as_bytes(), SHOWN_OF_FIELD))));
        }
    }
    if let Detail::Exit { core_dumped: true, .. } = event.detail {
        text.push_str(" (core dumped)");
    }
    text.trim_start().to_owned()
}

fn push_arguments(text: &mut String, event: &Event) {
    let image = &event.process.image;
    let mut arguments = image.args.iter();
    // What a program is called by whoever started it is told where it is not what it is.
    let called = arguments.next().unwrap_or_default();
    if !called.is_empty() && base_name(called) != base_name(&image.path) && image.script().is_none() {
        text.push_str(&format!(" [called {}]", quoted(&shown(called, SHOWN_OF_NAME))));
    }
    let (mut told, mut left_out) = (0, 0);
    for argument in arguments {
        if told >= SHOWN {
            left_out += 1;
            continue;
        }
        told += argument.len() + 1;
        text.push(' ');
        text.push_str(&quoted(&shown(argument, SHOWN)));
    }
    if left_out > 0 || image.args.is_cut() {
        text.push_str(" …");
    }
}

/// The beginning of a text.
fn shown(text: &[u8], most: usize) -> String {
    match text.get(..most) {
        Some(beginning) if text.len() > most => format!("{}…", lossless(beginning)),
        _ => lossless(text).into_owned(),
    }
}

/// As a shell would need it, so that it shows where one argument ends.
fn quoted(text: &str) -> String {
    let is_plain = |char: char| !char.is_whitespace() && !matches!(char, '\'' | '"' | '|' | '&' | ';' | '<' | '>');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::event::build::build;

    fn line(event: serde_json::Value) -> Line {
        let (event, host) = build(&event).unwrap();
        of_event(&event, &host)
    }

    #[test]
    fn an_exec_says_who_ran_what() {
        let line = line(json!({
            "programName": "/usr/bin/curl", "args": ["curl", "-s", "a b", ""], "processPid": 7, "uid": 1000, "euid": 0,
            "userName": "deploy", "containerId": "0123456789abcdef",
            "lineage": [{"programName": "/bin/bash"}, {"programName": "/usr/sbin/sshd"}, {}, {}],
        }));
        assert_eq!(line.text, "/usr/bin/curl -s 'a b' ''");
        assert_eq!((line.kind.as_str(), line.pid, line.user.as_str()), ("exec", 7, "deploy (euid 0)"));
        assert_eq!(line.container.as_deref(), Some("0123456789ab"));
        assert_eq!((line.lineage, line.lineage_goes_on), (vec!["bash".into(), "sshd".into(), "?".into()], true));
    }

    #[test]
    fn a_false_name_and_a_script_are_told() {
        let text = |event| line(event).text;
        let disguised = json!({"programName": "/tmp/x", "args": ["[kworker/0:1]", "-q"]});
        assert_eq!(text(disguised), "/tmp/x [called [kworker/0:1]] -q");
        let script = json!({"programName": "/bin/sh", "scriptPath": "/opt/a.sh", "args": ["/bin/sh", "./a.sh", "1"]});
        assert_eq!(text(script), "/bin/sh /opt/a.sh ./a.sh 1");
    }

    #[test]
    fn what_is_of_the_kind_alone_goes_by_the_names_of_rules() {
        let exit = line(json!({"eventType": "PROCESS_EVENT_TYPE_EXIT", "programName": "/bin/false", "exitCode": 1}));
        assert_eq!((exit.kind.as_str(), exit.text.as_str()), ("exit", "/bin/false exitCode=1"));
        let failed = line(json!({"filePath": "./x", "errno": 13}));
        assert!(failed.failed && failed.text.contains("filePath=./x errno=13"), "{}", failed.text);
    }

    proptest! {
        #[test]
        fn a_line_is_short_whatever_a_program_is_given(args in prop::collection::vec(prop::collection::vec(1_u8.., 0..3000), 0..8)) {
            let args: Vec<String> = args.iter().map(|bytes| lossless(bytes).into_owned()).collect();
            let line = line(json!({"programName": "/x", "args": args}));
            // Four characters of text for a byte that is none, four for a quote.
            prop_assert!(line.text.len() < 4 * 3 * (SHOWN + 64), "{}", line.text.len());
        }
    }
}
