//! What each output did: nothing is lost in silence.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use budget::Budget;
use clock::SteadyTime;
use serde::Serialize;
use uuid::Uuid;

use super::{
    cause::Cause,
    spooled::backlog::{Backlog, SpoolSettings},
};
use crate::{
    latency::{Latency, LatencyStatus},
    spool::Stats,
};

/// An output that keeps failing says so this often.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The state of one output, for `status` and metrics. Numbers are alerts, of a sink rows, since the sensor started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutputStatus {
    pub name: String,
    /// Such as `stdout`.
    pub kind: &'static str,
    /// What waits now, in memory and on disk.
    pub queued: u64,
    /// What was handed over; of a receiver that confirms, what it has answered for.
    pub sent: u64,
    /// Of that, what the receiver has confirmed; none of receivers that do not.
    pub confirmed: Option<u64>,
    /// Receivers that connected and cannot be served.
    pub turned_away: u64,
    /// Alerts that a template made nothing of.
    pub filtered: u64,
    /// Alerts sent in the output's format because their template failed.
    pub template_failed: u64,
    /// Alerts that were shortened to `max_bytes`, or to what their receiver takes.
    pub shortened: u64,
    /// Tries that failed and were made again.
    pub retried: u64,
    /// What was given up before it was spooled or sent, by [`Cause::word`].
    pub dropped: BTreeMap<&'static str, u64>,
    /// Of outputs that keep on disk what is not confirmed.
    pub spool: Option<SpoolStatus>,
    /// How long the oldest that waits has waited, milliseconds.
    pub oldest_age_ms: Option<u64>,
    /// From what happened until it was written, sent, or, of outputs that keep on disk what is not confirmed, safe there.
    pub latency: LatencyStatus,
    pub last_error: Option<LastError>,
    /// What else is to be said of it, each a sentence.
    pub notes: Vec<String>,
}

/// The state of an output's spool. Numbers are alerts, of a sink rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SpoolStatus {
    /// Taken in since the start.
    pub taken_in: u64,
    /// On disk.
    pub stored: u64,
    /// In memory, because the disk takes none.
    pub in_memory: u64,
    /// Size of what is stored, bytes.
    pub bytes: u64,
    /// What the receiver refused for good and is kept for inspection.
    pub dead_letters: u64,
    /// What was given up, by cause.
    pub given_up: BTreeMap<&'static str, u64>,
    /// Besides: what was given up in earlier runs of the sensor and not told then.
    pub given_up_before: BTreeMap<&'static str, u64>,
    /// That has been told in this run.
    pub before_is_told: bool,
    /// Why nothing goes to disk.
    pub trouble: Option<String>,
}

impl OutputStatus {
    /// All that was given up, whatever for.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost_by_cause().map(|(_, count)| count).sum()
    }

    /// The same by cause.
    pub fn lost_by_cause(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let spool = self.spool.iter().flat_map(|spool| &spool.given_up);
        self.dropped.iter().chain(spool).map(|(cause, count)| (*cause, *count))
    }
}

impl SpoolStatus {
    fn of(stats: &Stats) -> Self {
        Self {
            taken_in: stats.appended,
            stored: stats.disk.iter().map(|usage| usage.records).sum(),
            in_memory: stats.memory.records,
            bytes: stats.disk.iter().map(|usage| usage.bytes).sum(),
            dead_letters: stats.dead_letters,
            given_up: stats.given_up.by_cause(),
            given_up_before: stats.given_up_before.by_cause(),
            before_is_told: stats.before_is_told,
            trouble: stats.trouble.as_ref().map(|trouble| trouble.reason.clone()),
        }
    }
}

/// What last went wrong at an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastError {
    pub message: String,
    /// When: seconds since the Unix epoch.
    pub time: u64,
    /// Whether it has worked since.
    pub over: bool,
}

