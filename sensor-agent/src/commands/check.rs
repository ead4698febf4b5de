//! `-check`: validates the configuration and prints what would run.

use std::fmt::Write as _;
use std::sync::Arc;

use delivery::open_error::OpenError;
use diagnostic::terminal::counted;
use diagnostic::{Report, printable};
use serde_json::json;

use super::{configured, paths, print, read};
use crate::cli::{Exit, Options};
use crate::config::Config;
use crate::output::{OutputSettings, SinkSettings, Target};
use crate::plan::{Plan, gaps};
use crate::silent;

pub(super) fn check(options: &Options, strict: bool, json: bool) -> Exit {
    if json {
        return findings(options, strict);
    }
    match configured(&paths(options), strict) {
        Ok((config, plan)) => print(&summary(&config, &plan)),
        Err(_) => Exit::Config,
    }
}

/// All that is to be said of the configuration, for programs.
fn findings(options: &Options, strict: bool) -> Exit {
    let (report, (config, plan)) = read(&paths(options), strict);
    let is_right = !report.has_errors();
    let gaps = if is_right { gaps(&config, &plan) } else { Report::default() };
    let findings: Vec<_> = report.located().into_iter().chain(gaps.located()).collect();
    let text = json!({ "right": is_right, "findings": findings });
    match print(&format!("{text:#}\n")) {
        Exit::Fine if !is_right => Exit::Config,
        exit => exit,
    }
}

fn summary(config: &Config, plan: &Plan) -> String {
    let mut out = String::from("The configuration is right.\n");
    for sentence in silent::sentences(plan.policies.len(), plan.outputs.len()) {
        let _ = writeln!(out, "WARNING: {sentence}");
    }
    section(&mut out, "Files", files(config));
    let (on, off) = (plan.policies.len(), plan.off.len());
    let policies = plan.policies.iter().map(|policy| {
        let rules = counted(policy.rules, "rule", "rules");
        format!("{:<6} {:<8} {} ({rules})", policy.priority.word(), policy.policy_type, printable(&policy.name))
    });
    section(&mut out, &format!("Policies: {on} on, {off} off"), policies);
    section(
        &mut out,
        "Off",
        plan.off.iter().map(|policy| format!("{}: {}", printable(&policy.name), printable(&policy.why))),
    );
    let tables = plan.setup.recorder.status().into_iter();
    section(&mut out, "Tables", tables.map(|table| format!("{} ({} rows)", table.table, table.capacity)));
    let every = format!("Rows go out every {:?} to", plan.setup.reporting_interval);
    section(&mut out, &every, plan.sinks.iter().map(|SinkSettings { name, target, .. }| place(name, &**target)));
    section(
        &mut out,
        "Alerts go to",
        plan.outputs.iter().map(|OutputSettings { name, target, .. }| place(name, &**target)),
    );
    out
}

/// A heading and what stands under it; without that, neither.
fn section(out: &mut String, heading: &str, lines: impl IntoIterator<Item = String>) {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_some() {
        let _ = writeln!(out, "\n{heading}");
    }
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

fn files(config: &Config) -> Vec<String> {
    let locations = &config.locations;
    let files = [("content", &locations.content), ("main", &locations.main), ("rules", &locations.rules)];
    let file = |(what, path): (&str, &std::path::PathBuf)| {
        let missing = if path.exists() { "" } else { " (missing)" };
        format!("{what:<8} {}{missing}", printable(&path.display().to_string()))
    };
    files.map(file).into()
}

fn place(name: &str, target: &dyn Target) -> String {
    let remarks = target.remarks();
    let remarks: Vec<_> = remarks.lines().map(printable).collect();
    format!("{} ({}){}{}", printable(name), target.kind(), remarks.join("\n"), shut(name, target))
}

/// Why it could not be opened now: no fault of the configuration, for that can change while the sensor runs.
fn shut(name: &str, target: &dyn Target) -> String {
    let Err(reason) = target.check() else { return String::new() };
    let error = OpenError { name: name.to_owned(), place: target.place(), reason: Arc::new(reason) };
    format!("\n    NOTE: {}; the sensor starts, and queues what is for it", printable(&error.why()))
}
