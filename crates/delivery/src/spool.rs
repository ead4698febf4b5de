//! Keeps what is on its way to a receiver on disk, so that neither a dead network nor a dead sensor loses it.
//!
//! ```text
//! append ─▶ waiting ─▶ one commit, one sync for all that wait ─▶ store ─▶ next ─▶ receiver
//!                                   │ disk full, unwritable              ◀─ confirm, reject
//!                                   └─▶ memory, bounded, alerts only; to disk when it can be
//! ```
//!
//! * When [`Spool::append`] returns `Ok`, the items are on disk: each commit syncs the log. Many threads that append
//!   at the same time share one sync.
//! * [`Spool::next`] hands out the oldest items, alerts before telemetry, and again until they are confirmed. After a
//!   crash only what was handed out and not yet confirmed is handed out once more, under the same uuid.
//! * Bounded by bytes and age. Telemetry makes room for alerts, never the other way round.
//! * What is given up stands on disk too, with the same commit, until somebody says that it was told.
//! * A damaged store is set aside and what can be read of it is moved to a new one; a disk that is full or cannot be
//!   written is tried again from time to time. Nothing of this stops the sensor; all of it is counted and shown in
//!   [`Spool::stats`].
//!
//! Each output has a spool of its own, so one that is stuck, full or damaged costs no other anything.

pub mod forms;
mod inner;
mod item;
mod reserve;
mod salvage;
mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::inner::{Fate, Inner};
pub use self::item::{Cause, GivenUp, Item, ItemId, Kind, Limits, NewItem, Usage};
pub use self::salvage::Salvage;
use clock::SteadyTime;

/// A spool. Clones are handles to the same one.
#[derive(Clone)]
pub struct Spool(Arc<Shared>);

struct Shared {
    /// What waits for the next commit.
    waiting: Mutex<Waiting>,
    inner: Mutex<Inner>,
    /// The state after the last change: who asks for it must not wait for the disk.
    stats: Mutex<Stats>,
}

#[derive(Default)]
struct Waiting {
    next_ticket: u64,
    /// What each append brought.
    batches: Vec<(u64, Vec<NewItem>)>,
    /// What became of it, for those whose items another thread committed.
    done: HashMap<u64, Vec<Fate>>,
}

/// Items that are not on disk although they were handed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the spool {} could not be written: {reason}. {held} items are kept in memory until it can be, {given_up} had to \
     be given up; make room on the disk or make the folder writable",
    path.display()
)]
pub struct AppendError {
    /// The spool's folder.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
    /// Items in memory. They are handed out and go to disk as soon as possible, but do not outlive the sensor.
    pub held: usize,
    /// Items that are gone.
    pub given_up: usize,
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// What waits from earlier runs, by [`Kind`].
    pub waiting: [Usage; Kind::ALL.len()],
    /// The store was damaged.
    pub salvage: Option<Salvage>,
    /// The store cannot be used for now; it is tried again.
    pub trouble: Option<Trouble>,
}

/// Why nothing goes to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// For people, a part of a sentence.
    pub reason: String,
    /// Since when: nanoseconds since the Unix epoch.
    pub since: u64,
}

/// The state of a spool. Counters count from the start of the sensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// What is on disk, by [`Kind`].
    pub disk: [Usage; Kind::ALL.len()],
    /// What is in memory only.
    pub memory: Usage,
    /// When the oldest that waits was spooled, by [`Kind`]: nanoseconds since the Unix epoch.
    pub oldest: [Option<u64>; Kind::ALL.len()],
    /// Rejected items on disk, for inspection.
    pub dead_letters: u64,
    /// Alerts and rows.
    pub appended: u64,
    /// Syncs that put the appended on disk.
    pub commits: u64,
    pub confirmed: u64,
    /// The clock that these times are of.
    pub dated_by: SteadyTime,
    pub given_up: GivenUp,
    /// Besides: given up in earlier runs, and not told then.
    pub given_up_before: GivenUp,
    /// That has been told in this run.
    pub before_is_told: bool,
    /// Damaged stores that were set aside.
    pub salvages: u64,
    pub last_salvage: Option<Salvage>,
    pub trouble: Option<Trouble>,
}

impl Spool {
    /// Opens the spool in a folder of its own, which is created if need be. Never fails: what could not be read or
    /// written is in the report, and is tried again.
    #[must_use]
    pub fn open(folder: &Path, limits: Limits) -> (Self, OpenReport) {
        let (inner, report) = Inner::open(folder, limits);
        let shared = Shared { waiting: Mutex::default(), stats: Mutex::new(inner.stats()), inner: Mutex::new(inner) };
        (Self(Arc::new(shared)), report)
    }