/// Counts for one output, and says in the log when it fails and when it works again.
pub struct Ledger {
    pub name: String,
    kind: &'static str,
    budget: Budget,
    /// What the output's queue need not keep any more: sent, spooled, filtered out, or passed over.
    settled: AtomicU64,
    sent: AtomicU64,
    confirmed: AtomicU64,
    /// Whether the receiver confirms at all.
    confirms: AtomicBool,
    turned_away: AtomicU64,
    filtered: AtomicU64,
    template_failed: AtomicU64,
    shortened: AtomicU64,
    retried: AtomicU64,
    dropped: [AtomicU64; Cause::ALL.len()],
    latency: Latency,
    trouble: Mutex<Trouble>,
    notes: Mutex<Vec<String>>,
    /// What an alert has told of and the spool has not heard yet.
    told: Mutex<Vec<(&'static str, u64)>>,
    /// Of an output that spools: kept here because this outlives changes of the output's settings.
    backlog: OnceLock<Arc<Backlog>>,
    /// Of an output that keeps files of its own until they are sent.
    outbox: Mutex<Option<OutboxStatus>>,
}

/// Files that wait until they are sent.
#[derive(Clone, Debug, Default)]
pub struct OutboxStatus {
    pub status: SpoolStatus,
    /// When the oldest of them was made, nanoseconds since the Unix epoch.
    pub oldest: Option<u64>,
    /// The clock that this is of.
    pub dated_by: SteadyTime,
}

#[derive(Debug, Default)]
struct Trouble {
    /// What the spool had given up when the log was last told.
    given_up: u64,
    spool_logged: Option<Instant>,
    last_error: Option<LastError>,
    /// When the log was last told of a failure, and whether it was told that this one is over.
    failure_logged: Option<Instant>,
    announced: bool,
    drop_logged: Option<Instant>,
    size_logged: Option<Instant>,
    turned_away_logged: Option<Instant>,
}

impl Ledger {
    pub fn new(name: &str, kind: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            budget: Budget::unlimited(),
            settled: AtomicU64::default(),
            sent: AtomicU64::default(),
            confirmed: AtomicU64::default(),
            confirms: AtomicBool::default(),
            turned_away: AtomicU64::default(),
            filtered: AtomicU64::default(),
            template_failed: AtomicU64::default(),
            shortened: AtomicU64::default(),
            retried: AtomicU64::default(),
            dropped: Default::default(),
            latency: Latency::default(),
            trouble: Mutex::default(),
            notes: Mutex::default(),
            told: Mutex::default(),
            backlog: OnceLock::new(),
            outbox: Mutex::default(),
        }
    }

    /// The same for an output whose memory comes out of a budget.
    pub fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Where the output's memory comes from.
    pub const fn budget(&self) -> Budget {
        self.budget
    }

    /// The output's backlog, which is opened if it is not there yet.
    pub fn backlog_in(&self, settings: &SpoolSettings) -> Arc<Backlog> {
        let backlog = self.backlog.get_or_init(|| Arc::new(Backlog::open(settings, self.kind, &self.name)));
        backlog.spool.set_limits(settings.limits);
        Arc::clone(backlog)
    }

    /// Takes over the backlog of an output of the same name and kind that is not configured any more, if it has one.
    pub fn inherits(&self, removed: &Self) -> bool {
        let backlog = removed.backlog.get().filter(|_| (&self.name, self.kind) == (&removed.name, removed.kind));
        backlog.is_some_and(|backlog| self.backlog.set(Arc::clone(backlog)).is_ok())
    }

    /// So much went out: the output works.
    pub fn sent(&self, count: usize) {
        self.settled.fetch_add(count as u64, Relaxed);
        self.sent.fetch_add(count as u64, Relaxed);
        self.works();
    }

    /// What happened at these times, nanoseconds since the Unix epoch, is handed over now.
    pub fn took(&self, times: impl Iterator<Item = u64>) {
        let mut now = None;
        for time in times {
            self.latency.add(now.get_or_insert_with(clock::unix_now).saturating_sub(time));
        }
    }

    /// So much is in the spool now.
    pub fn spooled(&self, count: usize) {
        self.settled.fetch_add(count as u64, Relaxed);
    }

    /// Whether the receiver confirms what it has.
    pub fn set_confirms(&self, confirms: bool) {
        self.confirms.store(confirms, Relaxed);
    }

    /// So much of what was spooled went out to a receiver that confirms nothing.
    pub fn handed_over(&self, count: usize) {
        if count > 0 {
            self.sent.fetch_add(count as u64, Relaxed);
            self.works();
        }
    }

