//! The thread behind each queue: opens, takes, delivers, tries again, gives up.

pub mod group;
mod opening;
pub mod queue;
pub mod sort;

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use budget::Pressure;

use self::{
    opening::{Open, Opening},
    queue::{Deliver, Delivery, Failure, Load, Next, Queue},
};
use crate::{
    cause::Cause,
    ledger::{Ledger, OutputStatus},
    open_error::OpenError,
    outcome::Outcome,
};

/// Items taken at once: a wake-up and a write per batch.
const BATCH: usize = 256;
/// Pauses before a try is repeated: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What is just being handed over when an output is stopped has so long to get there: what is told of it is true then.
pub(crate) const LAST_PIECE: Duration = Duration::from_millis(250);

/// Who is told how the first try to open an output went: why it failed, if it did.
pub(crate) type FirstTry = Sender<Option<OpenError>>;

/// An output at work.
pub(crate) struct Worker<T> {
    pub(crate) queue: Arc<Queue<T>>,
    pub(crate) ledger: Arc<Ledger>,
    thread: JoinHandle<()>,
}

impl<T: Load> Worker<T> {
    /// Starts an output.
    pub(crate) fn start(ledger: Ledger, capacity: usize, ready: Ready<T>) -> Self {
        let (queue, ledger) = (Arc::new(Queue::new(capacity, ledger.budget())), Arc::new(ledger));
        let thread = ready.begin(&queue, &ledger, None);
        Self { queue, ledger, thread }
    }

    /// The same output with other settings: gets all that waits, once the thread before has let go of it.
    pub(crate) fn replace(self, capacity: usize, ready: Ready<T>) -> Self {
        let Self { queue, ledger, thread } = self;
        let before = Before { owner: queue.next_owner(), capacity, thread };
        let thread = ready.begin(&queue, &ledger, Some(before));
        Self { queue, ledger, thread }
    }

    /// Hands something over without waiting.
    pub(crate) fn push(&self, item: T) {
        if let Some((item, cause)) = self.queue.push(item) {
            let reason = match cause {
                Cause::Memory => "there is no memory for more: the output takes less than comes in",
                _ => "the queue is full: the output takes less than comes in",
            };
            self.give_up(&item, cause, reason);
        }
    }

    /// Gives up what waits, the oldest first, while memory is scarce.
    pub(crate) fn shed(&self) {
        while self.ledger.budget().pressure() >= Pressure::Table
            && let Some(item) = self.queue.pop_oldest()
        {
            self.give_up(&item, Cause::Memory, "it makes room for alerts: the sink takes less than comes in");
        }
    }

    fn give_up(&self, item: &T, cause: Cause, reason: &str) {
        self.ledger.dropped(cause, item.weight(), reason);
        item.tell(&self.ledger.name, &Outcome::Dropped(cause));
    }

    /// What it did, and what waits.
    pub(crate) fn status(&self) -> OutputStatus {
        self.ledger.status(self.queue.backlog(&self.ledger))
    }

    /// Waits until what was queued is out, and gives up what waits still. The queue has to be closed before.
    pub(crate) fn finish(&self, until: Instant) {
        if !self.queue.wait_finished(until) {
            let waiting = self.queue.abandon();
            self.give_up_all(waiting.iter().map(T::weight).sum());
            for item in waiting {
                item.tell(&self.ledger.name, &Outcome::Dropped(Cause::Stopped));
            }
        }
    }

    /// After [`Self::finish`]: waits for the piece that is just being handed over, and gives up what is left in hand.
    pub(crate) fn let_go(&self, until: Instant) {
        self.give_up_all(self.queue.left_in_hand(&self.ledger, until));
    }

    fn give_up_all(&self, count: usize) {
        self.ledger.dropped(Cause::Stopped, count, "the output was stopped before everything was sent");
    }
}

/// What a thread takes over from the one before it, and as whom.
struct Before {
    owner: u64,
    capacity: usize,
    thread: JoinHandle<()>,
}

/// What a thread is to serve.
struct Post<T> {
    queue: Arc<Queue<T>>,
    ledger: Arc<Ledger>,
    before: Option<Before>,
}

/// A thread that waits for its output: all that can fail has been done. It ends if it gets none.
pub(crate) struct Ready<T> {
    post: Sender<Post<T>>,
    thread: JoinHandle<()>,
}

