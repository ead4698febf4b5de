//! The configuration.

use diagnostic::terminal::counted;
use diagnostic::{Appearance, Diagnostic, Report};

use super::{Finding, folders};
use crate::config::Config;
use crate::plan::{Plan, gaps};

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
        found
            .push(Finding::fine("configuration", format!("{} on", counted(plan.policies.len(), "policy", "policies"))));
    }
    if !report.has_errors() {
        let gaps = gaps(config, plan);
        let told =
            |gap: &Diagnostic| Finding::warning("configuration", &gap.message, gap.help.as_deref().unwrap_or_default());
        found.extend(gaps.diagnostics().iter().map(told));
    }
    found.extend(folders::examine(config));
    found
}
