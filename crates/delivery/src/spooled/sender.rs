//! The thread that empties a spool through a [`Remote`].

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{backlog::Backlog, load::Load};
use crate::remote::{Answer, Interrupt, Remote, Setback, Settled};
use crate::{backoff::Backoff, ledger::Ledger, outcome::Outcome, spool::Kind};

/// While items are in memory because the disk takes none, the spool is looked at this often.
const DISK_TROUBLE: Duration = Duration::from_secs(10);
/// Stands for a time that cannot be counted.
const LONGEST: Duration = Duration::from_secs(3600);

/// Empties a spool from a thread of its own. Ends when it is dropped, without anyone waiting for it.
pub struct Sender {
    signals: Arc<Signals>,
    interrupt: Option<Interrupt>,
}

impl Sender {
    /// Starts to send what is in the spool, without waiting for anything.
    ///
    /// # Errors
    ///
    /// If there can be no thread.
    pub fn start(remote: Box<dyn Remote>, backlog: &Arc<Backlog>, ledger: &Arc<Ledger>) -> io::Result<Self> {
        let signals = Arc::new(Signals::default());
        let sender = Self { signals: Arc::clone(&signals), interrupt: remote.interrupt() };
        let mut last = backlog.last_sender.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.take();
        let (backlog, ledger) = (Arc::clone(backlog), Arc::clone(ledger));
        ledger.set_confirms(remote.confirms());
        let thread = thread::Builder::new().name(format!("to {}", ledger.name)).spawn(move || {
            if let Some(before) = before {
                // What it has in hand is not to be sent twice. A panic there was told of by its own thread.
                let _ = before.join();
            }
            let ways = remote.kinds().iter().map(|kind| Way::new(*kind, Backoff::new(remote.pace()))).collect();
            Loop { remote, backlog: &backlog, ledger: &ledger, signals: &signals, ways }.run();
            signals.change(|state| state.ended = true);
        })?;
        *last = Some(thread);
        Ok(sender)
    }

    /// Something was appended; with `urgent`, someone waits for word of it, so it is tried at once.
    pub fn wake(&self, urgent: bool) {
        self.signals.change(|state| {
            state.arrived = true;
            state.urgent |= urgent;
        });
    }

    /// Sends what waits as long as that works, at most for so long, and ends.
    pub fn finish(&mut self, within: Duration) {
        let until = Instant::now() + within;
        self.signals.change(|state| state.end = Some(until));
        let state = self.signals.lock();
        let left = until.saturating_duration_since(Instant::now());
        // A receiver that hangs is left to the end of the process: what it has in hand stays in the spool.
        drop(self.signals.changed.wait_timeout_while(state, left, |state| !state.ended));
        self.interrupt();
    }

    fn interrupt(&self) {
        if let Some(interrupt) = &self.interrupt {
            interrupt();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.signals.change(|state| state.end = Some(Instant::now()));
        self.interrupt();
    }
}

/// Between the thread and those who wake or end it.
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

impl State {
    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
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
    ways: Vec<Way>,
}

/// The items of one kind go their way: a receiver that takes no rows still gets alerts.
struct Way {
    kind: Kind,
    load: Load,
    backoff: Backoff,
    pause: Option<Pause>,
}

/// After a setback.
struct Pause {
    until: Instant,
    /// The receiver asked for it: it holds whoever waits.
    asked: bool,
}

impl Way {
    fn new(kind: Kind, backoff: Backoff) -> Self {
        Self { kind, load: Load::default(), backoff, pause: None }
    }

    /// Whether it has something to send, and may.
    fn is_ready(&self) -> bool {
        !self.load.is_empty() && self.pause.as_ref().is_none_or(|pause| pause.until <= Instant::now())
    }
}

impl Loop<'_> {
    fn run(&mut self) {
        loop {
            // Before the spool is read: what arrives afterwards is noticed.
            let (end, urgent) = {
                let mut state = self.signals.lock();
                state.arrived = false;
                (state.end, std::mem::take(&mut state.urgent))
            };
            if end.is_some_and(|end| end <= Instant::now()) {
                return;
            }
            if urgent {
                self.go_on();
            }
            if end.is_none() && self.remote.greets_at().is_some_and(|at| at <= Instant::now()) {
                self.greet();
                continue;
            }
            self.fetch();
            match self.ways.iter().position(Way::is_ready) {
                Some(way) => self.send(way),
                None if end.is_some() => return,
                None => self.wait(),
            }
        }
    }

    /// What waits for the next try is tried at once.
    fn go_on(&mut self) {
        for way in &mut self.ways {
            way.pause.take_if(|pause| !pause.asked);
        }
    }

    fn greet(&mut self) {
        match self.remote.greet() {
            Ok(true) => {
                self.go_on();
                self.ledger.works();
                self.ledger.set_notes(self.remote.notes());
            }
            Ok(false) => {}
            Err(setback) if !self.signals.lock().is_over() => self.ledger.failed(&setback.reason),
            Err(_) => {}
        }
        self.ledger.note_given_up();
    }

