//! Readers of what comes from outside that are nobody else's business, for the targets in `fuzz/`. Each asserts what must
//! hold whatever it is given.

pub use crate::control::fuzzing::control;
pub use crate::process::fuzzing::{groups, passwd};
