//! The configuration.

use super::{Finding, folders};
use crate::config::Config;
use crate::diagnostic::{Appearance, Report};
use crate::plan::Plan;

pub(super) fn examine(config: &Config, plan: &Plan, report: &Report) -> Vec<Finding> {
    let mut found = Vec::new();
    let text = report.render(Appearance::PLAIN);
    if report.has_errors() {
        found.push(Finding::failure(
            "configuration",
            text.trim_end(),
            "correct it; sophoslinuxsensor -check says when it is right",
        ));
    } else if !report.diagnostics().is_empty() {
        found.push(Finding::warning("configuration", text.trim_end(), "see what each of them says"));
    } else {
        found.push(Finding::fine("configuration", format!("{} policies are on", plan.policies.len())));
    }
    if !report.has_errors() {
        if plan.policies.is_empty() {
            found.push(Finding::warning(
                "configuration",
                "no policy is on: there will be no alerts",
                "install sophoslinuxsensor-content, or write policies of your own",
            ));
        }
        if plan.outputs.is_empty() {
            found.push(Finding::warning(
                "configuration",
                "no output is enabled: alerts go nowhere",
                "name one in alert_output.outputs, such as {type: stdout, enabled: true}",
            ));
        }
    }
    found.extend(folders::examine(config));
    found
}
