//! Where lines go.
//!
//! A page of lines is handed over whole, and the cursor behind it is kept only once the destination has it.

pub mod courier;
pub mod file;
pub mod kafka;
pub mod parquet;
mod receiver;
pub mod splunk;
pub mod stdout;
pub mod syslog;
pub mod zeromq;

use std::{fmt, path::PathBuf};

pub use self::receiver::Receiver;

/// What the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    File(PathBuf),
    Stdout,
    Receiver(Receiver),
}

impl Destination {
    /// What is known of items that are handed over, for people; none where the destination says that it has them.
    #[must_use]
    pub fn known(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => None,
            Self::Stdout => Some("written to standard output"),
            Self::Receiver(receiver) => receiver.known(),
        }
    }
}

/// As it is told.
impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Stdout => out.write_str("standard output"),
            Self::Receiver(receiver) => receiver.fmt(out),
        }
    }
}
