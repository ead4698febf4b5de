//! What a configuration leaves undone, though nothing in it is wrong.

use std::path::Path;

use diagnostic::Report;

use super::Plan;
use crate::config::Config;
use crate::silent::{NO_OUTPUT, NO_POLICY, sentences};

/// Says that there is nothing to alert on, or nobody to tell, and that the shipped detections are missing.
///
/// A report of its own: nothing that was written is wrong, so strictness has nothing to refuse.
#[must_use]
pub fn gaps(config: &Config, plan: &Plan) -> Report {
    let mut report = Report::default();
    let content = &config.locations.content;
    if content != Path::new("") && !content.exists() && !config.enabled_content_groups.is_empty() {
        report
            .warning(None, format!("{}: the shipped detections are missing, and none of them is on", content.display()))
            .help(
                "install sophoslinuxsensor-content, or name the file with -content; `enabled_content_groups: []` says that \
                 none is wanted",
            );
    }
    for sentence in sentences(plan.policies.len(), plan.outputs.len()) {
        report.warning(None, sentence).help(match sentence {
            NO_POLICY => "install sophoslinuxsensor-content, or write policies of your own",
            NO_OUTPUT => "name one in `alert_output.outputs`, such as `{type: stdout, enabled: true}`",
            _ => "see docs/configuration.md",
        });
    }
    report
}
