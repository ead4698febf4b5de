//! A store that fails: replaced if it is damaged, else left alone for a while and tried again.

use std::time::{Duration, Instant};

use super::Inner;
use crate::spool::Trouble;
use crate::spool::item::{Cause, Kind, Usage};
use crate::spool::salvage::{self, Salvage};
use crate::spool::store::{Store, StoreError};

/// How long a store that failed is left alone.
const RETRY: Duration = Duration::from_secs(5);

impl Inner {
    /// Closes the store; what it has not noted yet goes into the next one.
    fn close(&mut self) {
        if let Some(store) = self.store.take() {
            self.unnoted.add_all(&store.unnoted());
        }
    }

    /// Deals with a failure: replaces a damaged store; else notes the trouble and when to try again.
    pub(super) fn fail(&mut self, error: StoreError) {
        self.retry = Instant::now() + RETRY;
        let error = match error {
            StoreError::Damaged(reason) => {
                self.close(); // Before it is renamed.
                let (opened, salvage) = salvage::start_anew(&self.folder, reason);
                self.note_salvage(salvage);
                match opened {
                    Ok(store) => {
                        self.use_store(store);
                        return;
                    }
                    Err(error) => error,
                }
            }
            error => error,
        };
        // What is stored stays readable on a full disk.
        if error != StoreError::Full {
            self.close();
        }
        let reason = error.to_string();
        match &mut self.trouble {
            Some(trouble) => trouble.reason = reason,
            None => self.trouble = Some(Trouble { reason, since: clock::unix_now() }),
        }
    }

    /// Tries again what failed, when it is time: opens the store, deletes what is confirmed, stores what is in memory.
    pub(in super::super) fn recover(&mut self) {
        if self.trouble.is_none() || Instant::now() < self.retry {
            return;
        }
        self.retry = Instant::now() + RETRY;
        if self.store.is_none() {
            self.reopen();
        }
        self.delete();
        self.renumber();
        let leased = self.leased_to();
        let Some(store) = &mut self.store else { return };
        let waiting = self.memory.make_contiguous();
        match store.append(waiting, &self.limits, leased, &mut self.counters.given_up) {
            Ok(stored) => {
                for (item, stored) in self.memory.drain(..).zip(stored) {
                    if !stored {
                        self.leased.remove(&item.id);
                    }
                }
                self.memory_usage = Usage::default();
                self.trouble = None;
                self.reserve.hold();
            }
            Err(error) => self.fail(error),
        }
    }

    /// Gives the items in memory new numbers if theirs could be another's on disk. That happens when the store could
    /// not be read at the start and the clock was set back. Those on their way are then handed out once more.
    fn renumber(&mut self) {
        let Some(first) = self.memory.front().map(|item| item.id.seq) else { return };
        if !self.store.as_ref().is_some_and(|store| store.last(Kind::Urgent).is_ok_and(|last| last >= first)) {
            return;
        }
        for item in &mut self.memory {
            self.leased.remove(&item.id);
            item.id.seq = self.next_seq[Kind::Urgent as usize];
            self.next_seq[Kind::Urgent as usize] += 1;
        }
    }

    pub(super) fn reopen(&mut self) {
        let (opened, salvage) = salvage::open(&self.folder);
        self.note_salvage(salvage);
        let opened = opened.and_then(|store| {
            for kind in Kind::ALL {
                let next = &mut self.next_seq[kind as usize];
                *next = (*next).max(store.last(kind)? + 1);
            }
            Ok(store)
        });
        match opened {
            Ok(store) => {
                self.use_store(store);
                if self.trouble.is_none() {
                    self.reserve.hold();
                }
            }
            Err(error) => self.fail(error),
        }
    }

    fn use_store(&mut self, mut store: Store) {
        store.owe(&std::mem::take(&mut self.unnoted));
        self.store = Some(store);
        self.date();
    }

    fn note_salvage(&mut self, salvage: Option<Salvage>) {
        let Some(salvage) = salvage else { return };
        self.counters.salvages += 1;
        for kind in Kind::ALL {
            self.give_up(kind, Cause::Damaged, salvage.lost[kind as usize]);
        }
        self.counters.last_salvage = Some(salvage);
    }
}
