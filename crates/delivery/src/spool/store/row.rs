//! Items as rows, each with a checksum of its own.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension as _, Row, Transaction};
use uuid::Uuid;

use super::StoreError;
use crate::spool::item::{Item, ItemId, Kind, Weight, cost};

pub(super) fn insert(change: &Transaction<'_>, item: &Item) -> Result<(), StoreError> {
    // A commit may have reached the disk although it failed; the same item is then stored again.
    let sql = format!("insert or replace into {} values(?, ?, ?, ?, ?, ?)", item.id.kind.name());
    let time = i64::try_from(item.time).unwrap_or(i64::MAX);
    let crc = checksum(item.id.seq, item.uuid.as_bytes(), item.records, time, &item.body);
    change.prepare_cached(&sql)?.execute((item.id.seq, item.uuid.as_bytes(), item.records, time, crc, &item.body))?;
    Ok(())
}

pub(super) fn delete(change: &Transaction<'_>, id: ItemId) -> Result<Option<Weight>, StoreError> {
    let sql = format!("delete from {} where seq = ? returning length(body), records", id.kind.name());
    Ok(change.prepare_cached(&sql)?.query_row([id.seq], |row| weight(row, 0)).optional()?)
}

pub(super) fn drop_oldest(change: &Transaction<'_>, kind: Kind, after: i64) -> Result<Option<Weight>, StoreError> {
    let sql = format!(
        "delete from {0} where seq = (select min(seq) from {0} where seq > ?) returning length(body), records",
        kind.name()
    );
    Ok(change.prepare_cached(&sql)?.query_row([after], |row| weight(row, 0)).optional()?)
}

/// Moves the times of items from a number on.
pub(super) fn redate(change: &Transaction<'_>, kind: Kind, from: i64, by: i64) -> Result<(), StoreError> {
    let sql =
        format!("select seq, uuid, records, time, crc, body from {} where seq >= ? order by seq limit 1", kind.name());
    let mut at = from;
    loop {
        let found = change
            .prepare_cached(&sql)?
            .query_row([at], |row| {
                let seq = row.get(0)?;
                Ok((seq, item(ItemId { kind, seq }, row)))
            })
            .optional()?;
        let Some((seq, found)) = found else { return Ok(()) };
        // A damaged one is found out when it is read.
        if let Some(item) = found {
            insert(change, &Item { time: item.time.saturating_add_signed(by), ..item })?;
        }
        at = seq + 1;
    }
}

/// A row that has, from this column on, the length of a body and its records. One that is damaged counts as one record.
pub(super) fn weight(row: &Row<'_>, column: usize) -> rusqlite::Result<Weight> {
    let records = row.get_ref(column + 1)?.as_i64().ok().and_then(|records| u32::try_from(records).ok()).unwrap_or(1);
    Ok(Weight { cost: cost(length(row, column)?), records: u64::from(records) })
}

/// A column that is the length of a body. Of a damaged row it may be anything.
fn length(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    Ok(row.get_ref(column)?.as_i64().ok().and_then(|length| usize::try_from(length).ok()).unwrap_or(0))
}

/// An item from a row of `seq, uuid, records, time, crc, body`, if all of it is as it was written.
pub(in crate::spool) fn item(id: ItemId, row: &Row<'_>) -> Option<Item> {
    let column = |index| row.get_ref(index).ok();
    let (ValueRef::Blob(uuid), ValueRef::Integer(records)) = (column(1)?, column(2)?) else { return None };
    let (ValueRef::Integer(time), ValueRef::Integer(crc)) = (column(3)?, column(4)?) else { return None };
    let ValueRef::Blob(body) = column(5)? else { return None };
    let records = u32::try_from(records).ok()?;
    if crc != checksum(id.seq, uuid, records, time, body) {
        return None;
    }
    Some(Item { id, uuid: Uuid::from_slice(uuid).ok()?, records, time: time.unsigned_abs(), body: body.to_vec() })
}

fn checksum(seq: i64, uuid: &[u8], records: u32, time: i64, body: &[u8]) -> i64 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(uuid);
    hasher.update(&records.to_le_bytes());
    hasher.update(&time.to_le_bytes());
    hasher.update(body);
    i64::from(hasher.finalize())
}
