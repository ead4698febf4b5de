//! Where lines go.
//!
//! A page of lines is handed over whole, and the cursor behind it is kept only once the destination has it.

pub mod file;
pub mod stdout;

use std::path::PathBuf;

/// What the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    File(PathBuf),
    Stdout,
}
