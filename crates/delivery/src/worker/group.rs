//! All outputs of one sort, and how a reload changes them.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc},
    thread,
    time::{Duration, Instant},
};

use budget::Budget;

use super::{
    FirstTry, LAST_PIECE, Ready, Worker,
    opening::Open,
    queue::{Deliver, Load},
};
use crate::{
    ledger::{Ledger, OutputStatus},
    open_error::OpenError,
    outcome::Outcome,
};

/// How long an output that a reload has removed may take for what it still has.
const REMOVED_WITHIN: Duration = Duration::from_secs(30);
/// How long word of outputs that cannot be opened is waited for: opening may hang, as on a network file system.
const FIRST_TRY_WITHIN: Duration = Duration::from_secs(1);

/// The settings of one output.
pub trait Route: Clone + PartialEq + Send + Sync + 'static {
    type Item: Load + Clone;

    fn name(&self) -> &str;
    fn kind(&self) -> &'static str;
    /// Where it goes.
    fn place(&self) -> String;
    /// Weight that may wait.
    fn capacity(&self) -> usize;
    /// Whether the output is to get it.
    fn takes(&self, item: &Self::Item) -> bool;
    /// Opens the target. What cannot be had now is tried again.
    fn open(&self) -> Result<Box<dyn Deliver<Self::Item>>, OpenError>;

    /// Whether these are settings of the same output, so that what waits for one is for the other.
    fn is_same(&self, other: &Self) -> bool;
}

/// See the module.
pub struct Group<R: Route> {
    /// One change at a time. Held while word of outputs that open is waited for; `workers` is not.
    changing: Mutex<()>,
    workers: RwLock<Vec<(R, Worker<R::Item>)>>,
    /// Outputs that a reload has removed: what they lost is still to be told of.
    removed: Mutex<Vec<Arc<Worker<R::Item>>>>,
    budget: Budget,
}

impl<R: Route> Default for Group<R> {
    fn default() -> Self {
        Self {
            changing: Mutex::default(),
            workers: RwLock::default(),
            removed: Mutex::default(),
            budget: Budget::unlimited(),
        }
    }
}

impl<R: Route> Group<R> {
    /// One whose items take memory out of a budget.
    pub fn within(budget: Budget) -> Self {
        Self { budget, ..Self::default() }
    }

    /// Gives up what waits, the oldest first, while memory is scarce.
    pub fn shed(&self) {
        self.read().iter().for_each(|(_, worker)| worker.shed());
    }

    /// Hands an item to each output that takes it, without waiting.
    pub fn send(&self, item: &R::Item) {
        for (settings, worker) in &*self.read() {
            if settings.takes(item) {
                worker.push(item.clone());
            } else {
                item.tell(settings.name(), &Outcome::NotTaken);
            }
        }
    }

