//! `-check`: validates the configuration and prints what would run.

use std::fmt::Write as _;

use super::{configured, paths, print};
use crate::cli::{Exit, Options};
use crate::config::Config;
use crate::output::TargetSettings;
use crate::plan::Plan;
use crate::terminal::printable;

pub(super) fn check(options: &Options, strict: bool) -> Exit {
    match configured(&paths(options), strict) {
        Ok((config, plan)) => print(&summary(&config, &plan)),
        Err(_) => Exit::Config,
    }
}

fn summary(config: &Config, plan: &Plan) -> String {
    let mut out = String::from("The configuration is right.\n\nFiles\n");
    let locations = &config.locations;
    for (what, path) in [("content", &locations.content), ("main", &locations.main), ("rules", &locations.rules)] {
        let missing = if path.exists() { "" } else { " (missing)" };
        let _ = writeln!(out, "  {what:<8} {}{missing}", printable(&path.display().to_string()));
    }
    let off = config.policies.len() - plan.policies.len();
    let _ = writeln!(out, "\nPolicies: {} on, {off} off or not built yet", plan.policies.len());
    for policy in &plan.policies {
        let name = printable(&policy.name);
        let _ =
            writeln!(out, "  {:<6} {:<8} {name} ({} rules)", policy.priority.word(), policy.policy_type, policy.rules);
    }
    out.push_str("\nTables\n");
    for table in plan.setup.recorder.status() {
        let _ = writeln!(out, "  {} ({} rows)", table.table, table.capacity);
    }
    let _ = writeln!(out, "\nRows go out every {:?} to", plan.setup.reporting_interval);
    for sink in &plan.sinks {
        let notes = trust(&sink.target) + &shut(&sink.name, &sink.target);
        let _ = writeln!(out, "  {} ({}){notes}", printable(&sink.name), sink.target.kind());
    }
    out.push_str("\nAlerts go to\n");
    for output in &plan.outputs {
        let notes = trust(&output.target) + &shut(&output.name, &output.target);
        let _ = writeln!(out, "  {} ({}){notes}", printable(&output.name), output.target.kind());
    }
    out
}

/// Why it could not be opened now: no fault of the configuration, for that can change while the sensor runs.
fn shut(name: &str, target: &TargetSettings) -> String {
    let Err(error) = target.check(name) else { return String::new() };
    format!("\n    NOTE: {}; the sensor starts, and what this one is to get waits", printable(&error.why()))
}

/// Whether Central would be trusted: with its trust files as they are now.
fn trust(target: &TargetSettings) -> String {
    let TargetSettings::Mcs(central) = target else { return String::new() };
    let mut text = format!(" at {}, trusted by {}", central.url, central.certs_dir.display());
    for trouble in central.trouble_with_trust() {
        let _ = write!(text, "\n    NOTE: {trouble}");
    }
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}
