//! Every setting of every output and sink, from the configuration file to its effect.
//!
//! A key without a test here fails [`every_key_has_a_test`]. Outputs and sinks run in this process, as the sensor runs
//! them; receivers are real sockets.

mod all;
mod files;
mod parquet;
mod requests;
mod splunk;
mod syslog;
mod webhook;
mod zeromq;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use delivery::ledger::OutputStatus;
use diagnostic::Report;
use schema::Table;
use sensor_agent::alert::Alert;
use sensor_agent::config::{self, Paths};
use sensor_agent::event::{Event, Host, build};
use sensor_agent::output::{Dispatcher, RowBatch, Sinks};
use sensor_agent::plan::{Plan, plan};
use sensor_agent::policy::{MessageType, Policy};
use serde_json::json;
use settings::Environment;
use tempfile::TempDir;

/// A key, and the test of what it does.
type Effect = (&'static str, fn());

/// By the titles of the manual.
const EFFECTS: &[(&str, &[Effect])] = &[
    ("Outputs", all::OUTPUTS),
    ("type: stdout", &[]),
    ("type: file", files::OUTPUT),
    ("type: syslog", syslog::OUTPUT),
    ("type: webhook", webhook::OUTPUT),
    ("type: mcs", &[]),
    ("type: zeromq", zeromq::OUTPUT),
    ("type: splunk_hec", splunk::OUTPUT),
    ("Sinks", all::SINKS),
    ("backend: mcs", &[]),
    ("backend: zeromq", zeromq::SINK),
    ("backend: file", files::SINK),
    ("backend: stdout", files::STDOUT_SINK),
    ("backend: parquet", parquet::SINK),
];

/// The keys that the manual has of outputs and sinks, by title.
fn keys() -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut title = String::new();
    for line in config::reference().lines() {
        if let Some(text) = line.strip_prefix("### ").or_else(|| line.strip_prefix("#### ")) {
            title = text.trim_matches('`').to_owned();
            keys.entry(title.clone()).or_default();
        } else if let Some((key, _)) = line.strip_prefix("| `").and_then(|rest| rest.split_once('`')) {
            keys.entry(title.clone()).or_default().insert(key.to_owned());
        }
    }
    keys.retain(|title, _| {
        ["Outputs", "Sinks"].contains(&title.as_str()) || title.starts_with("type:") || title.starts_with("backend:")
    });
    keys
}

#[test]
fn every_key_has_a_test() {
    let tested: BTreeMap<String, BTreeSet<String>> = EFFECTS
        .iter()
        .map(|(title, effects)| {
            ((*title).to_owned(), effects.iter().map(|(key, _)| (*key).to_owned()).collect::<BTreeSet<_>>())
        })
        .collect();
    assert_eq!(keys(), tested);
}

/// A key of one type does nothing on another: whoever writes it there expects that it does.
#[test]
fn a_key_of_another_type_is_an_error() {
    let keys = keys();
    let place = Place::new();
    for (word, list) in [("type: ", "alert_output: {outputs: ["), ("backend: ", "investigations: {sinks: [")] {
        let of = |title: &str| title.strip_prefix(word).map(str::to_owned);
        let types: Vec<(String, &BTreeSet<String>)> =
            keys.iter().filter_map(|(title, keys)| Some((of(title)?, keys))).collect();
        let all: BTreeSet<&String> = types.iter().flat_map(|(_, keys)| *keys).collect();
        for (name, own) in &types {
            for key in all.iter().filter(|key| !own.contains(**key)) {
                let (_, report) = place.plan(&format!("{list}{{{word}{name}, name: /tmp/x, {key}: 1}}]}}\n"));
                let told = report.to_string();
                assert!(
                    told.lines()
                        .any(|line| line.contains("error") && line.contains(&format!("`{key}` has no effect on"))),
                    "{word}{name} {key}: {told}"
                );
            }
        }
    }
}

/// A folder with a configuration, and what it makes.
pub(super) struct Place {
    folder: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// What a configuration makes, and what is said of it. `@HERE@` is the folder.
    pub(super) fn plan(&self, text: &str) -> (Plan, Report) {
        let write = |name: &str, text: &str| {
            fs::write(self.path(name), text.replace("@HERE@", &self.folder.path().display().to_string()))
                .expect("a file");
            Some(self.path(name))
        };
        let paths = Paths {
            main: write("main.yaml", text),
            content: write("content.yaml", ""),
            rules: write("rules.yaml", ""),
            state_dir: Some(self.path("state")),
            run_dir: Some(self.path("run")),
        };
        let mut report = Report::default();
        let config = config::load(&paths, &Environment::default(), &mut report);
        let plan = plan(&config, &mut report);
        (plan, report)
    }

    fn right(&self, text: &str) -> Plan {
        let (plan, report) = self.plan(text);
        assert!(!report.has_errors(), "{report}");
        plan
    }

    /// Starts outputs, as the list of them says.
    pub(super) fn outputs(&self, list: &str) -> Dispatcher {
        Dispatcher::start(self.right(&outputs(list)).outputs).expect("they start")
    }

    /// Starts sinks, as the list of them says.
    pub(super) fn sinks(&self, list: &str) -> Sinks {
        Sinks::start(self.right(&sinks(list)).sinks).expect("they start")
    }

    /// What is said of outputs that are refused.
    pub(super) fn refused(&self, list: &str) -> String {
        let (_, report) = self.plan(&outputs(list));
        assert!(report.has_errors(), "{list}");
        report.to_string()
    }

    /// The same of an output or a sink.
    pub(super) fn told(&self, entry: &str) -> String {
        if !entry.contains("backend:") {
            return self.refused(entry);
        }
        let (_, report) = self.plan(&sinks(entry));
        assert!(report.has_errors(), "{entry}");
        report.to_string()
    }
}

fn outputs(list: &str) -> String {
    format!("alert_output:\n  outputs: [{list}]\n")
}

fn sinks(list: &str) -> String {
    format!("investigations:\n  sinks: [{list}]\n")
}

/// The state of the only output.
pub(super) fn status(outputs: &Dispatcher) -> OutputStatus {
    outputs.status().remove(0)
}

fn event(arguments: usize) -> (Event, Host) {
    let long = "\\x01".repeat(arguments);
    build::build(&json!({
        "eventType": "PROCESS_EVENT_TYPE_EXEC", "time": 1_700_000_000_123_456_789_u64, "sophosPid": "7:5",
        "programName": "/usr/bin/probe", "args": ["probe", long], "hostname": "host.example",
    }))
    .unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// An alert of this kind on a program with so many arguments of a byte each that take much room.
pub(super) fn alert_of(message_type: MessageType, arguments: usize) -> Arc<Alert> {
    let (event, host) = event(arguments);
    let policy = Policy { name: "Each".into(), policy_type: "program".into(), message_type, ..Policy::default() };
    Arc::new(Alert::new(Arc::new(policy), "match uid == 0".into(), event, Arc::new(host)))
}

pub(super) fn alert() -> Arc<Alert> {
    alert_of(MessageType::Alert, 0)
}

/// Rows of a table.
pub(super) fn rows(count: usize) -> RowBatch {
    let (event, host) = event(0);
    let table = Table::by_name("process_events").expect("the table");
    RowBatch { table, events: vec![event; count], host: Arc::new(host) }
}