    /// Makes everything ready for these settings and changes nothing yet: the first of two steps, so that a
    /// configuration which is refused anywhere leaves everything as it was.
    ///
    /// # Errors
    ///
    /// Two have the same name, or there can be no more threads.
    pub fn prepare(&self, settings: Vec<R>) -> Result<Prepared<'_, R>, Vec<OpenError>> {
        let changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut errors = same_names(&settings);
        let (first, tries) = mpsc::channel();
        let mut next = Vec::new();
        for settings in settings {
            let stays = self.read().iter().any(|(before, _)| *before == settings);
            let ready = (!stays).then(|| Ready::new(settings.name(), opener(&settings), FirstTry::clone(&first)));
            match ready.transpose() {
                Ok(ready) => next.push((settings, ready)),
                Err(reason) => errors.push(no_thread(&settings, reason)),
            }
        }
        if errors.is_empty() { Ok(Prepared { group: self, _changing: changing, next, tries }) } else { Err(errors) }
    }

    /// Puts these settings in force; see [`Self::prepare`] and [`Prepared::commit`].
    pub fn reconfigure(&self, settings: Vec<R>) -> Result<Vec<OpenError>, Vec<OpenError>> {
        Ok(self.prepare(settings)?.commit())
    }

    /// It has been told what this output gave up, by cause: see [`Ledger::reported`].
    pub fn reported(&self, name: &str, given_up: &[(&'static str, u64)]) {
        if let Some((_, worker)) = self.read().iter().find(|(settings, _)| settings.name() == name) {
            worker.ledger.reported(given_up);
        }
    }

    /// Has each output make safe what it keeps in memory by itself, without waiting.
    pub fn flush(&self) {
        self.read().iter().for_each(|(_, worker)| worker.queue.flush());
    }

    /// The names of the outputs.
    pub fn names(&self) -> Vec<String> {
        let workers = self.read();
        workers.iter().map(|(settings, _)| settings.name().to_owned()).collect()
    }

    /// What each output did, those included that a reload has removed and that are not done or have lost something.
    pub fn status(&self) -> Vec<OutputStatus> {
        let there: Vec<OutputStatus> = self.read().iter().map(|(_, worker)| worker.status()).collect();
        let removed: Vec<OutputStatus> = self.removed().iter().map(|worker| worker.status()).collect();
        there.into_iter().chain(removed.into_iter().filter(is_worth_telling)).collect()
    }

    /// Lets what waits go out for at most so long, and [`LAST_PIECE`], and gives up the rest. Returns what each output did; the
    /// status goes on to tell of it.
    pub fn stop(&self, within: Duration) -> Vec<OutputStatus> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + within;
        let workers = self.read();
        workers.iter().for_each(|(_, worker)| worker.queue.close());
        workers.iter().for_each(|(_, worker)| worker.finish(until));
        let removed = self.removed();
        removed.iter().for_each(|worker| worker.finish(until));
        // Threads that are stuck in a write are left to the end of the process.
        let until = until + LAST_PIECE;
        workers
            .iter()
            .map(|(_, worker)| worker)
            .chain(removed.iter().map(Arc::as_ref))
            .for_each(|worker| worker.let_go(until));
        drop((workers, removed));
        self.status()
    }

    /// The ledger of a new output. One that was removed and comes back has its spool still open.
    fn new_ledger(&self, settings: &R) -> Ledger {
        let ledger = Ledger::new(settings.name(), settings.kind()).within(self.budget);
        let mut removed = self.removed();
        if let Some(at) = removed.iter().position(|worker| ledger.inherits(&worker.ledger)) {
            removed.remove(at);
        }
        ledger
    }

    /// Ends an output that is not configured any more, without anyone waiting for it.
    fn retire(&self, worker: Arc<Worker<R::Item>>) {
        worker.queue.close();
        let name = worker.ledger.name.clone();
        let mut removed = self.removed();
        removed.retain(|worker| is_worth_telling(&worker.status()));
        removed.push(Arc::clone(&worker));
        let until = Instant::now() + REMOVED_WITHIN;
        let end = move || {
            worker.finish(until);
            worker.let_go(until + LAST_PIECE);
        };
        if let Err(error) = thread::Builder::new().name(format!("end {name}")).spawn(end) {
            tracing::error!(output = name, %error, "nobody watches over the end of a removed output");
        }
    }

    fn removed(&self) -> MutexGuard<'_, Vec<Arc<Worker<R::Item>>>> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<(R, Worker<R::Item>)>> {
        self.workers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<(R, Worker<R::Item>)>> {
        self.workers.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Settings that can come into force; without [`Self::commit`] they do not.
pub struct Prepared<'a, R: Route> {
    group: &'a Group<R>,
    _changing: MutexGuard<'a, ()>,
    /// Without a thread of its own: the one that is there goes on.
    next: Vec<(R, Option<Ready<R::Item>>)>,
    tries: mpsc::Receiver<Option<OpenError>>,
}

impl<R: Route> Prepared<'_, R> {
    /// Puts the settings in force. Outputs whose settings stay go on; those that change get new threads and keep what
    /// waits; those that are gone send what waits and end. Returns those that could not be opened at once.
    pub fn commit(self) -> Vec<OpenError> {
        let Self { group, _changing, next, tries } = self;
        let mut workers = group.write();
        let mut old = std::mem::take(&mut *workers);
        for (settings, ready) in next {
            let before = old.iter().position(|(old, _)| old.is_same(&settings)).map(|at| old.swap_remove(at).1);
            let capacity = settings.capacity();
            let worker = match (before, ready) {
                (Some(worker), None) => worker,
                (Some(worker), Some(ready)) => worker.replace(capacity, ready),
                (None, Some(ready)) => Worker::start(group.new_ledger(&settings), capacity, ready),
                // Only what is there already goes without.
                (None, None) => continue,
            };
            workers.push((settings, worker));
        }
        drop(workers);
        for (_, worker) in old {
            group.retire(Arc::new(worker));
        }
        not_opened(&tries)
    }
}

/// Whether an output that was removed has more to do, or has lost something.
fn is_worth_telling(status: &OutputStatus) -> bool {
    status.queued > 0 || status.lost() > 0
}

/// Those that have the name of one before them.
fn same_names<R: Route>(settings: &[R]) -> Vec<OpenError> {
    let is_second = |at: &usize| settings[..*at].iter().any(|other| other.name() == settings[*at].name());
    let told = |at: usize| {
        let reason = io::Error::new(io::ErrorKind::AlreadyExists, "another one has the same name");
        open_error(&settings[at], settings[at].place(), reason)
    };
    (0..settings.len()).filter(is_second).map(told).collect()
}

fn opener<R: Route>(settings: &R) -> Open<R::Item> {
    let settings = settings.clone();
    Box::new(move || settings.open())
}

/// Waits until each has tried once to open, if that does not take long; those that failed.
fn not_opened(tries: &mpsc::Receiver<Option<OpenError>>) -> Vec<OpenError> {
    let until = Instant::now() + FIRST_TRY_WITHIN;
    let next = || tries.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    std::iter::from_fn(next).flatten().collect()
}

fn no_thread<R: Route>(settings: &R, reason: io::Error) -> OpenError {
    open_error(settings, "a thread".to_owned(), reason)
}

fn open_error<R: Route>(settings: &R, place: String, reason: io::Error) -> OpenError {
    OpenError { name: settings.name().to_owned(), place, reason: Arc::new(reason) }
}