impl<T: Load> Ready<T> {
    /// Starts the thread. How its first try to open the output goes is told to `first`.
    ///
    /// # Errors
    ///
    /// If there can be no more threads.
    pub(crate) fn new(name: &str, open: Open<T>, first: FirstTry) -> io::Result<Self> {
        let (post, posts) = mpsc::channel();
        let thread = thread::Builder::new().name(format!("out {name}")).spawn(move || {
            if let Ok(post) = posts.recv() {
                serve(post, open, first);
            }
        })?;
        Ok(Self { post, thread })
    }

    fn begin(self, queue: &Arc<Queue<T>>, ledger: &Arc<Ledger>, before: Option<Before>) -> JoinHandle<()> {
        // It waits for nothing else, so it is there.
        let _ = self.post.send(Post { queue: Arc::clone(queue), ledger: Arc::clone(ledger), before });
        self.thread
    }
}

/// The thread of an output.
fn serve<T: Load>(Post { queue, ledger, before }: Post<T>, open: Open<T>, first: FirstTry) {
    let owner = before.as_ref().map_or(0, |before| before.owner);
    let mut opening = Opening { queue: &queue, ledger: &ledger, owner, open, failed: false };
    // While the one before it has the queue: a socket that both use stays open.
    let mut opened = opening.attempt();
    let _ = first.send(opened.as_ref().err().cloned());
    // Whoever waits for word of all outputs waits until nobody can send any.
    drop(first);
    if let Some(before) = before {
        let is_owner = queue.hand_over(owner, before.capacity);
        // A panic there was told of by its own thread.
        let _ = before.thread.join();
        if !is_owner {
            return;
        }
        if opened.is_err() {
            // The one before may have held what this one needs.
            opened = opening.attempt();
        }
    }
    if let Some(deliver) = opening.until_open(opened) {
        Loop { queue: &queue, ledger: &ledger, owner, deliver }.run();
    }
    queue.finish(owner);
}

struct Loop<'a, T> {
    queue: &'a Queue<T>,
    ledger: &'a Arc<Ledger>,
    owner: u64,
    deliver: Box<dyn Deliver<T>>,
}

impl<T: Load> Loop<'_, T> {
    fn run(&mut self) {
        self.deliver.start(self.ledger);
        while let Some(items) = self.queue.take(self.owner, BATCH, self.ledger) {
            if items.is_empty() {
                self.deliver.flush();
            } else if !self.deliver(items) {
                return;
            }
            self.queue.done();
        }
        if self.queue.is_drained(self.owner) {
            self.deliver.finish(self.ledger);
        }
    }

    /// Delivers all of it, or finds out that it is not to go on.
    fn deliver(&mut self, mut items: Vec<T>) -> bool {
        let (mut wait, mut from) = (FIRST_PAUSE, 0);
        loop {
            let Delivery { done, failure } = self.deliver.deliver(&mut items[from..], self.ledger);
            self.ledger.took(items[from..from + done].iter().filter_map(T::happened));
            from += done;
            if done > 0 {
                wait = FIRST_PAUSE;
            }
            let Some(failure) = failure else {
                match () {
                    () if from == items.len() => return true,
                    () if self.queue.is_abandoned() => return false,
                    () => continue,
                }
            };
            // One piece may be one item: they are taken out together.
            items.drain(..std::mem::take(&mut from));
            match failure {
                Failure::Gone(reason) => {
                    let count = items.iter().map(T::weight).sum();
                    self.ledger.dropped(Cause::Gone, count, &reason);
                    items.iter().for_each(|item| item.tell(&self.ledger.name, &Outcome::Dropped(Cause::Gone)));
                    self.deliver.reset();
                    return true;
                }
                Failure::Retry(reason) => {
                    self.ledger.failed(&reason);
                    let outcome = Outcome::Retrying(reason);
                    items.iter().for_each(|item| item.tell(&self.ledger.name, &outcome));
                }
            }
            match self.queue.pause(self.owner, wait) {
                Next::GoOn => wait = (wait * 2).min(LONGEST_PAUSE),
                Next::HandedOver => {
                    self.queue.give_back(items);
                    return false;
                }
                Next::Abandoned | Next::Drained => return false,
            }
        }
    }
}
