//! Where items go: whether it can be reached, and whether there is room.

use std::path::Path;

use diagnostic::finding::Finding;

use super::super::check::{reach, there};
use crate::{config::Config, destination::Destination};

/// Less is little, bytes.
const LOW: u64 = 256 << 20;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    for output in &config.outputs {
        let name = &output.name;
        found.push(match (reach(output), &output.destination) {
            (Ok(place), _) => Finding::fine("outputs", format!("{name}: {place}")),
            (Err(reason), Destination::Receiver(receiver)) if receiver.folder().is_none() => Finding::failure(
                "outputs",
                format!("{name}: {reason}"),
                "see that the receiver runs, that firewalls let this host through, and what the reason asks for",
            ),
            (Err(reason), _) => Finding::failure(
                "outputs",
                format!("{name}: {reason}"),
                "let the user of the service write there; a unit needs it in ReadWritePaths= as well",
            ),
        });
    }
    let files = config.outputs.iter().filter_map(|output| match &output.destination {
        Destination::File(file) => Some(file.path.as_path()),
        Destination::Stdout => None,
        Destination::Receiver(receiver) => receiver.folder(),
    });
    let mut folders: Vec<&Path> = files.chain([config.state.as_path(), &config.dead_letters]).map(there).collect();
    folders.sort_unstable();
    folders.dedup();
    found.extend(folders.into_iter().map(room));
    found
}

fn room(folder: &Path) -> Finding {
    let shown = folder.display();
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let text = format!("{shown}: {} MB free", free >> 20);
            if free < LOW {
                let fix = "make room: an output whose disk is full stays where it is, and Central keeps 24 hours";
                Finding::warning("disk", text, fix)
            } else {
                Finding::fine("disk", text)
            }
        }
        Err(error) => Finding::failure("disk", format!("{shown}: {error}"), "make the folder"),
    }
}