    /// Takes the next items from the spool, where nothing of the last ones is left.
    fn fetch(&mut self) {
        let (most, bytes) = self.remote.bounds();
        let spool = &self.backlog.spool;
        for way in self.ways.iter_mut().filter(|way| way.load.is_empty()) {
            if way.kind == Kind::Urgent {
                way.load = Load::items(spool.next_of(Kind::Urgent, most, bytes));
                continue;
            }
            // Each of these has messages of its own.
            while way.load.is_empty()
                && let Some(item) = spool.next_of(Kind::Bulk, 1, bytes).pop()
            {
                match self.remote.parts(&item.body) {
                    Some(parts) if !parts.is_empty() => way.load = Load::parts(item, parts),
                    Some(_) => spool.confirm(&[item.id]),
                    None => spool.reject(&item, "it is not what such items are"),
                }
            }
        }
    }

    /// Waits for something to do, and then for more to go with it, as the receiver likes it.
    fn wait(&self) {
        // A spool that has items in memory alone puts them on disk when it is asked for some.
        let trouble = self.backlog.spool.stats().trouble.map(|_| Instant::now() + DISK_TROUBLE);
        let waiting = self.ways.iter().filter(|way| !way.load.is_empty());
        let pauses = waiting.filter_map(|way| way.pause.as_ref().map(|pause| pause.until));
        let until = pauses.chain(self.remote.greets_at()).chain(trouble).min();
        // What arrives matters to a way that has nothing to do.
        let is_idle = self.ways.iter().any(|way| way.load.is_empty());
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        self.signals.wait(left, |state| state.urgent || (is_idle && state.arrived));
        let linger = self.remote.linger();
        if is_idle && !linger.is_zero() {
            let (most, _) = self.remote.bounds();
            self.signals.wait(Some(linger), |state| state.urgent || self.waiting() >= most);
        }
    }

    fn waiting(&self) -> usize {
        let stats = self.backlog.spool.stats();
        usize::try_from(stats.disk[Kind::Urgent as usize].items + stats.memory.items).unwrap_or(usize::MAX)
    }

    /// One try.
    fn send(&mut self, way: usize) {
        let Way { kind, load, .. } = &self.ways[way];
        let messages = load.next(*kind, self.remote.bounds());
        let Answer { mut settled, mut setback } = self.remote.send(&messages);
        settled.truncate(messages.len());
        if setback.is_none() && settled.is_empty() {
            let reason = "the receiver left messages without a word".to_owned();
            setback = Some(Setback { reason, wait: None, lasting: false });
        }
        self.settle(way, settled);
        self.ledger.note_given_up();
        self.ways[way].pause = None;
        if let Some(setback) = setback
            && !self.signals.lock().is_over()
        {
            self.pause(way, &setback);
        }
    }

    /// Takes out of the spool what has arrived, or is out of anyone's hands.
    fn settle(&mut self, way: usize, settled: Vec<Settled>) {
        let Way { kind, load, backoff, .. } = &mut self.ways[way];
        let (Backlog { spool, .. }, name) = (self.backlog, &self.ledger.name);
        let done = load.settle(settled, |reason| self.ledger.too_large(reason));
        let (mut arrived, mut confirmed) = (Vec::new(), 0);
        for (part, settled) in &done {
            let item = load.item(part);
            match settled {
                Settled::Confirmed => {
                    confirmed += 1;
                    arrived.push((item, Outcome::Confirmed));
                }
                Settled::HandedOver(known) => arrived.push((item, Outcome::HandedOver(known))),
                Settled::TooLarge(reason) | Settled::Rejected(reason) => {
                    match kind {
                        Kind::Urgent => spool.reject(item, reason),
                        Kind::Bulk => spool.reject_part(item, 1, reason, load.body(part)),
                    }
                    self.ledger.rejected(item.uuid, reason);
                    self.backlog.tell(name, item.uuid, &Outcome::Rejected(reason.clone()));
                }
            }
        }
        match kind {
            Kind::Urgent => spool.confirm(&arrived.iter().map(|(item, _)| item.id).collect::<Vec<_>>()),
            // An item leaves the spool with the last of its messages.
            Kind::Bulk if load.is_empty() => {
                if let Some((part, _)) = done.last() {
                    spool.confirm(&[load.item(part).id]);
                }
            }
            Kind::Bulk => {}
        }
        self.ledger.confirmed(confirmed);
        self.ledger.handed_over(arrived.len() - confirmed);
        if *kind == Kind::Urgent {
            arrived.iter().for_each(|(item, outcome)| self.backlog.tell(name, item.uuid, outcome));
        }
        if !arrived.is_empty() {
            backoff.reset();
            self.ledger.set_notes(self.remote.notes());
        }
    }

    fn pause(&mut self, way: usize, setback: &Setback) {
        self.ledger.failed(&setback.reason);
        let Way { kind, backoff, pause, .. } = &mut self.ways[way];
        if *kind == Kind::Urgent {
            self.backlog.tell_all(&self.ledger.name, &Outcome::Retrying(setback.reason.clone()));
        }
        let wait = match setback.lasting {
            true => backoff.wait_after_refusal(setback.wait),
            false => backoff.wait_after_fault(setback.wait),
        };
        backoff.count();
        let now = Instant::now();
        let until = now.checked_add(wait).unwrap_or(now + LONGEST);
        *pause = Some(Pause { until, asked: setback.wait.is_some() });
    }
}
