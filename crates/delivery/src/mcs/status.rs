//! How delivery stands.

use std::time::Duration;

use crate::spool::Kind;

/// What delivery is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing waits, or it is being sent.
    #[default]
    Working,
    /// Something failed that may pass; tried again.
    Waiting,
    /// Central refuses this sensor; tried again from time to time.
    Refused,
    /// The receiver, or the trust files, cannot be trusted; tried again.
    Untrusted,
}

/// How delivery stands. Counters count from the start.
#[derive(Clone, Debug, Default)]
pub struct Status {
    pub state: State,
    /// Alerts and rows that Central has, by [`Kind`].
    pub delivered: [u64; Kind::ALL.len()],
    pub requests: u64,
    /// Requests that had to be repeated.
    pub failures: u64,
    /// When Central last took something or said hello: nanoseconds since the Unix epoch.
    pub last_success: Option<u64>,
    /// Why it does not work, while it does not; else why it last did not.
    pub last_error: Option<String>,
    /// When it is tried again, nanoseconds since the Unix epoch.
    pub next_try: Option<u64>,
    pub central: Option<CentralFacts>,
    /// What is not as it should be with the trust files.
    pub trust_warnings: Vec<String>,
    /// How long a request may go on once delivery is to end.
    pub(super) grace: Duration,
}

/// What Central said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CentralFacts {
    pub version: String,
    /// Central's clock less this host's, nanoseconds.
    pub clock_skew: Option<i64>,
}
