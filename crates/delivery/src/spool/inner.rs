//! The state of a spool behind its lock: the store, and what stands in for it while it cannot be used.

mod trouble;

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clock::SteadyTime;

use super::item::{Cause, GivenUp, Item, ItemId, Kind, Limits, NewItem, Usage, cost};
use super::reserve::Reserve;
use super::store::{DeadLetter, Store, StoreError};
use super::{AppendError, OpenReport, Stats, Trouble};

/// How often items are looked through for ones too old.
const EXPIRY: Duration = Duration::from_secs(60);

/// What became of an item handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stored,
    InMemory,
    /// To keep the bounds.
    GivenUp,
    /// For want of a disk.
    Lost,
}

pub(super) struct Inner {
    folder: PathBuf,
    limits: Limits,
    /// None: it is tried again at `retry`.
    store: Option<Store>,
    trouble: Option<Trouble>,
    pub(super) retry: Instant,
    reserve: Reserve,
    /// Alerts that the disk has not taken, oldest first.
    memory: VecDeque<Item>,
    memory_usage: Usage,
    pub(super) next_seq: [i64; Kind::ALL.len()],
    /// Handed out and neither confirmed nor rejected; on disk or in memory. Not given up to make room.
    leased: BTreeSet<ItemId>,
    /// Confirmed or rejected, and not yet deleted on disk.
    undeleted: BTreeSet<ItemId>,
    next_expiry: Instant,
    /// Given up in runs before this one and not told then.
    before: GivenUp,
    /// It has been told now.
    before_is_told: bool,
    /// Given up while there was no store to note it in.
    unnoted: GivenUp,
    /// What items are dated by: setting the time of day makes none older.
    clock: SteadyTime,
    /// How the clocks are read.
    pub(super) clocks: fn() -> SteadyTime,
    counters: Stats,
}

impl Inner {
    pub(super) fn open(folder: &Path, limits: Limits) -> (Self, OpenReport) {
        let now = Instant::now();
        let mut inner = Self {
            folder: folder.to_owned(),
            limits,
            store: None,
            trouble: None,
            retry: now,
            reserve: Reserve::new(folder),
            memory: VecDeque::new(),
            memory_usage: Usage::default(),
            next_seq: [1; Kind::ALL.len()],
            leased: BTreeSet::new(),
            undeleted: BTreeSet::new(),
            next_expiry: now,
            before: GivenUp::default(),
            before_is_told: false,
            unnoted: GivenUp::default(),
            clock: SteadyTime::now(),
            clocks: SteadyTime::now,
            counters: Stats::default(),
        };
        inner.reopen();
        if inner.store.is_none() {
            // What is on disk has lower numbers, whatever it turns out to be.
            inner.next_seq = [i64::try_from(inner.now() / 1000).unwrap_or(1); Kind::ALL.len()];
        }
        // What this opening itself gave up is of this run.
        inner.before =
            inner.store.as_ref().map_or_else(GivenUp::default, Store::unreported).beyond(&inner.counters.given_up);
        inner.note();
        let stats = inner.stats();
        let report = OpenReport { waiting: stats.disk, salvage: stats.last_salvage, trouble: stats.trouble };
        (inner, report)
    }

    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes items in. Yields what became of each.
    pub(super) fn append(&mut self, items: impl Iterator<Item = NewItem>) -> Vec<Fate> {
        self.recover();
        self.expire();
        let time = self.now();
        let mut fates = Vec::new();
        let mut fitting = Vec::new();
        let mut places = Vec::new();
        for NewItem { kind, uuid, records, body } in items {
            self.counters.appended += u64::from(records);
            if cost(body.len()) > self.limits.disk_bytes {
                self.give_up(kind, Cause::TooLarge, u64::from(records));
                fates.push(Fate::GivenUp);
                continue;
            }
            let seq = self.next_seq[kind as usize];
            self.next_seq[kind as usize] += 1;
            places.push(fates.len());
            fates.push(Fate::GivenUp);
            fitting.push(Item { id: ItemId { kind, seq }, uuid, records, time, body });
        }
        match self.try_append(&fitting) {
            Some(stored) => {
                for (place, stored) in places.into_iter().zip(stored) {
                    fates[place] = if stored { Fate::Stored } else { Fate::GivenUp };
                }
            }
            None => {
                for (place, item) in places.into_iter().zip(fitting) {
                    fates[place] = self.keep_in_memory(item);
                }
            }
        }
        fates
    }

