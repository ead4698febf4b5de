//! How runtimes answer.

/// All runtimes whose socket was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub runtimes: Vec<RuntimeStatus>,
    /// Containers that were asked for, have no names, and are asked for again.
    pub unnamed: u64,
    /// Questions that were given up because too many waited.
    pub overflowed: u64,
}

/// How a runtime answers. Counts are since the start, of questions about containers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuntimeStatus {
    /// Its name; `unknown` before it has said who it is.
    pub runtime: String,
    pub socket: String,
    /// Whether it answered the last time; none before the first, and of a socket at a usual place where nobody who could be
    /// asked listens.
    pub answers: Option<bool>,
    pub asked: u64,
    /// It told of the container.
    pub named: u64,
    /// It said that it has no such container.
    pub unknown: u64,
    /// It did not answer, too late, or not in a way that can be understood.
    pub failed: u64,
    /// Something that it told was too long to be kept whole.
    pub cut: u64,
    /// How long the last answer took, and the longest: milliseconds.
    pub last_ms: u64,
    pub longest_ms: u64,
    /// What was wrong the last time that it failed.
    pub last_error: Option<String>,
}
