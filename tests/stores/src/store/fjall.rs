//! fjall: a journal and a log-structured tree, in several files.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{Failure, Item, Store};

/// Bytes in memory before they move from the journal to the tree. The usual 64 MiB would be most of a sensor's memory.
const MEMTABLE: u64 = 4 << 20;

pub(super) struct Fjall {
    db: Database,
    items: Keyspace,
}

impl Fjall {
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        // As much cache as the spool gives to SQLite, one thread, and the smallest journal that it allows.
        let db = Database::builder(folder.join("items"))
            .cache_size(1 << 20)
            .worker_threads(1)
            .max_journaling_size(64 << 20)
            .open()?;
        let items = db.keyspace("items", || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE))?;
        Ok(Self { db, items })
    }
}

impl Store for Fjall {
    fn append(&mut self, items: &[Item]) -> Result<(), Failure> {
        let mut change = self.db.batch().durability(Some(PersistMode::SyncData));
        for item in items {
            change.insert(&self.items, item.number.to_be_bytes(), item.to_value());
        }
        Ok(change.commit()?)
    }

    fn read(&mut self, after: u64, count: usize) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        for entry in self.items.range((after + 1).to_be_bytes()..).take(count) {
            let (key, value) = entry.into_inner()?;
            let number = (&*key).try_into().map(u64::from_be_bytes)?;
            items.push(Item::from_value(number, &value));
        }
        Ok(items)
    }

    fn delete(&mut self, numbers: &[u64]) -> Result<(), Failure> {
        let mut change = self.db.batch().durability(Some(PersistMode::SyncData));
        for number in numbers {
            change.remove(&self.items, number.to_be_bytes());
        }
        Ok(change.commit()?)
    }
}