    /// None if nothing was stored.
    fn try_append(&mut self, items: &[Item]) -> Option<Vec<bool>> {
        // While there is trouble, older items wait in memory: they go first, in `recover`.
        if self.trouble.is_some() {
            return None;
        }
        for _ in 0..2 {
            let leased = self.leased_to();
            let store = self.store.as_mut()?;
            match store.append(items, &self.limits, leased, &mut self.counters.given_up) {
                Ok(stored) => {
                    self.counters.commits += 1;
                    self.reserve.hold();
                    return Some(stored);
                }
                Err(error) => self.fail(error),
            }
            // A damaged store has been replaced by now.
            if self.trouble.is_some() {
                break;
            }
        }
        None
    }

    fn keep_in_memory(&mut self, item: Item) -> Fate {
        if item.id.kind == Kind::Bulk || item.cost() > self.limits.memory_bytes {
            self.give_up(item.id.kind, Cause::Disk, u64::from(item.records));
            return Fate::Lost;
        }
        while self.memory_usage.bytes + item.cost() > self.limits.memory_bytes {
            // Those on their way are at the front; they may be confirmed at any moment.
            let Some(place) = self.memory.iter().position(|item| !self.leased.contains(&item.id)) else {
                self.give_up(item.id.kind, Cause::Disk, u64::from(item.records));
                return Fate::Lost;
            };
            if let Some(old) = self.memory.remove(place) {
                self.memory_usage.remove(old.weight());
                self.give_up(old.id.kind, Cause::Disk, u64::from(old.records));
            }
        }
        self.memory_usage.add(item.weight());
        self.memory.push_back(item);
        Fate::InMemory
    }

    pub(super) fn next(&mut self, kinds: &[Kind], max_items: usize, max_bytes: usize) -> Vec<Item> {
        self.recover();
        self.expire();
        let (max_items, mut items) = (max_items.max(1), Vec::new());
        for &kind in kinds {
            items = self.read(kind, max_items, max_bytes);
            if kind == Kind::Urgent {
                self.extend_from_memory(&mut items, max_items, max_bytes);
            }
            if !items.is_empty() {
                break;
            }
        }
        self.leased.extend(items.iter().map(|item| item.id));
        items
    }

    fn read(&mut self, kind: Kind, max_items: usize, max_bytes: usize) -> Vec<Item> {
        // Twice: rows or a store that turned out to be damaged are gone the second time.
        for _ in 0..2 {
            let Some(store) = &mut self.store else { break };
            let outcome = store.read(kind, 0, max_items, max_bytes, &self.undeleted).and_then(|read| {
                let missing = store.remove(&read.damaged)?;
                if missing.is_empty() {
                    Ok(read)
                } else {
                    Err(StoreError::Damaged("rows that are there cannot be found".to_owned()))
                }
            });
            match outcome {
                Ok(read) => {
                    self.give_up(kind, Cause::Damaged, read.damaged.len() as u64);
                    if !read.items.is_empty() || read.damaged.is_empty() {
                        return read.items;
                    }
                }
                Err(error) => self.fail(error),
            }
        }
        Vec::new()
    }

    fn extend_from_memory(&self, items: &mut Vec<Item>, max_items: usize, max_bytes: usize) {
        let mut bytes: usize = items.iter().map(|item| item.body.len()).sum();
        for item in &self.memory {
            bytes += item.body.len();
            if items.len() >= max_items || (bytes > max_bytes && !items.is_empty()) {
                break;
            }
            items.push(item.clone());
        }
    }

