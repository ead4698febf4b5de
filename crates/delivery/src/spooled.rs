//! Outputs whose receivers confirm: what they are to get is on disk before its first try.
//!
//! ```text
//! queue ─▶ this: encode, append (one sync a batch) ─▶ spool ─▶ sender's thread ──▶ receiver
//!                                                       ▲          │ confirmed: deleted; rejected: dead letter
//!                                                       └──────────┘ setback: the same again, later
//! ```
//!
//! The spool is the output's own, named by the output's kind and name. It outlives reloads and restarts, so what waited
//! under other settings goes to where the output leads now.

pub mod backlog;
mod load;
pub mod sender;

use std::{sync::Arc, time::Duration};

use self::{
    backlog::{Backlog, SpoolSettings},
    sender::Sender,
};
use crate::spool::NewItem;
use crate::{
    cause::Cause,
    ledger::Ledger,
    outcome::Outcome,
    remote::Remote,
    worker::queue::{Deliver, Delivery, Load},
};

/// How long an output that ends goes on sending what waits, as long as that works. The rest stays on disk.
const LAST_TRIES: Duration = Duration::from_secs(3);

/// Encoded bytes that are kept in memory before they are spooled.
const CHUNK: usize = 1 << 20;

/// Makes items of what waits for an output.
pub trait Encode<T>: Send {
    /// Makes items of it, or of its next part: what is left of it then weighs less.
    fn encode(&mut self, item: &mut T, ledger: &Ledger) -> Encoded;
}

/// What came of it.
pub enum Encoded {
    Items(Vec<NewItem>),
    /// There is more in it.
    Part(Vec<NewItem>),
    /// The output wants nothing of it.
    Nothing,
    /// It cannot be said in the receiver's terms: why.
    Unfit(String),
}

/// Puts what waits for an output into its spool.
pub struct Spooled<T> {
    settings: SpoolSettings,
    encode: Box<dyn Encode<T>>,
    /// None once it was started.
    remote: Option<Box<dyn Remote>>,
    running: Option<Running>,
}

struct Running {
    backlog: Arc<Backlog>,
    /// None if it could not be started: what is spooled waits for the next one.
    sender: Option<Sender>,
}

impl<T: Load> Spooled<T> {
    /// Opens nothing yet: the spool may be in the hands of the same output with other settings.
    pub fn new(settings: SpoolSettings, encode: impl Encode<T> + 'static, remote: Box<dyn Remote>) -> Self {
        Self { settings, encode: Box::new(encode), remote: Some(remote), running: None }
    }
}

/// What goes into the spool with one sync.
#[derive(Default)]
struct Chunk {
    items: Vec<NewItem>,
    bytes: usize,
    /// Of what the queue gave.
    weight: usize,
    urgent: bool,
}

impl Chunk {
    fn add(&mut self, items: Vec<NewItem>, weight: usize) {
        self.bytes += items.iter().map(|item| item.body.len()).sum::<usize>();
        self.weight += weight;
        self.items.extend(items);
    }

    fn spool(&mut self, backlog: &Backlog, sender: Option<&Sender>, ledger: &Ledger) {
        let Self { items, weight, urgent, .. } = std::mem::take(self);
        if items.is_empty() {
            return;
        }
        if let Err(error) = backlog.spool.append(items) {
            ledger.spool_fails(&error.to_string());
        }
        ledger.spooled(weight);
        ledger.note_given_up();
        if let Some(sender) = sender {
            sender.wake(urgent);
        }
    }
}

impl<T: Load> Deliver<T> for Spooled<T> {
    fn start(&mut self, ledger: &Arc<Ledger>) {
        let Some(remote) = self.remote.take() else { return };
        let backlog = ledger.backlog_in(&self.settings);
        let sender = Sender::start(remote, &backlog, ledger)
            .inspect_err(|error| {
                ledger
                    .failed(&format!("nothing can be sent, it is kept on disk: no thread could be started ({error})"));
            })
            .ok();
        self.running = Some(Running { backlog, sender });
    }

    fn deliver(&mut self, items: &mut [T], ledger: &Ledger) -> Delivery {
        let done = items.len();
        let Some(Running { backlog, sender }) = &self.running else { return Delivery::default() };
        let mut chunk = Chunk::default();
        for item in items {
            // Before it can be confirmed.
            chunk.urgent |= backlog.expect(item.awaited());
            loop {
                let weight = item.weight();
                match self.encode.encode(item, ledger) {
                    Encoded::Part(new) => {
                        chunk.add(new, weight - item.weight());
                        if chunk.bytes >= CHUNK {
                            chunk.spool(backlog, sender.as_ref(), ledger);
                        }
                        continue;
                    }
                    Encoded::Items(new) => chunk.add(new, weight),
                    Encoded::Nothing => {
                        ledger.filtered();
                        backlog.settle(item.awaited(), &ledger.name, &Outcome::Empty);
                    }
                    Encoded::Unfit(reason) => {
                        ledger.dropped(Cause::Unfit, weight, &reason);
                        backlog.settle(item.awaited(), &ledger.name, &Outcome::Dropped(Cause::Unfit));
                    }
                }
                break;
            }
            if chunk.bytes >= CHUNK {
                chunk.spool(backlog, sender.as_ref(), ledger);
            }
        }
        chunk.spool(backlog, sender.as_ref(), ledger);
        Delivery { done, failure: None }
    }

    fn reset(&mut self) {}

    fn finish(&mut self, ledger: &Ledger) {
        ledger.note_given_up();
        if let Some(sender) = self.running.as_mut().and_then(|running| running.sender.as_mut()) {
            sender.finish(LAST_TRIES);
        }
    }
}
