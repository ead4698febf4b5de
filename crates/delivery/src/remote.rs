//! Receivers over a network that messages are kept for until they have them.
//!
//! What goes to one is rendered once, put into the output's spool, and sent from there until the receiver has settled
//! it: [`crate::spooled`] drives that and a [`Remote`] only speaks the receiver's protocol.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{backoff::Pace, spool::Kind};

/// One message out of the spool.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub kind: Kind,
    /// The item's that it is of; the same each time it is sent.
    pub uuid: Uuid,
    /// Its place among the messages of that item.
    pub part: usize,
    /// In which of its forms it is sent, of which the first is the longest.
    pub form: usize,
    /// Whether it has no shorter form.
    pub is_shortest: bool,
    /// What it has in common with others, for receivers that keep those in order: empty for nothing.
    pub key: &'a [u8],
    /// What the output's template or format made of it, without a newline at its end.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// One that is an item by itself and has no other form.
    #[must_use]
    pub const fn new(uuid: Uuid, body: &'a [u8]) -> Self {
        Self { kind: Kind::Urgent, uuid, part: 0, form: 0, is_shortest: true, key: b"", body }
    }

    /// A name for several that are sent at once: the same each time the same ones are, in the same forms.
    #[must_use]
    pub fn idempotency_key(messages: &[Self]) -> Uuid {
        match messages {
            [Self { uuid, part: 0, form: 0, .. }] => *uuid,
            messages => {
                let said = messages.iter().flat_map(|message| {
                    let [part, form] = [message.part, message.form].map(|number| (number as u64).to_be_bytes());
                    message.uuid.into_bytes().into_iter().chain(part).chain(form)
                });
                Uuid::new_v5(&KEYS, &said.collect::<Vec<_>>())
            }
        }
    }
}

/// The name space of such names.
const KEYS: Uuid = Uuid::from_u128(0x3d0c_9a6e_52b7_4e0b_9d8f_1f1e_7a44_c0a5);

/// Speaks to one receiver, on the output's own thread.
pub trait Remote: Send {
    /// Tries to hand over messages of one kind, in order from the first. May block for as long as its own time-outs say.
    fn send(&mut self, messages: &[Message<'_>]) -> Answer;

    /// What ends a [`send`](Self::send) or [`greet`](Self::greet) that is under way, and those after it, at once. None if
    /// nothing does.
    fn interrupt(&self) -> Option<Interrupt> {
        None
    }

    /// Whether the receiver confirms what it has, as the protocol goes.
    fn confirms(&self) -> bool {
        true
    }

    /// The kinds of items that it takes, the most urgent first. Each goes its own way: one that is not taken holds up no
    /// other.
    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Urgent]
    }

    /// Where the messages of a [`Kind::Bulk`] item stand in it; none if it is not what it should be.
    fn parts(&self, _body: &[u8]) -> Option<Vec<Range<usize>>> {
        None
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

    /// When it wants to greet the receiver next, if it does.
    fn greets_at(&self) -> Option<Instant> {
        None
    }

    /// Greets it. True if the receiver is there and takes messages, so that what waits may be tried at once.
    ///
    /// # Errors
    ///
    /// Why it did not work out; [`greets_at`](Self::greets_at) then says when it is tried again.
    fn greet(&mut self) -> Result<bool, Setback> {
        Ok(false)
    }

    /// What is to be said of the receiver although it works.
    fn notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// Called from another thread.
pub type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// How far a try came.
#[derive(Debug, Default)]
pub struct Answer {
    /// What became of the first messages, in order.
    pub settled: Vec<Settled>,
    /// Why the others were not handed over. None if all were settled, or the others may be sent at once.
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