    pub(super) fn has_items(&mut self) -> bool {
        self.recover();
        let on_disk: u64 = self.store.as_ref().map_or(0, |store| store.usage().iter().map(|usage| usage.items).sum());
        !self.memory.is_empty() || on_disk > self.undeleted.len() as u64
    }

    pub(super) fn confirm(&mut self, ids: &[ItemId]) {
        for id in ids {
            self.counters.confirmed += 1;
            self.forget(*id);
        }
        self.delete();
    }

    pub(super) fn reject(&mut self, item: &Item, reason: &str) {
        let whole = !self.memory.iter().any(|other| other.id == item.id);
        self.bury(item, item.records, reason, &item.body, whole);
        self.forget(item.id);
        self.delete();
    }

    pub(super) fn reject_part(&mut self, item: &Item, records: u32, reason: &str, body: &[u8]) {
        self.bury(item, records, reason, body, false);
    }

    /// Counts what was refused, and puts it among the dead letters if that is possible.
    fn bury(&mut self, item: &Item, records: u32, reason: &str, body: &[u8], whole: bool) {
        self.give_up(item.id.kind, Cause::Rejected, u64::from(records));
        let letter = DeadLetter { uuid: item.uuid, time: item.time, rejected: self.now(), reason, body };
        let Some(store) = &mut self.store else { return };
        match store.bury(item.id, &letter, whole, self.limits.dead_letter_bytes) {
            Ok(()) if whole => drop(self.leased.remove(&item.id)),
            Ok(()) => {}
            Err(error) => self.fail(error),
        }
    }

    /// Takes an item out of memory, or notes that it is to be deleted on disk.
    fn forget(&mut self, id: ItemId) {
        let leased = self.leased.remove(&id);
        if let Some(place) = self.memory.iter().position(|item| item.id == id) {
            if let Some(item) = self.memory.remove(place) {
                self.memory_usage.remove(item.weight());
            }
        } else if leased {
            self.undeleted.insert(id);
        }
    }

    fn delete(&mut self) {
        for _ in 0..2 {
            let Some(store) = &mut self.store else { return };
            if self.undeleted.is_empty() {
                return;
            }
            let mut outcome = store.remove(&self.undeleted);
            if outcome == Err(StoreError::Full) && self.reserve.release() {
                outcome = store.remove(&self.undeleted);
            }
            match outcome {
                Ok(missing) if missing.is_empty() => {
                    self.undeleted.clear();
                    return;
                }
                Ok(missing) => {
                    self.undeleted = missing.into_iter().collect();
                    self.fail(StoreError::Damaged("rows that are there cannot be found".to_owned()));
                    // They are not to be handed out again; if salvage did not find them either, all is well.
                    if let Some(store) = &mut self.store
                        && store.remove(&self.undeleted).is_ok()
                    {
                        self.undeleted.clear();
                    }
                    return;
                }
                Err(error) => self.fail(error),
            }
        }
    }

    fn expire(&mut self) {
        let now = Instant::now();
        if now < self.next_expiry {
            return;
        }
        self.next_expiry = now + EXPIRY;
        self.set_clock((self.clocks)());
        let age = u64::try_from(self.limits.age.as_nanos()).unwrap_or(u64::MAX);
        let before = self.now().saturating_sub(age);
        if before < clock::WAS_SET {
            return;
        }
        while let Some(item) = self.memory.pop_front_if(|item| item.time < before) {
            self.leased.remove(&item.id);
            self.memory_usage.remove(item.weight());
            self.give_up(item.id.kind, Cause::Expired, u64::from(item.records));
        }
        let leased = self.leased_to();
        let Some(store) = &mut self.store else { return };
        match store.expire(clock::WAS_SET..before, leased) {
            // The store has noted it.
            Ok(expired) => self.counters.given_up.add_all(&expired),
            // Deleting is all that a full disk may refuse here; there will be room again.
            Err(StoreError::Full) => {}
            Err(error) => self.fail(error),
        }
    }

