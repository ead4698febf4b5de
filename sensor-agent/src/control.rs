//! The control socket: how `status`, `reload`, `events` and others reach a sensor that runs.
//!
//! ```text
//! command line ─▶ client ──one JSON line──▶ server ─▶ Handler: the sensor
//!                        ◀──JSON lines─────
//! ```
//!
//! The socket is `sophoslinuxsensor.sock` in the run directory, mode 0600, and each client is asked who it is: only
//! root and the sensor's own user are served. A lock file beside it lets one sensor at a time use a run directory;
//! sensors with different ones run side by side.
//!
//! What the sensor does about a request is behind [`Handler`]: nothing here knows of capture, rules or outputs.

pub mod client;
mod elapsed;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
pub mod inventory;
pub mod lines;
pub mod lists;
mod peer;
pub mod problems;
pub mod protocol;
mod query;
pub mod render;
mod run_dir;
mod server;
pub mod status;
mod stream;
mod timed;
pub mod top;
pub mod tree;

pub use inventory::Inventory;
pub use protocol::{Outcome, Reload, Stage};
pub use query::{Line, Query};
pub use run_dir::{ClaimError, RunDirectory};
pub use server::{Handler, Server};
pub use status::Status;
pub use stream::Update;

/// The name of the socket in the run directory.
pub const SOCKET_NAME: &str = "sophoslinuxsensor.sock";
/// The name of the lock file in the run directory.
pub const LOCK_NAME: &str = "sophoslinuxsensor.lock";
