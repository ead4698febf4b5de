//! Outputs whose receivers confirm: what they are to get is on disk before its first try.
//!
//! ```text
//! queue ─▶ this: encode, append (one sync a batch) ─▶ spool ─▶ courier's thread ─▶ receiver
//!                                                       ▲          │ confirmed: deleted; rejected: dead letter
//!                                                       └──────────┘ setback: the same again, later
//! ```
//!
//! The spool is the output's own, named by the output's kind and name. It outlives reloads and restarts, so what waited
//! under other settings goes to where the output leads now.

pub mod backlog;
pub mod courier;

use std::{io, sync::Arc, time::Duration};

use self::backlog::{Backlog, SpoolSettings};
use crate::spool::NewItem;
use crate::{
    cause::Cause,
    lane::queue::{Deliver, Delivery, Load},
    ledger::Ledger,
    outcome::Outcome,
};

/// How long an output that ends goes on sending what waits, as long as that works. The rest stays on disk.
const LAST_TRIES: Duration = Duration::from_secs(3);

/// Encoded bytes that are kept in memory before they are spooled.
const CHUNK: usize = 1 << 20;

/// Starts to send what is in the spool, without waiting for anything.
pub type StartCourier = Box<dyn FnOnce(&Arc<Backlog>, &Arc<Ledger>) -> io::Result<Box<dyn Courier>> + Send>;

/// Empties a spool from a thread of its own. Ends when it is dropped, without anyone waiting for it.
pub trait Courier: Send {
    /// Something was appended; with `urgent`, someone waits for word of it, so it is tried at once.
    fn wake(&self, urgent: bool);

    /// Sends what waits as long as that works, at most for so long, and ends.
    fn finish(&mut self, within: Duration);
}

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
    start: Option<StartCourier>,
    running: Option<Running>,
}

struct Running {
    backlog: Arc<Backlog>,
    /// None if it could not be started: what is spooled waits for the next one.
    courier: Option<Box<dyn Courier>>,
}

impl<T: Load> Spooled<T> {
    /// Opens nothing yet: the spool may be in the hands of the same output with other settings.
    pub fn new(settings: SpoolSettings, encode: impl Encode<T> + 'static, start: StartCourier) -> Self {
        Self { settings, encode: Box::new(encode), start: Some(start), running: None }
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

    fn spool(&mut self, backlog: &Backlog, courier: Option<&dyn Courier>, ledger: &Ledger) {
        let Self { items, weight, urgent, .. } = std::mem::take(self);
        if items.is_empty() {
            return;
        }
        if let Err(error) = backlog.spool.append(items) {
            ledger.spool_fails(&error.to_string());
        }
        ledger.spooled(weight);
        ledger.note_given_up();
        if let Some(courier) = courier {
            courier.wake(urgent);
        }
    }
}

impl<T: Load> Deliver<T> for Spooled<T> {
    fn start(&mut self, ledger: &Arc<Ledger>) {
        let Some(start) = self.start.take() else { return };
        let backlog = ledger.backlog_in(&self.settings);
        let courier = start(&backlog, ledger)
            .inspect_err(|error| {
                ledger
                    .failed(&format!("nothing can be sent, it is kept on disk: no thread could be started ({error})"));
            })
            .ok();
        self.running = Some(Running { backlog, courier });
    }

    fn deliver(&mut self, items: &mut [T], ledger: &Ledger) -> Delivery {
        let done = items.len();
        let Some(Running { backlog, courier }) = &self.running else { return Delivery::default() };
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
                            chunk.spool(backlog, courier.as_deref(), ledger);
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
                chunk.spool(backlog, courier.as_deref(), ledger);
            }
        }
        chunk.spool(backlog, courier.as_deref(), ledger);
        Delivery { done, failure: None }
    }

    fn reset(&mut self) {}

    fn finish(&mut self, ledger: &Ledger) {
        ledger.note_given_up();
        if let Some(courier) = self.running.as_mut().and_then(|running| running.courier.as_mut()) {
            courier.finish(LAST_TRIES);
        }
    }
}