    /// Counts what is given up, and has it told.
    fn give_up(&mut self, kind: Kind, cause: Cause, count: u64) {
        if count == 0 {
            return;
        }
        let mut given_up = GivenUp::default();
        given_up.add(kind, cause, count);
        self.counters.given_up.add_all(&given_up);
        match &mut self.store {
            Some(store) => store.owe(&given_up),
            None => self.unnoted.add_all(&given_up),
        }
    }

    /// What was given up has been told, by the name of its cause: the next run need not.
    pub(super) fn reported(&mut self, counts: &[(&str, u64)]) {
        // Who tells what was given up tells that of earlier runs first.
        self.before_is_told = true;
        let mut owed = self.unnoted;
        owed.add_all(&self.store.as_ref().map_or_else(GivenUp::default, Store::unreported));
        let given_up = owed.up_to(counts);
        let still = given_up.beyond(&self.unnoted);
        self.unnoted = self.unnoted.beyond(&given_up);
        if let Some(store) = &mut self.store {
            store.reported(&still);
        }
    }

    /// Puts on disk what the next run would have to tell. A disk that takes nothing is tried again with the next change.
    pub(super) fn note(&mut self) {
        if self.trouble.is_none()
            && let Some(store) = &mut self.store
            && let Err(error) = store.note()
        {
            self.fail(error);
        }
    }

    /// The highest numbers on their way.
    fn leased_to(&self) -> [i64; Kind::ALL.len()] {
        let mut to = [0; Kind::ALL.len()];
        for id in &self.leased {
            to[id.kind as usize] = to[id.kind as usize].max(id.seq);
        }
        to
    }

    /// Nanoseconds since the Unix epoch.
    fn now(&self) -> u64 {
        self.clock.unix(clock::boot_now())
    }

    /// Dates by another reading of the clocks if the time of day was set since: also what was spooled before, for it was
    /// the clock that was wrong.
    pub(super) fn set_clock(&mut self, now: SteadyTime) {
        let step = self.clock.stepped(now);
        if step == 0 {
            return;
        }
        self.clock = now;
        for item in &mut self.memory {
            item.time = item.time.saturating_add_signed(step);
        }
        self.date();
    }

    /// Says on disk what items are dated by; a store that takes nothing now is tried again with the next step.
    fn date(&mut self) {
        let offset = self.clock.offset();
        if let Some(store) = &mut self.store {
            match store.date(clock::boot_id(), offset, clock::STEP.as_nanos() as u64) {
                Ok(()) | Err(StoreError::Full) => {}
                Err(error) => self.fail(error),
            }
        }
    }

    pub(super) fn append_error(&self, fates: &[Fate]) -> Option<AppendError> {
        let count = |fate| fates.iter().filter(|each| **each == fate).count();
        let (held, given_up) = (count(Fate::InMemory), count(Fate::Lost));
        (held + given_up > 0).then(|| AppendError {
            path: self.folder.clone(),
            reason: self.trouble.as_ref().map_or_else(|| "it failed a moment ago".to_owned(), |it| it.reason.clone()),
            held,
            given_up,
        })
    }

    pub(super) fn stats(&self) -> Stats {
        let store = self.store.as_ref();
        let [oldest_alert, oldest_telemetry] =
            Kind::ALL.map(|kind| store.and_then(|store| store.oldest(kind).ok().flatten()));
        let oldest_alert = oldest_alert.or_else(|| self.memory.front().map(|item| item.time));
        Stats {
            disk: store.map(Store::usage).unwrap_or_default(),
            memory: self.memory_usage,
            oldest: [oldest_alert, oldest_telemetry],
            dead_letters: store.map_or(0, Store::dead_letters),
            trouble: self.trouble.clone(),
            dated_by: self.clock,
            given_up_before: self.before,
            before_is_told: self.before_is_told,
            ..self.counters.clone()
        }
    }
}
