//! What helps those who tune rules: exceptions that are proposed for an alert, and recorded events that are held against
//! policies without a kernel.
//!
//! ```text
//! alert ─▶ except: conditions that hold for it, and what else each would silence
//! record ─▶ file ─▶ stream ─┬─▶ replay: which policies fire how often
//!                           └─▶ bench: what each of them costs
//! ```

pub mod bench;
pub mod except;
pub mod replay;
pub mod stream;
