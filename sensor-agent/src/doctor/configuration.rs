//! The configuration, and whether there is room for what it writes.

use std::path::{Path, PathBuf};

use super::Finding;
use crate::config::{Config, OutputSettings, SinkSettings};
use crate::diagnostic::{Appearance, Report};
use crate::plan::Plan;

/// Below this a disk counts as full: bytes.
const LOW: u64 = 256 << 20;

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
    for folder in folders(config) {
        found.push(room(&folder));
    }
    found
}

/// The folders that are written to, each once.
fn folders(config: &Config) -> Vec<PathBuf> {
    let mut folders = vec![config.locations.state_dir.clone()];
    let mut add = |path: &Path| {
        if let Some(folder) = path.parent()
            && !folders.iter().any(|known| known == folder)
        {
            folders.push(folder.to_owned());
        }
    };
    for output in config.alert_output.outputs.iter().filter(|output| output.enabled) {
        if let OutputSettings::File(file) = &output.settings {
            add(&file.path);
        }
    }
    for sink in &config.investigations.sinks {
        if let SinkSettings::File(file) = &sink.settings {
            add(&file.path);
        }
    }
    folders
}

fn room(folder: &Path) -> Finding {
    let shown = folder.display();
    // The sensor makes what is missing; the disk is that of the nearest folder that is there.
    let there = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(there) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let text = format!("{shown}: {} MB free", free >> 20);
            if free < LOW {
                Finding::warning(
                    "disk",
                    text,
                    "make room: what cannot be written waits in memory, and is lost when that is full",
                )
            } else if disk.f_files > 0 && disk.f_favail == 0 {
                Finding::warning("disk", format!("{shown}: no inodes left"), "remove files that nobody needs")
            } else {
                Finding::fine("disk", text)
            }
        }
        Err(error) => Finding::failure("disk", format!("{shown}: {error}"), "make the folder, owned by root"),
    }
}
