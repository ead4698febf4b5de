//! An output that cannot be opened now: which, where, why, and what to do.

use std::{io, sync::Arc};

/// An output or a sink that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("output {name}: {}", self.why())]
pub struct OpenError {
    pub name: String,
    /// Such as a path.
    pub place: String,
    pub reason: Arc<io::Error>,
}

impl OpenError {
    /// The same without the output's name.
    #[must_use]
    pub fn why(&self) -> String {
        format!("cannot write to {}: {}{}", self.place, self.reason, hint(self.reason.kind()))
    }
}

pub(crate) const fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there",
        io::ErrorKind::PermissionDenied => "; let the sensor write there",
        io::ErrorKind::ReadOnlyFilesystem => {
            "; let the sensor write there: under its unit, ReadWritePaths= in a drop-in"
        }
        io::ErrorKind::IsADirectory => "; name a file in it",
        io::ErrorKind::NotADirectory => "; a part of the path is a file",
        _ => "",
    }
}
