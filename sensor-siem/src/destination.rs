//! Where lines go.
//!
//! A page of lines is handed over whole, and the cursor behind it is kept only once the destination has it.

pub mod courier;
pub mod file;
pub mod stdout;
pub mod syslog;

use std::{fmt, path::PathBuf};

use self::syslog::SyslogOutput;

/// What the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    File(PathBuf),
    Stdout,
    Syslog(SyslogOutput),
}

impl Destination {
    /// Whether it takes messages one by one, and not lines of text.
    #[must_use]
    pub const fn takes_messages(&self) -> bool {
        match self {
            Self::File(_) | Self::Stdout => false,
            Self::Syslog(_) => true,
        }
    }
}

/// As it is told.
impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Stdout => out.write_str("standard output"),
            Self::Syslog(output) => out.write_str(&output.receiver.place()),
        }
    }
}
