//! How much waits for one receiver: bounded by a number of messages, and by bytes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use budget::{Budget, Part};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// The room for what waits for one receiver.
pub(super) struct Room {
    /// Messages at most.
    most: usize,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    freed: Notify,
}

/// A place in it, which is free again when this is dropped.
pub(super) struct Place {
    bytes: usize,
    waiting: Arc<Waiting>,
}

impl Room {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), waiting: Arc::default() }
    }

    /// A place for a message of so many bytes, if there is one. A message always finds room where none waits.
    pub(super) fn take(&self, bytes: usize, budget: Budget) -> Option<Place> {
        let (messages, taken) = self.taken();
        let is_scarce = budget.charged(Part::Network) > budget.limit() / 4;
        let lacks = messages >= self.most || is_scarce || taken + bytes > share(budget);
        if messages > 0 && lacks {
            return None;
        }
        self.waiting.messages.fetch_add(1, Relaxed);
        self.waiting.bytes.fetch_add(bytes, Relaxed);
        Some(Place { bytes, waiting: Arc::clone(&self.waiting) })
    }

    /// How many are in it.
    pub(super) fn messages(&self) -> usize {
        self.waiting.messages.load(Relaxed)
    }

    /// Whether half of it is free.
    pub(super) fn is_half_free(&self, budget: Budget) -> bool {
        let (messages, bytes) = self.taken();
        messages <= self.most / 2 && bytes <= share(budget) / 2
    }

    /// Waits until a place gets free; whether one did.
    pub(super) async fn freed(&self, until: Instant) -> bool {
        timeout_at(until, self.waiting.freed.notified()).await.is_ok()
    }

    fn taken(&self) -> (usize, usize) {
        (self.waiting.messages.load(Relaxed), self.waiting.bytes.load(Relaxed))
    }
}

/// Bytes that may wait for one receiver.
fn share(budget: Budget) -> usize {
    budget.limit() / 32
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.messages.fetch_sub(1, Relaxed);
        self.waiting.bytes.fetch_sub(self.bytes, Relaxed);
        self.waiting.freed.notify_one();
    }
}

/// From now.
pub(super) fn within(time: Duration) -> Instant {
    Instant::now() + time
}
