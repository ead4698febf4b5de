//! The bounded queue before each output.
//!
//! A queue outlives the thread that empties it: when a reload changes an output, the queue with all that waits in it
//! goes over to a new thread. Of the threads that ever served a queue only its owner gets anything from it.
//!
//! It is bounded twice: by a number, and by bytes, for it is the watched programs that decide how large a piece is. An
//! alert that is the first of its [`Sort`] takes the place of one that repeats another.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use budget::{Budget, Pressure};

use super::sort::Sort;
use crate::{
    cause::Cause,
    ledger::Ledger,
    outcome::{Awaited, Outcome},
};

/// The pause between two tries of an output that ends.
const LAST_PAUSE: Duration = Duration::from_millis(250);

/// What can wait for an output.
pub trait Load: Send + 'static {
    /// How much it counts: one each, batches their records.
    fn weight(&self) -> usize;

    /// Bytes that it takes.
    fn size(&self) -> usize;

    /// What sort it is of, if it is urgent; none for what makes room for that.
    fn sort(&self) -> Option<Sort>;

    /// When what it tells of happened, nanoseconds since the Unix epoch, if that is measured.
    fn happened(&self) -> Option<u64> {
        None
    }

    /// Tells whoever waits for it what becomes of it.
    fn tell(&self, output: &str, outcome: &Outcome);

    /// Its name and who waits, if someone waits for word of it.
    fn awaited(&self) -> Option<&Awaited> {
        None
    }
}

/// Hands over what waited, on the output's own thread.
pub trait Deliver<T>: Send {
    /// Hands over what goes in one piece, in order from the first item, and counts it in the ledger. It is called again for
    /// the rest, and goes on where it was within an item: between two pieces the output can be stopped.
    fn deliver(&mut self, items: &mut [T], ledger: &Ledger) -> Delivery;

    /// Forgets what it had handed over in part: those items were given up.
    fn reset(&mut self);

    /// Called once, before everything else, when nobody serves the output under other settings any more.
    fn start(&mut self, _ledger: &Arc<Ledger>) {}

    /// What it keeps in memory by itself is to be safe soon: the sensor is about to end. Does not wait.
    fn flush(&mut self) {}

    /// Nothing more comes: ends, in bounded time.
    fn finish(&mut self, _ledger: &Ledger) {}
}

/// How far a delivery came.
#[derive(Debug, Default)]
pub struct Delivery {
    /// Items that need no more: sent, or filtered out.
    pub done: usize,
    /// Why the others cannot be handed over now; none if they only want another call.
    pub failure: Option<Failure>,
}

/// Why something was not handed over.
#[derive(Clone, Debug)]
pub enum Failure {
    /// It may work later.
    Retry(String),
    /// Nobody is there any more to take it.
    Gone(String),
}

/// See the module.
pub(crate) struct Queue<T> {
    budget: Budget,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: VecDeque<(Instant, T)>,
    /// Of all that waits.
    weight: usize,
    bytes: usize,
    /// How many of each sort wait, by both of its numbers.
    sorts: HashMap<u64, usize>,
    capacity: usize,
    in_hand: Option<InHand>,
    owner: u64,
    /// The last one that is or will be the owner.
    last_owner: u64,
    /// The owner is to make safe what it has gathered, after what waits.
    flush: bool,
    phase: Phase,
    /// The last owner has nothing more to do.
    finished: bool,
}

/// What the owner took and has not finished.
struct InHand {
    since: Instant,
    weight: usize,
    bytes: usize,
    /// [`Ledger::settled`] when it was taken: what was settled since is of this.
    settled: u64,
}

impl InHand {
    fn left(&self, settled: u64) -> usize {
        let done = usize::try_from(settled - self.settled).unwrap_or(usize::MAX);
        self.weight.saturating_sub(done)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more comes in; what waits still goes out.
    Closing,
    /// Nothing more goes out.
    Abandoned,
}

/// Whether a thread that paused is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    GoOn,
    /// Another thread owns the queue now.
    HandedOver,
    /// What is left has been given up, and counted.
    Abandoned,
    /// Nothing more comes, and nothing is left.
    Drained,
}

