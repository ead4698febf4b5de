//! How long to wait before the next try.

use std::time::Duration;

use delivery::backoff::{self, Backoff};

/// Tries of one request, and the times between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The shortest wait.
    pub first: Duration,
    /// The longest.
    pub most: Duration,
    /// How often a request is made at most.
    pub tries: u32,
    /// A wish to come back later than this ends the pass instead: the next will be later.
    pub longest_wish: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(60),
            tries: 6,
            longest_wish: Duration::from_secs(300),
        }
    }
}

impl Pace {
    /// The waits of one request.
    pub(super) const fn backoff(&self) -> Backoff {
        Backoff::new(backoff::Pace { first: self.first, most: self.most, slow: self.most })
    }
}
