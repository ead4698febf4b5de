//! A file of lines.

use std::{io, num::NonZeroU64, path::Path, sync::Arc};

use delivery::receivers::file::{self, FileLines, FileSettings};
use diagnostic::Report;
use settings::Variant;

use super::{
    Elsewhere, Fault, Folder, Given, Opened, Target,
    keys::{MAX_BACKUPS, MAX_SIZE, ROW_FORMAT},
    written, written_rows,
};
use crate::output::{
    queued::QueuedAlert,
    rows::QueuedRows,
    settings::{OutputSettings, SinkSettings},
};

pub(super) const OUTPUT: Variant =
    Variant { name: "file", keys: &[MAX_SIZE, MAX_BACKUPS], doc: "A file, one alert a line; `name` is its path." };

pub(super) const SINK: Variant = Variant {
    keys: &[MAX_SIZE, MAX_BACKUPS, ROW_FORMAT],
    doc: "A file of JSON lines, each row with its `table`; `name` is its path.",
    ..OUTPUT
};

pub(super) fn output(
    given: &Given<'_>,
    elsewhere: &mut Elsewhere,
    report: &mut Report,
) -> Option<Arc<dyn Target>> {
    Some(Arc::new(read(given, "an output of type `file`", elsewhere, report)?))
}

pub(super) fn sink(given: &Given<'_>, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    Some(Arc::new(read(given, "a sink of backend `file`", elsewhere, report)?))
}

fn read(given: &Given<'_>, what: &str, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<FileSettings> {
    let path = given.path(what, elsewhere, report)?;
    if is_folder(&path) {
        report
            .error(given.section.span("name"), format!("{} is a folder's path, and {what} needs a file's", path.display()))
            .label("ends without a file's name")
            .help("write the file's name behind it, such as alerts.json");
    }
    let megabytes: u64 = given.section.get("max_size")?;
    let max_backups = given.section.get::<u64>("max_backups").map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    Some(FileSettings { path, max_bytes: NonZeroU64::new(megabytes * 1_000_000)?, max_backups })
}

/// Whether a path can be no file's, whatever is there.
fn is_folder(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().rsplit(|&byte| byte == b'/').next();
    last.is_some_and(|name| [&b""[..], b".", b".."].contains(&name))
}

impl Target for FileSettings {
    fn kind(&self) -> &'static str {
        OUTPUT.name
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn doubt(&self) -> Option<Fault> {
        let found = file::in_its_place(&self.path)?;
        let reason = format!("{}: {found}", self.path.display());
        Some(Fault { key: Some("name"), reason, label: "nothing can be written there as it is" })
    }

    fn check(&self) -> io::Result<()> {
        file::check(&self.path)
    }

    fn folder(&self) -> Option<Folder<'_>> {
        self.path.parent().map(|path: &Path| Folder { path, is_own: false })
    }

    /// A write for each line, so that nobody ever reads half an alert.
    fn alerts(&self, output: &OutputSettings) -> Opened<QueuedAlert> {
        Ok(written(output, FileLines::open(self)?, true))
    }

    fn rows(&self, sink: &SinkSettings) -> Opened<QueuedRows> {
        Ok(written_rows(sink, FileLines::open(self)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_the_place_of_a_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let of = |path: &Path| FileSettings::new(path);
        let doubt = of(folder.path()).doubt().unwrap();
        assert_eq!(doubt.key, Some("name"));
        assert!(doubt.reason.contains("is a directory"), "{}", doubt.reason);
        assert!(of(&folder.path().join("a.json")).doubt().is_none());
        assert!(of(folder.path()).fault().is_none(), "no reason not to start");
    }
}
