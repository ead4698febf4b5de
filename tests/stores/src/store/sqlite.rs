//! SQLite, set as the spool sets it (`crates/delivery/src/spool/store.rs`).

use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::{Failure, Item, Store};

pub(super) struct Sqlite(Connection);

impl Sqlite {
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let db = Connection::open(folder.join("items.db"))?;
        db.busy_timeout(Duration::ZERO)?;
        db.execute_batch(
            "pragma locking_mode = exclusive;
             pragma trusted_schema = off;
             pragma cell_size_check = on;
             pragma mmap_size = 0;
             pragma auto_vacuum = incremental;
             pragma temp_store = memory;
             pragma cache_size = -1024;",
        )?;
        db.query_row("pragma journal_mode = wal", [], |_| Ok(()))?;
        db.execute_batch(
            "pragma synchronous = full;
             pragma wal_autocheckpoint = 64;
             pragma journal_size_limit = 262144;
             create table if not exists alert(seq integer primary key, crc integer, body blob)",
        )?;
        Ok(Self(db))
    }
}

impl Store for Sqlite {
    fn append(&mut self, items: &[Item]) -> Result<(), Failure> {
        let change = self.0.transaction()?;
        {
            let mut insert = change.prepare_cached("insert or replace into alert values(?, ?, ?)")?;
            for item in items {
                insert.execute((item.number.cast_signed(), item.crc, &item.body))?;
            }
        }
        Ok(change.commit()?)
    }

    fn read(&mut self, after: u64, count: usize) -> Result<Vec<Item>, Failure> {
        let mut select =
            self.0.prepare_cached("select seq, crc, body from alert where seq > ? order by seq limit ?")?;
        let mut rows = select.query((after.cast_signed(), i64::try_from(count)?))?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(item(row)?);
        }
        Ok(items)
    }

    fn delete(&mut self, numbers: &[u64]) -> Result<(), Failure> {
        let change = self.0.transaction()?;
        {
            let mut delete = change.prepare_cached("delete from alert where seq = ?")?;
            for number in numbers {
                delete.execute([number.cast_signed()])?;
            }
        }
        Ok(change.commit()?)
    }
}

/// A row. Columns that are not of their type are damaged: the checksum then disagrees.
fn item(row: &Row<'_>) -> Result<Item, Failure> {
    let number: i64 = row.get(0)?;
    let (crc, body) = match (row.get_ref(1)?, row.get_ref(2)?) {
        (ValueRef::Integer(crc), ValueRef::Blob(body)) => (u32::try_from(crc).unwrap_or(0), body.to_vec()),
        _ => (0, Vec::new()),
    };
    Ok(Item { number: number.cast_unsigned(), crc, body })
}
