//! An output that cannot be opened: which, where, why, and what to do.

use std::io;

/// An output or a sink that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("output {name}: cannot write to {place}: {reason}{}", hint(reason.kind()))]
pub struct OpenError {
    pub name: String,
    /// Such as a path.
    pub place: String,
    pub reason: io::Error,
}

pub(super) const fn hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "; let the sensor write there",
        io::ErrorKind::IsADirectory => "; name a file in it",
        io::ErrorKind::NotADirectory => "; a part of the path is a file",
        _ => "",
    }
}
