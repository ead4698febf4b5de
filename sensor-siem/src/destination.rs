//! Where lines go.
//!
//! A page of lines is handed over whole, and the cursor behind it is kept only once the destination has it.

pub mod file;
pub mod stdout;

use std::{fmt, path::PathBuf};

/// What the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    File(PathBuf),
    Stdout,
}

/// As it is told.
impl fmt::Display for Destination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Stdout => out.write_str("standard output"),
        }
    }
}
