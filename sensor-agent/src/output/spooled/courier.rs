//! The thread that empties a spool through a [`Remote`].

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{Backlog, Courier, StartCourier};
use crate::{
    delivery::{
        Backoff,
        spool::{Item, Kind},
    },
    output::{
        metrics::Ledger,
        network::remote::{Answer, Message, Remote, Setback, Settled},
        queued::Outcome,
    },
};

/// While items are in memory because the disk takes none, the spool is looked at this often.
const DISK_TROUBLE: Duration = Duration::from_secs(10);
/// Messages rejected one after the other, with none confirmed in between, after which it looks like the receiver's
/// fault and not theirs: from then on one at a time is given up, slowly.
const SUSPICIOUS: u32 = 8;

/// Sends through this, on a thread of its own.
pub(crate) fn by_remote(remote: Box<dyn Remote>) -> StartCourier {
    Box::new(|backlog, ledger| {
        let signals = Arc::new(Signals::default());
        let courier = Thread { signals: Arc::clone(&signals) };
        let mut last = backlog.last_courier.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.take();
        let (backlog, ledger) = (Arc::clone(backlog), Arc::clone(ledger));
        let thread = thread::Builder::new().name(format!("to {}", ledger.name)).spawn(move || {
            if let Some(before) = before {
                // What it has in hand is not to be sent twice. A panic there was told of by its own thread.
                let _ = before.join();
            }
            let backoff = Backoff::new(remote.pace());
            Loop { remote, backlog: &backlog, ledger: &ledger, signals: &signals, backoff, rejected_in_row: 0 }.run();
            signals.change(|state| state.ended = true);
        })?;
        *last = Some(thread);
        Ok(Box::new(courier) as Box<dyn Courier>)
    })
}

/// A courier's thread, from outside.
struct Thread {
    signals: Arc<Signals>,
}

#[derive(Default)]
struct Signals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Something was appended since the thread last looked.
    arrived: bool,
    urgent: bool,
    /// Nothing more is to be sent from then on.
    end: Option<Instant>,
    ended: bool,
}

impl Courier for Thread {
    fn wake(&self, urgent: bool) {
        self.signals.change(|state| {
            state.arrived = true;
            state.urgent |= urgent;
        });
    }

    fn finish(&mut self, within: Duration) {
        let until = Instant::now() + within;
        self.signals.change(|state| state.end = Some(until));
        let state = self.signals.lock();
        let left = until.saturating_duration_since(Instant::now());
        // A receiver that hangs is left to the end of the process: what it has in hand stays in the spool.
        drop(self.signals.changed.wait_timeout_while(state, left, |state| !state.ended));
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.signals.change(|state| state.end = Some(Instant::now()));
    }
}

impl Signals {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits for so long (none: for ever), or until `enough`, or the end.
    fn wait(&self, time: Option<Duration>, enough: impl Fn(&State) -> bool) {
        let on = |state: &mut State| state.end.is_none() && !enough(state);
        let state = self.lock();
        match time {
            Some(time) => drop(self.changed.wait_timeout_while(state, time, on)),
            None => drop(self.changed.wait_while(state, on)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Loop<'a> {
    remote: Box<dyn Remote>,
    backlog: &'a Backlog,
    ledger: &'a Ledger,
    signals: &'a Signals,
    backoff: Backoff,
    /// Since the last that was confirmed.
    rejected_in_row: u32,
}

impl Loop<'_> {
    fn run(&mut self) {
        let (most, bytes) = self.remote.bounds();
        loop {
            // Before the spool is read: what arrives afterwards is noticed.
            let end = {
                let mut state = self.signals.lock();
                state.arrived = false;
                state.end
            };
            if end.is_some_and(|end| end <= Instant::now()) {
                return;
            }
            let items = self.backlog.spool.next_of(Kind::Alert, most, bytes);
            if items.is_empty() {
                if end.is_some() {
                    return;
                }
                self.idle(most);
                continue;
            }
            let setback = self.send(&items);
            self.ledger.note_given_up();
            if let Some(setback) = setback {
                if end.is_some() {
                    return;
                }
                self.pause(&setback);
            }
        }
    }

    /// Waits for something to send, and then for more to go with it, as the receiver likes it.
    fn idle(&self, most: usize) {
        let trouble = self.backlog.spool.stats().trouble.map(|_| DISK_TROUBLE);
        self.signals.wait(trouble, |state| state.arrived);
        let linger = self.remote.linger();
        if !linger.is_zero() {
            self.signals.wait(Some(linger), |state| state.urgent || self.waiting() >= most);
        }
    }

    fn waiting(&self) -> usize {
        let stats = self.backlog.spool.stats();
        usize::try_from(stats.disk[Kind::Alert as usize].items + stats.memory.items).unwrap_or(usize::MAX)
    }

    /// One try. None if it settled everything.
    fn send(&mut self, items: &[Item]) -> Option<Setback> {
        self.signals.lock().urgent = false;
        let messages: Vec<Message<'_>> =
            items.iter().map(|item| Message { uuid: item.uuid, body: &item.body }).collect();
        let Answer { mut settled, setback } = self.remote.send(&messages);
        settled.truncate(items.len());
        let mut setback = setback;
        let confirmed: Vec<&Item> = items
            .iter()
            .zip(&settled)
            .filter(|(_, settled)| **settled == Settled::Confirmed)
            .map(|(item, _)| item)
            .collect();
        if !confirmed.is_empty() {
            self.rejected_in_row = 0;
            self.backoff.reset();
            self.backlog.spool.confirm(&confirmed.iter().map(|item| item.id).collect::<Vec<_>>());
            self.ledger.confirmed(confirmed.len());
            for item in &confirmed {
                self.backlog.tell(&self.ledger.name, item.uuid, &Outcome::Sent);
            }
        }
        for (item, settled) in items.iter().zip(&settled) {
            let Settled::Rejected(reason) = settled else { continue };
            self.rejected_in_row += 1;
            if self.rejected_in_row > SUSPICIOUS {
                // It stays for the next try. If that is refused too, it goes.
                self.rejected_in_row = SUSPICIOUS - 1;
                let reason = format!("{reason} (one message after the other; is it really the right receiver?)");
                setback = Some(Setback { reason, wait: None, lasting: true });
                break;
            }
            self.backlog.spool.reject(item, reason);
            self.ledger.rejected(item.uuid, reason);
            self.backlog.tell(&self.ledger.name, item.uuid, &Outcome::Rejected(reason.clone()));
        }
        if setback.is_none() && settled.len() < items.len() {
            setback = Some(Setback {
                reason: "the receiver left messages without a word".into(),
                wait: None,
                lasting: false,
            });
        }
        setback
    }

    fn pause(&mut self, setback: &Setback) {
        self.ledger.failed(&setback.reason);
        self.backlog.tell_all(&self.ledger.name, &Outcome::Retrying(setback.reason.clone()));
        let wait = match setback.lasting {
            true => self.backoff.wait_after_refusal(setback.wait),
            false => self.backoff.wait_after_fault(setback.wait),
        };
        self.backoff.count();
        // What the receiver asked for holds whoever waits.
        let asked = setback.wait.is_some();
        self.signals.wait(Some(wait), |state| state.urgent && !asked);
    }
}