    /// The receiver says that it has so much of what was spooled.
    pub fn confirmed(&self, count: usize) {
        if count == 0 {
            return;
        }
        self.sent.fetch_add(count as u64, Relaxed);
        self.confirmed.fetch_add(count as u64, Relaxed);
        self.works();
    }

    /// The receiver will never take this.
    pub fn rejected(&self, uuid: Uuid, reason: &str) {
        self.sent.fetch_add(1, Relaxed);
        let mut trouble = self.trouble();
        trouble.note(reason);
        if is_due(&mut trouble.drop_logged) {
            tracing::error!(output = self.name, %uuid, reason, "the receiver refuses it; it is kept as a dead letter");
        }
    }

    /// The receiver answers.
    pub fn works(&self) {
        let mut trouble = self.trouble();
        if let Some(error) = &mut trouble.last_error {
            error.over = true;
        }
        if std::mem::take(&mut trouble.announced) {
            tracing::info!(output = self.name, "output works again");
        }
    }

    /// The spool could not be written.
    pub fn spool_fails(&self, reason: &str) {
        if is_due(&mut self.trouble().spool_logged) {
            tracing::error!(output = self.name, "{reason}");
        }
    }

    /// An alert or a row tells of what was given up, by cause. The spool, if there is one, hears of it on a thread that may
    /// wait for the disk.
    pub fn reported(&self, given_up: &[(&'static str, u64)]) {
        if self.backlog.get().is_some() {
            self.told.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(given_up);
        }
    }

    /// Says in the log what the spool has given up since the last time, and to the spool what has been told.
    pub fn note_given_up(&self) {
        let Some(backlog) = self.backlog.get() else { return };
        let told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        if !told.is_empty() {
            backlog.spool.reported(&told);
        }
        let total = backlog.spool.stats().given_up.sum();
        let mut trouble = self.trouble();
        if total > trouble.given_up && is_due(&mut trouble.drop_logged) {
            trouble.given_up = total;
            let causes = SpoolStatus::of(&backlog.spool.stats()).given_up;
            tracing::error!(output = self.name, total, ?causes, "what this output was to get is given up");
        }
    }

    /// Keeps the account of files that wait until they are sent.
    pub fn outbox(&self, change: impl FnOnce(&mut OutboxStatus)) {
        let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        change(outbox.get_or_insert_default());
    }

    /// Files that waited were given up, with so many rows.
    pub fn gave_up_files(&self, cause: &'static str, count: u64, reason: &str) {
        self.outbox(|outbox| *outbox.status.given_up.entry(cause).or_default() += count);
        let mut trouble = self.trouble();
        trouble.note(reason);
        if is_due(&mut trouble.drop_logged) {
            tracing::error!(output = self.name, cause, count, reason, "what this output was to get is given up");
        }
    }

    /// What else is to be said of the output, from now on.
    pub fn set_notes(&self, notes: Vec<String>) {
        *self.notes.lock().unwrap_or_else(PoisonError::into_inner) = notes;
    }

    pub fn filtered(&self) {
        self.settled.fetch_add(1, Relaxed);
        self.filtered.fetch_add(1, Relaxed);
    }

    pub fn shortened(&self) {
        self.shortened.fetch_add(1, Relaxed);
    }

    /// The receiver took no alert of this length, which is sent in a shorter form.
    pub fn too_large(&self, reason: &str) {
        self.shortened();
        let mut trouble = self.trouble();
        trouble.note(reason);
        if is_due(&mut trouble.size_logged) {
            let output = &self.name;
            tracing::warn!(output, reason, "a message is too large for the receiver and is shortened; see max_bytes");
        }
    }

    /// Somebody connected who cannot be a receiver. While others are served, that is no fault of the output.
    pub fn turned_away(&self, reason: &str, others: bool) {
        self.turned_away.fetch_add(1, Relaxed);
        let mut trouble = self.trouble();
        trouble.note(reason);
        if let Some(error) = &mut trouble.last_error {
            error.over = others;
        }
        if is_due(&mut trouble.turned_away_logged) {
            tracing::warn!(output = self.name, reason, "a receiver cannot be served");
        }
    }

    /// A template failed on an alert, which is sent in the output's format.
    pub fn template_failed(&self, reason: &str) {
        self.template_failed.fetch_add(1, Relaxed);
        let mut trouble = self.trouble();
        trouble.note(reason);
        if is_due(&mut trouble.failure_logged) {
            tracing::warn!(
                output = self.name,
                reason,
                "a message goes out in the output's format, because its template could not be filled"
            );
        }
    }

    /// Handing over failed and will be tried again.
    pub fn failed(&self, reason: &str) {
        self.retried.fetch_add(1, Relaxed);
        let mut trouble = self.trouble();
        trouble.note(reason);
        if is_due(&mut trouble.failure_logged) {
            trouble.announced = true;
            tracing::warn!(output = self.name, reason, "output fails; it is tried again, and what is for it is queued");
        }
    }

    /// So much was given up.
    pub fn dropped(&self, cause: Cause, count: usize, reason: &str) {
        if count == 0 {
            return;
        }
        let total = self.dropped[cause as usize].fetch_add(count as u64, Relaxed) + count as u64;
        let mut trouble = self.trouble();
        trouble.note(reason);
        if is_due(&mut trouble.drop_logged) {
            let cause = cause.word();
            tracing::error!(output = self.name, cause, total, reason, "what this output was to get is lost");
        }
    }

    /// So much was published and nobody listened. That is no fault of the output, so the log is not told.
    pub fn unheard(&self, count: usize) {
        self.dropped[Cause::NoReceiver as usize].fetch_add(count as u64, Relaxed);
        self.passed(count);
    }

    /// So much needs no more, though it was not sent; what was lost of it is counted by itself.
    pub fn passed(&self, count: usize) {
        self.settled.fetch_add(count as u64, Relaxed);
    }

    /// What the output's queue need not keep any more: sent, spooled, filtered out, or passed over.
    pub fn settled(&self) -> u64 {
        self.settled.load(Relaxed)
    }

    /// What was given up for this cause.
    fn dropped_for(&self, cause: Cause) -> u64 {
        self.dropped[cause as usize].load(Relaxed)
    }

    /// Everything counted, with what waits in the queue.
    pub fn status(&self, (queued, oldest): (usize, Option<Duration>)) -> OutputStatus {
        let stats = self.backlog.get().map(|backlog| backlog.spool.stats());
        let outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let oldest_file = outbox.as_ref().and_then(|outbox| Some(outbox.dated_by.age(outbox.oldest?)));
        let spool = stats.as_ref().map(SpoolStatus::of).or(outbox.map(|outbox| outbox.status));
        let age = |stats: &Stats| stats.oldest.into_iter().flatten().map(|time| stats.dated_by.age(time)).max();
        let oldest = oldest.into_iter().chain(stats.as_ref().and_then(age)).chain(oldest_file).max();
        let dropped = Cause::ALL.map(|cause| (cause.word(), self.dropped_for(cause)));
        OutputStatus {
            name: self.name.clone(),
            kind: self.kind,
            queued: queued as u64 + spool.as_ref().map_or(0, |spool| spool.stored + spool.in_memory),
            sent: self.sent.load(Relaxed),
            confirmed: self.confirms.load(Relaxed).then(|| self.confirmed.load(Relaxed)),
            turned_away: self.turned_away.load(Relaxed),
            filtered: self.filtered.load(Relaxed),
            template_failed: self.template_failed.load(Relaxed),
            shortened: self.shortened.load(Relaxed),
            retried: self.retried.load(Relaxed),
            dropped: dropped.into_iter().filter(|(_, count)| *count > 0).collect(),
            oldest_age_ms: oldest.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
            latency: self.latency.status(),
            spool,
            last_error: self.trouble().last_error.clone(),
            notes: self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trouble {
    fn note(&mut self, message: &str) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.last_error = Some(LastError { message: message.to_owned(), time: now.as_secs(), over: false });
    }
}

/// Whether the log may be told again; if so it counts as told.
pub fn is_due(last: &mut Option<Instant>) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= LOG_EVERY);
    if due {
        *last = Some(Instant::now());
    }
    due
}
