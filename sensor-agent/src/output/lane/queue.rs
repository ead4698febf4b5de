//! The bounded queue before each output.
//!
//! A queue outlives the thread that empties it: when a reload changes an output, the queue with all that waits in it
//! goes over to a new thread. Of the threads that ever served a queue only its owner gets anything from it.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::output::{
    metrics::Ledger,
    queued::{Outcome, QueuedAlert},
};

/// The pause between two tries of an output that ends.
const LAST_PAUSE: Duration = Duration::from_millis(250);

/// What can wait for an output.
pub(crate) trait Load: Send + 'static {
    /// How much it counts: alerts one each, batches their rows.
    fn weight(&self) -> usize;

    /// Tells whoever waits for it what becomes of it.
    fn tell(&self, output: &str, outcome: &Outcome);

    /// The alert, if someone waits for word of it.
    fn awaited(&self) -> Option<&QueuedAlert> {
        None
    }
}

/// Hands over what waited, on the output's own thread.
pub(crate) trait Deliver<T>: Send {
    /// Hands over as many items as it can, in order from the first, and counts them in the ledger. What it has handed
    /// over in part it goes on with when it is called again.
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
pub(crate) struct Delivery {
    /// Items that need no more: sent, or filtered out.
    pub(crate) done: usize,
    /// Why the others were not handed over; none only if all were.
    pub(crate) failure: Option<Failure>,
}

/// Why something was not handed over.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// It may work later.
    Retry(String),
    /// Nobody is there any more to take it.
    Gone(String),
}

/// See the module.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: VecDeque<(Instant, T)>,
    /// Of all that waits.
    weight: usize,
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

impl<T: Load> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            weight: 0,
            capacity,
            in_hand: None,
            owner: 0,
            last_owner: 0,
            flush: false,
            phase: Phase::Open,
            finished: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Puts something in without waiting, or gives it back if there is no room. One item always finds room in an
    /// empty queue.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.lock();
        let weight = state.weight.saturating_add(item.weight());
        if state.phase != Phase::Open || weight > state.capacity && !state.waiting.is_empty() {
            return Err(item);
        }
        state.weight = weight;
        state.waiting.push_back((Instant::now(), item));
        drop(state);
        self.changed.notify_all();
        Ok(())
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
                let count = most.min(state.waiting.len());
                let items: Vec<T> = state.waiting.drain(..count).map(|(_, item)| item).collect();
                let weight = items.iter().map(T::weight).sum();
                state.weight -= weight;
                state.in_hand = Some(InHand { since, weight, settled: ledger.settled() });
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
            state.weight += item.weight();
            state.waiting.push_front((since, item));
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
            state.in_hand = None;
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

    /// Gives up what waits: returns it, and the weight of what is left of what the owner has in hand.
    pub(crate) fn abandon(&self, ledger: &Ledger) -> (Vec<T>, usize) {
        let mut state = self.lock();
        state.phase = Phase::Abandoned;
        state.weight = 0;
        let waiting = state.waiting.drain(..).map(|(_, item)| item).collect();
        let in_hand = state.in_hand.take().map_or(0, |taken| taken.left(ledger.settled()));
        drop(state);
        self.changed.notify_all();
        (waiting, in_hand)
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
mod tests {
    use super::*;

    impl Load for u8 {
        fn weight(&self) -> usize {
            1
        }

        fn tell(&self, _output: &str, _outcome: &Outcome) {}
    }

    #[test]
    fn who_comes_late_is_not_the_owner() {
        let queue = Queue::new(1);
        let (first, second) = (queue.next_owner(), queue.next_owner());
        assert!(queue.hand_over(second, 2));
        assert!(!queue.hand_over(first, 1), "the second was to come later");
        queue.push(1_u8).unwrap();
        queue.push(2).unwrap();
        assert_eq!(queue.push(3), Err(3));
        assert_eq!(queue.pause(first, Duration::ZERO), Next::HandedOver);
        assert_eq!(queue.pause(second, Duration::ZERO), Next::GoOn);
    }
}
