//! What container runtimes say of a container: its name, image, labels and pod.
//!
//! ```text
//! id ─▶ Lookups ─▶ each runtime's socket ─┬▶ Docker's API over HTTP/1 ───────────┬▶ Facts
//!                                         └▶ Kubernetes' interface (CRI), gRPC ─┘
//! ```
//!
//! A thread of its own asks. Whoever wants to know hands over an id and a place for the answer ([`Waiting`]) and goes on. An
//! answer is there within [`PATIENCE`] or said to be none; a container without one is asked for again later, and its place is
//! told then.
//!
//! Everything that comes in is of a stated size at most: see [`facts`] and [`call`](crate::CallError).

mod call;
mod cri;
mod docker;
pub mod facts;
mod lookups;
mod reference;
mod runtime;
mod sockets;
mod status;

pub use call::CallError;
pub use facts::Facts;
pub use lookups::{Lookups, PATIENCE, Waiting};
pub use sockets::{Settings, usual};
pub use status::{RuntimeStatus, Status};

/// Whether this is an id that runtimes know a container by: 64 hexadecimal digits in small letters. What control groups name
/// otherwise is nobody's to ask for.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The readers of answers, for bytes of any kind.
#[cfg(feature = "fuzzing")]
pub mod fuzzing {
    /// An answer of Docker's API.
    pub fn docker(bytes: &[u8]) {
        crate::docker::fuzz(bytes);
    }

    /// An answer of Kubernetes' interface.
    pub fn cri(bytes: &[u8]) {
        crate::cri::fuzz(bytes);
    }
}
