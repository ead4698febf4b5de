//! Why something was not sent.

use crate::spool;

/// Why something was not sent and never will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The output is slower than what comes in.
    QueueFull,
    /// What waits for it already takes the memory that there is for that.
    Memory,
    /// Nobody reads at the other end any more.
    Gone,
    /// The sensor was stopped before it could be sent.
    Stopped,
    /// A receiver does not take what is sent to it. Counted for each receiver.
    HighWater,
    /// It was published while nobody had subscribed to it.
    NoReceiver,
    /// It cannot be said in the receiver's terms.
    Unfit,
}

/// Of a file that waited to be sent: someone took it away.
pub const TAKEN_AWAY: &str = "taken_away";

/// The words of all causes for which an output gives up what waits on disk.
pub fn on_disk() -> impl Iterator<Item = &'static str> {
    spool::Cause::ALL.map(spool::Cause::name).into_iter().chain([TAKEN_AWAY])
}

impl Cause {
    pub const ALL: [Self; 7] =
        [Self::QueueFull, Self::Memory, Self::Gone, Self::Stopped, Self::HighWater, Self::NoReceiver, Self::Unfit];

    /// The word in metrics and in `lost_records`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Memory => "memory",
            Self::Gone => "gone",
            Self::Stopped => "stopped",
            Self::HighWater => "high_water",
            Self::NoReceiver => "no_receiver",
            Self::Unfit => "unfit",
        }
    }
}
