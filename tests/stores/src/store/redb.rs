//! redb: one file, a copy-on-write tree.

use std::path::Path;

use redb::{Builder, Database, ReadableDatabase as _, TableDefinition, TableError};

use super::{Failure, Item, Store};

const ITEMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("items");

pub(super) struct Redb(Database);

impl Redb {
    /// With `checked`, the checksums of the whole file are looked at; else only after a kill.
    pub(super) fn open(folder: &Path, checked: bool) -> Result<Self, Failure> {
        // As much cache as the spool gives to SQLite. A commit syncs unless told otherwise.
        let db =
            Builder::new().set_cache_size(1 << 20).set_check_integrity_on_open(checked).create(folder.join("items"))?;
        match db.begin_read()?.open_table(ITEMS) {
            Err(TableError::TableDoesNotExist(_)) => {
                let change = db.begin_write()?;
                change.open_table(ITEMS)?;
                change.commit()?;
            }
            opened => drop(opened?),
        }
        Ok(Self(db))
    }
}

impl Store for Redb {
    fn append(&mut self, items: &[Item]) -> Result<(), Failure> {
        let change = self.0.begin_write()?;
        {
            let mut table = change.open_table(ITEMS)?;
            for item in items {
                table.insert(item.number, item.to_value().as_slice())?;
            }
        }
        Ok(change.commit()?)
    }

    fn read(&mut self, after: u64, count: usize) -> Result<Vec<Item>, Failure> {
        let table = self.0.begin_read()?.open_table(ITEMS)?;
        let mut items = Vec::new();
        for entry in table.range(after + 1..)?.take(count) {
            let (number, value) = entry?;
            items.push(Item::from_value(number.value(), value.value()));
        }
        Ok(items)
    }

    fn delete(&mut self, numbers: &[u64]) -> Result<(), Failure> {
        let change = self.0.begin_write()?;
        {
            let mut table = change.open_table(ITEMS)?;
            for number in numbers {
                table.remove(number)?;
            }
        }
        Ok(change.commit()?)
    }
}
