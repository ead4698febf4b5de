//! Spools that no output empties any more.

use std::{collections::HashSet, fs, path::Path, path::PathBuf};

use crate::output::{OutputSettings, SinkSettings};

/// Says in the log which spools in a folder (`alerts/…`, `rows/…`) belong to none of these: an output that was renamed
/// or taken out may have left alerts there.
pub fn tell_of_orphaned_spools(folder: &Path, outputs: &[OutputSettings], sinks: &[SinkSettings]) {
    for path in orphaned_spools(folder, outputs, sinks) {
        tracing::warn!(
            "no output or sink is configured any more for what waits in {}: configure it again under its old name, or \
             remove the folder",
            path.display()
        );
    }
}

fn orphaned_spools(folder: &Path, outputs: &[OutputSettings], sinks: &[SinkSettings]) -> Vec<PathBuf> {
    let of_outputs = outputs.iter().map(|output| output.spool.folder_of(output.target.kind(), &output.name));
    let of_sinks = sinks.iter().map(|sink| sink.spool.folder_of(sink.target.kind(), &sink.name));
    let known: HashSet<PathBuf> = of_outputs.chain(of_sinks).collect();
    let below = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut left: Vec<PathBuf> =
        below(folder.to_owned()).flat_map(below).filter(|path| path.is_dir() && !known.contains(path)).collect();
    left.sort_unstable();
    left
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use delivery::{receivers::file::FileSettings, spooled::backlog::SpoolSettings};

    use super::*;

    #[test]
    fn what_belongs_to_nobody_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let spool = SpoolSettings { folder: folder.path().join("alerts"), ..SpoolSettings::default() };
        let target = Arc::new(FileSettings::new("/x"));
        let output = OutputSettings { spool: spool.clone(), ..OutputSettings::new("here", target) };
        for name in ["here", "gone"] {
            fs::create_dir_all(spool.folder_of("file", name)).unwrap();
        }
        assert_eq!(orphaned_spools(folder.path(), &[output], &[]), [spool.folder_of("file", "gone")]);
        assert!(orphaned_spools(Path::new("/nonexistent"), &[], &[]).is_empty());
    }
}
