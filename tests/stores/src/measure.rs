//! What is measured, a module for each kind.

pub(crate) mod damage;
pub(crate) mod full;
pub(crate) mod kill;
pub(crate) mod memory;
pub(crate) mod speed;

/// Times that speed and memory are measured; the table has the range.
const ROUNDS: usize = 3;
/// Items that one commit takes when they come together.
const BATCH: u64 = 64;
/// Items that wait while a store is at work: 2 MB.
const BACKLOG: u64 = 1000;
