//! Receivers over a network that messages are kept for until they have them.
//!
//! What goes to one is rendered once, put into the output's spool, and sent from there until the receiver has settled
//! it: [`crate::spooled`] drives that and a [`Remote`] only speaks the receiver's protocol.

use std::time::Duration;

use uuid::Uuid;

use crate::backoff::Pace;

/// One message out of the spool.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The alert's; the same each time it is sent.
    pub uuid: Uuid,
    /// What the output's template or format made of the alert, without a newline at its end.
    pub body: &'a [u8],
}

/// Speaks to one receiver, on the output's own thread.
pub trait Remote: Send {
    /// Tries to hand over messages, in order from the first. May block for as long as its own time-outs say.
    fn send(&mut self, messages: &[Message<'_>]) -> Answer;

    /// Whether the receiver confirms what it has, as the protocol goes.
    fn confirms(&self) -> bool {
        true
    }

    /// How many messages, and how many bytes of bodies, it takes at once.
    fn bounds(&self) -> (usize, usize) {
        (100, 1 << 20)
    }

    /// How many messages that were handed over are known, since this was last asked, not to have come to one of those that
    /// were to have them.
    fn lost(&mut self) -> u64 {
        0
    }

    /// The times between tries.
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// How long the first of new messages waits for others to go with it, at most.
    fn linger(&self) -> Duration {
        Duration::ZERO
    }
}

/// How far a try came.
#[derive(Debug, Default)]
pub struct Answer {
    /// What became of the first messages, in order.
    pub settled: Vec<Settled>,
    /// Why the others were not handed over; none only if all were settled.
    pub setback: Option<Setback>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The receiver says that it has it.
    Confirmed,
    /// It went out, and the protocol confirms nothing more: what is known of it, for people.
    HandedOver(&'static str),
    /// The receiver takes no message of this length: why. It is sent in a shorter form, if there is one.
    TooLarge(String),
    /// The receiver will never take it: why. It becomes a dead letter.
    Rejected(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// For people: what went wrong and what to do.
    pub reason: String,
    /// Not to be tried again before this, as the receiver asked.
    pub wait: Option<Duration>,
    /// Trying soon is of no use until someone changes something (a refused token): tried every 5 minutes.
    pub lasting: bool,
}