    /// Takes items in; they are on disk when this returns `Ok`. Items that had to be given up to keep the bounds
    /// count as given up and are no error.
    ///
    /// # Errors
    ///
    /// When the disk did not take them. Alerts are then kept in memory as far as its bound allows.
    pub fn append(&self, items: Vec<NewItem>) -> Result<(), AppendError> {
        if items.is_empty() {
            return Ok(());
        }
        let ticket = {
            let mut waiting = lock(&self.0.waiting);
            let ticket = waiting.next_ticket;
            waiting.next_ticket += 1;
            waiting.batches.push((ticket, items));
            ticket
        };
        // Whoever gets here first commits for all who wait.
        let mut inner = lock(&self.0.inner);
        let (batches, done) = {
            let mut waiting = lock(&self.0.waiting);
            match waiting.done.remove(&ticket) {
                Some(fates) => (Vec::new(), Some(fates)),
                None => (std::mem::take(&mut waiting.batches), None),
            }
        };
        let fates = done.unwrap_or_else(|| self.commit(&mut inner, batches, ticket));
        let error = inner.append_error(&fates);
        inner.note();
        self.publish(&inner);
        drop(inner);
        error.map_or(Ok(()), Err)
    }

    /// Stores all batches at once. Yields what became of the items of ticket `own`; leaves the rest for their threads.
    fn commit(&self, inner: &mut Inner, batches: Vec<(u64, Vec<NewItem>)>, own: u64) -> Vec<Fate> {
        let sizes: Vec<_> = batches.iter().map(|(ticket, items)| (*ticket, items.len())).collect();
        let mut fates = inner.append(batches.into_iter().flat_map(|(_, items)| items));
        let mut of_own = Vec::new();
        let mut waiting = lock(&self.0.waiting);
        for (ticket, size) in sizes {
            let rest = fates.split_off(size);
            let these = std::mem::replace(&mut fates, rest);
            if ticket == own {
                of_own = these;
            } else {
                waiting.done.insert(ticket, these);
            }
        }
        of_own
    }

    /// The oldest items, all of one kind: alerts as long as there are any. As many as fit both bounds (`max_bytes`
    /// counts bodies), but at least one. The same ones again until they are confirmed or rejected. For one reader.
    #[must_use]
    pub fn next(&self, max_items: usize, max_bytes: usize) -> Vec<Item> {
        self.change(|inner| inner.next(&Kind::ALL, max_items, max_bytes))
    }

    /// The oldest items of one kind, else as [`Self::next`].
    #[must_use]
    pub fn next_of(&self, kind: Kind, max_items: usize, max_bytes: usize) -> Vec<Item> {
        self.change(|inner| inner.next(&[kind], max_items, max_bytes))
    }

    /// Whether [`Self::next`] has something to hand out.
    #[must_use]
    pub fn has_items(&self) -> bool {
        self.change(Inner::has_items)
    }

    /// Removes what the receiver has.
    pub fn confirm(&self, ids: &[ItemId]) {
        self.change(|inner| inner.confirm(ids));
    }

    /// Gives up an item that the receiver will never take, and keeps it among the dead letters.
    pub fn reject(&self, item: &Item, reason: &str) {
        self.change(|inner| inner.reject(item, reason));
    }

    /// Gives up some records of an item that the receiver will never take, and keeps them, as `body` holds them, among
    /// the dead letters. The item itself stays until it is confirmed.
    pub fn reject_part(&self, item: &Item, records: u32, reason: &str, body: &[u8]) {
        self.change(|inner| inner.reject_part(item, records, reason, body));
    }

    /// So much that was given up for this cause, as it is called in metrics, has been told: the next run need not.
    pub fn reported(&self, counts: &[(&str, u64)]) {
        self.change(|inner| inner.reported(counts));
    }

    /// Puts other bounds in force, from the next [`Self::append`] on.
    pub fn set_limits(&self, limits: Limits) {
        lock(&self.0.inner).set_limits(limits);
    }

    /// How it was after the last change. Never waits for the disk.
    #[must_use]
    pub fn stats(&self) -> Stats {
        lock(&self.0.stats).clone()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = lock(&self.0.inner);
        let outcome = change(&mut inner);
        inner.note();
        self.publish(&inner);
        outcome
    }

    fn publish(&self, inner: &Inner) {
        *lock(&self.0.stats) = inner.stats();
    }
}

/// A folder's name for an output's name, which may hold anything: no two names share one.
#[must_use]
pub fn folder_name(output: &str) -> String {
    let mut name = String::from("output-");
    for byte in output.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    if name.len() > 200 {
        // File systems take 255 bytes. A collision here needs two names that share their beginning and a checksum.
        name.truncate(180);
        name.push_str(&format!("%{:08X}", crc32fast::hash(output.as_bytes())));
    }
    name
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
