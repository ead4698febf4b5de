//! What can go wrong with capture, in words for the person reading.

use super::offsets::OffsetsError;
use super::preflight::Findings;

/// Why capture does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The host lacks something indispensable.
    #[error("this host cannot run the kernel programs: {0}")]
    Preflight(Findings),
    /// The kernel's types are unreadable or not what the programs need.
    #[error(transparent)]
    Offsets(#[from] OffsetsError),
    /// The kernel refused the object as a whole: its maps or its type information.
    #[error("the kernel refused the sensor's maps: {0}")]
    Object(String),
    /// The kernel refused an indispensable program.
    #[error("the kernel refused the program {name} for {hook}: {reason}")]
    Program { name: &'static str, hook: &'static str, reason: String },
    /// A map is missing or unusable.
    #[error("the map {name} cannot be used: {reason}")]
    Map { name: &'static str, reason: String },
    /// There is no task iterator on this kernel.
    #[error("the tasks already running cannot be listed: {0}")]
    Baseline(String),
    /// The drain thread exists already.
    #[error("the ring buffer is being drained already")]
    AlreadyDraining,
    /// A system call failed.
    #[error("{what}: {error}")]
    System { what: &'static str, error: std::io::Error },
}

impl CaptureError {
    /// For `map_err`.
    pub(super) fn system<E: Into<std::io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::System { what, error: error.into() }
    }
}
