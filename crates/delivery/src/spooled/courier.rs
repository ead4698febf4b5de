//! The thread that empties a spool through a [`Remote`].

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use foldhash::HashMap;

use super::{Courier, StartCourier, backlog::Backlog};
use crate::remote::{Answer, Message, Remote, Setback, Settled};
use crate::{
    backoff::Backoff,
    spool::{Item, ItemId, Kind, forms},
};
use crate::{ledger::Ledger, outcome::Outcome};

/// While items are in memory because the disk takes none, the spool is looked at this often.
const DISK_TROUBLE: Duration = Duration::from_secs(10);
/// Messages rejected one after the other, with none confirmed in between, after which it looks like the receiver's
/// fault and not theirs: from then on one at a time is given up, slowly.
const SUSPICIOUS: u32 = 8;

/// Sends through this, on a thread of its own.
pub fn by_remote(remote: Box<dyn Remote>) -> StartCourier {
    Box::new(|backlog, ledger| {
        let signals = Arc::new(Signals::default());
        let courier = Thread { signals: Arc::clone(&signals) };
        let mut last = backlog.last_courier.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.take();
        let (backlog, ledger) = (Arc::clone(backlog), Arc::clone(ledger));
        ledger.set_confirms(remote.confirms());
        let thread = thread::Builder::new().name(format!("to {}", ledger.name)).spawn(move || {
            if let Some(before) = before {
                // What it has in hand is not to be sent twice. A panic there was told of by its own thread.
                let _ = before.join();
            }
            let backoff = Backoff::new(remote.pace());
            let (backlog, ledger, signals) = (&*backlog, &*ledger, &*signals);
            let shorter = HashMap::default();
            Loop { remote, backlog, ledger, signals, backoff, rejected_in_row: 0, shorter }.run();
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
    /// In which of its forms a message is sent whose receiver found those before too large.
    shorter: HashMap<ItemId, usize>,
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
            let items = self.backlog.spool.next_of(Kind::Urgent, most, bytes);
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
        usize::try_from(stats.disk[Kind::Urgent as usize].items + stats.memory.items).unwrap_or(usize::MAX)
    }

    /// One try. None if it settled everything.
    fn send(&mut self, items: &[Item]) -> Option<Setback> {
        self.signals.lock().urgent = false;
        // The oldest come first and again: others are settled.
        self.shorter.retain(|id, _| items.iter().any(|item| item.id == *id));
        let forms: Vec<Vec<&[u8]>> = items.iter().map(|item| forms::read(&item.body)).collect();
        let form = |item: &Item| self.shorter.get(&item.id).copied().unwrap_or(0);
        let messages: Vec<Message<'_>> = items
            .iter()
            .zip(&forms)
            .map(|(item, forms)| Message { uuid: item.uuid, body: forms[form(item).min(forms.len() - 1)] })
            .collect();
        let Answer { mut settled, setback } = self.remote.send(&messages);
        settled.truncate(items.len());
        let mut setback = setback;
        self.let_go(items, &settled);
        for ((item, forms), settled) in items.iter().zip(&forms).zip(&settled) {
            let reason = match settled {
                Settled::Confirmed | Settled::HandedOver(_) => continue,
                Settled::TooLarge(reason) => {
                    let next = self.shorter.get(&item.id).map_or(1, |form| form + 1);
                    if next < forms.len() {
                        self.shorter.insert(item.id, next);
                        self.ledger.too_large(reason);
                        continue;
                    }
                    reason
                }
                Settled::Rejected(reason) => reason,
            };
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

    /// Takes out of the spool what has arrived, or is out of anyone's hands.
    fn let_go(&mut self, items: &[Item], settled: &[Settled]) {
        let gone = items.iter().zip(settled).filter_map(|(item, settled)| match settled {
            Settled::Confirmed => Some((item, Outcome::Confirmed)),
            Settled::HandedOver(known) => Some((item, Outcome::HandedOver(known))),
            Settled::TooLarge(_) | Settled::Rejected(_) => None,
        });
        let gone: Vec<(&Item, Outcome)> = gone.collect();
        if gone.is_empty() {
            return;
        }
        self.rejected_in_row = 0;
        self.backoff.reset();
        self.backlog.spool.confirm(&gone.iter().map(|(item, _)| item.id).collect::<Vec<_>>());
        let confirmed = gone.iter().filter(|(_, outcome)| *outcome == Outcome::Confirmed).count();
        self.ledger.confirmed(confirmed);
        self.ledger.handed_over(gone.len() - confirmed);
        for (item, outcome) in &gone {
            self.backlog.tell(&self.ledger.name, item.uuid, outcome);
        }
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