impl<T: Load> State<T> {
    fn put(&mut self, since: Instant, item: T, in_front: bool) {
        self.weight = self.weight.saturating_add(item.weight());
        self.bytes += item.size();
        for number in item.sort().iter().flat_map(Sort::numbers) {
            *self.sorts.entry(number).or_default() += 1;
        }
        match in_front {
            true => self.waiting.push_front((since, item)),
            false => self.waiting.push_back((since, item)),
        }
    }

    fn remove(&mut self, at: usize) -> Option<(Instant, T)> {
        let (since, item) = self.waiting.remove(at)?;
        self.weight -= item.weight();
        self.bytes -= item.size();
        for number in item.sort().iter().flat_map(Sort::numbers) {
            if let Entry::Occupied(mut count) = self.sorts.entry(number) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
        Some((since, item))
    }

    /// Why there is no room for it; one item always finds room in an empty queue.
    fn lacks(&self, item: &T, budget: Budget) -> Option<Cause> {
        if self.phase != Phase::Open {
            return Some(Cause::QueueFull);
        }
        if self.waiting.is_empty() {
            return None;
        }
        if self.weight.saturating_add(item.weight()) > self.capacity {
            return Some(Cause::QueueFull);
        }
        let bytes = self.bytes + self.in_hand.as_ref().map_or(0, |taken| taken.bytes) + item.size();
        let yields = item.sort().is_none() && budget.pressure() > Pressure::None;
        (yields || bytes > budget.share()).then_some(Cause::Memory)
    }

    /// Where the youngest one waits that repeats another, if the item itself repeats none: one of the same kind and source, or,
    /// for the first of a kind, one of the same kind.
    fn repeat_for(&self, item: &T) -> Option<usize> {
        let sort = item.sort().filter(|sort| self.phase == Phase::Open && !self.sorts.contains_key(&sort.own))?;
        let youngest = |number: fn(Sort) -> u64| {
            let repeats = |other: &T| other.sort().is_some_and(|sort| self.sorts.get(&number(sort)) > Some(&1));
            self.waiting.iter().rposition(|(_, other)| repeats(other))
        };
        let is_first_of_kind = !self.sorts.contains_key(&sort.kind);
        youngest(|sort| sort.own).or_else(|| youngest(|sort| sort.kind).filter(|_| is_first_of_kind))
    }
}

impl<T: Load> Queue<T> {
    pub(crate) fn new(capacity: usize, budget: Budget) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            weight: 0,
            bytes: 0,
            sorts: HashMap::new(),
            capacity,
            in_hand: None,
            owner: 0,
            last_owner: 0,
            flush: false,
            phase: Phase::Open,
            finished: false,
        };
        Self { budget, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Puts something in without waiting. Returns what there is no room for, and why: this item, or one that makes room
    /// for it.
    pub(crate) fn push(&self, item: T) -> Option<(T, Cause)> {
        let mut state = self.lock();
        let mut given_up = None;
        if let Some(cause) = state.lacks(&item, self.budget) {
            let repeat = state.repeat_for(&item).and_then(|at| state.remove(at));
            match repeat {
                Some((_, repeat)) => given_up = Some((repeat, cause)),
                None => return Some((item, cause)),
            }
        }
        state.put(Instant::now(), item, false);
        drop(state);
        self.changed.notify_all();
        given_up
    }

    /// Takes out the oldest that waits, for want of memory.
    pub(crate) fn pop_oldest(&self) -> Option<T> {
        self.lock().remove(0).map(|(_, item)| item)
    }

    /// Takes up to so many items, waiting for the first; no items if what was taken before is to be made safe. None if
    /// there is nothing more to do for this owner.
    pub(crate) fn take(&self, owner: u64, most: usize, ledger: &Ledger) -> Option<Vec<T>> {
        let mut state = self.lock();
        loop {
            if state.owner != owner || state.phase == Phase::Abandoned {
                return None;
            }
            if let Some(&(since, _)) = state.waiting.front() {
                let (mut items, mut bytes) = (Vec::new(), 0);
                while items.len() < most && (bytes < self.budget.piece() || items.is_empty()) {
                    let Some((_, item)) = state.remove(0) else { break };
                    bytes += item.size();
                    items.push(item);
                }
                let weight = items.iter().map(T::weight).sum();
                state.in_hand = Some(InHand { since, weight, bytes, settled: ledger.settled() });
                return Some(items);
            }
            if std::mem::take(&mut state.flush) {
                return Some(Vec::new());
            }
            if state.phase == Phase::Closing {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// What was taken is finished. The next owner takes nothing before the one before it has ended.
    pub(crate) fn done(&self) {
        self.lock().in_hand = None;
    }

    /// Whether nothing more comes for this owner, who has done all there was to do.
    pub(crate) fn is_drained(&self, owner: u64) -> bool {
        let state = self.lock();
        state.owner == owner && state.phase == Phase::Closing
    }

    /// Tells whoever waits for what is in the queue how it stands.
    pub(crate) fn tell_waiting(&self, output: &str, outcome: &Outcome) {
        self.lock().waiting.iter().for_each(|(_, item)| item.tell(output, outcome));
    }

    /// Puts back what was taken and not finished, before everything else, for the next owner.
    pub(crate) fn give_back(&self, items: Vec<T>) {
        let mut state = self.lock();
        let since = state.in_hand.take().map_or_else(Instant::now, |taken| taken.since);
        for item in items.into_iter().rev() {
            state.put(since, item, true);
        }
    }

    /// Waits before the next try; shorter once nothing more comes in, for those tries are the last.
    pub(crate) fn pause(&self, owner: u64, wait: Duration) -> Next {
        let mut until = Instant::now() + wait;
        let mut state = self.lock();
        loop {
            if state.phase == Phase::Closing {
                until = until.min(Instant::now() + LAST_PAUSE);
            }
            if state.phase == Phase::Abandoned {
                return Next::Abandoned;
            }
            if state.owner != owner {
                return Next::HandedOver;
            }
            if state.phase == Phase::Closing && state.waiting.is_empty() && state.in_hand.is_none() {
                return Next::Drained;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::GoOn;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Who the owner will be after the last one that will be.
    pub(crate) fn next_owner(&self) -> u64 {
        let mut state = self.lock();
        state.last_owner += 1;
        state.last_owner
    }

    /// Makes this one the owner. False if one that was to come later is it already.
    pub(crate) fn hand_over(&self, owner: u64, capacity: usize) -> bool {
        let mut state = self.lock();
        if owner <= state.owner {
            return false;
        }
        state.owner = owner;
        state.capacity = capacity;
        drop(state);
        self.changed.notify_all();
        true
    }

    /// Has the owner make safe what it has gathered, once it has what waits.
    pub(crate) fn flush(&self) {
        self.lock().flush = true;
        self.changed.notify_all();
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// The owner's thread ends.
    pub(crate) fn finish(&self, owner: u64) {
        let mut state = self.lock();
        if state.owner == owner {
            state.finished = true;
            if state.phase != Phase::Abandoned {
                state.in_hand = None;
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until the owner's thread has ended; whether it has.
    pub(crate) fn wait_finished(&self, until: Instant) -> bool {
        let mut state = self.lock();
        while !state.finished {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Gives up what waits, and returns it. What the owner has in hand it need not finish, but for the piece that it is just
    /// handing over.
    pub(crate) fn abandon(&self) -> Vec<T> {
        let mut state = self.lock();
        state.phase = Phase::Abandoned;
        let waiting = std::iter::from_fn(|| state.remove(0)).map(|(_, item)| item).collect();
        drop(state);
        self.changed.notify_all();
        waiting
    }

    /// Whether what is left was given up.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.lock().phase == Phase::Abandoned
    }

    /// The weight of what the owner had in hand and did not hand over, once it was [`Self::abandon`]ed and has ended, or at
    /// this time: nobody can tell whether a piece that is being handed over still arrives.
    pub(crate) fn left_in_hand(&self, ledger: &Ledger, until: Instant) -> usize {
        self.wait_finished(until);
        self.lock().in_hand.take().map_or(0, |taken| taken.left(ledger.settled()))
    }

    /// The weight of what is not finished, and how long the oldest of it has waited.
    pub(crate) fn backlog(&self, ledger: &Ledger) -> (usize, Option<Duration>) {
        let state = self.lock();
        let oldest = state.in_hand.as_ref().map(|taken| taken.since).or(state.waiting.front().map(|(since, _)| *since));
        let in_hand = state.in_hand.as_ref().map_or(0, |taken| taken.left(ledger.settled()));
        (state.weight + in_hand, oldest.map(|since| since.elapsed()))
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
