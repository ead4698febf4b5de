//! Where lines are written on this host: `stdout` and files.

pub(super) mod file;
pub(super) mod lines;
mod rotate;
pub(super) mod stdout;
