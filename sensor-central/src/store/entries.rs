//! What people look for alerts by: narrow entries beside them, made behind their arrival, many at a time.
//!
//! An index of its own for each column would be written alert by alert while a sensor waits. Entries are made of thousands of
//! alerts at once, in the order of the table: what lies together is written together. Whoever reads takes those alerts that
//! have none yet one by one (see [`super::listing`]), so nothing is found later than it came in.

use rusqlite::{Connection, Row, Transaction, params};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Place;

/// Most alerts that get their entries at a time: bounds how long requests wait meanwhile.
pub(super) const FILL: usize = 5_000;

/// What an alert is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Severity = 1,
    Policy,
    Host,
    User,
    Container,
    Incident,
}

/// The fields in the order of [`COLUMNS`].
const FIELDS: [Field; 6] =
    [Field::Severity, Field::Policy, Field::Host, Field::User, Field::Container, Field::Incident];

/// What entries are made of: an alert's id, its moment, its tenant, and what it says of each field.
const COLUMNS: &str = "id, raised, tenant, CAST(severity AS TEXT), policy, host, user, container, incident";

/// Bits of a key that tell the time of an incident, and those below.
const TIME_BITS: u32 = 42;
const REST_BITS: u32 = 63 - TIME_BITS;

/// What stands for a value of a tenant's. Two that differ have the same about never; whoever reads looks at the alert as well.
///
/// An incident's id begins with the time (RFC 9562, version 7), and so does its key: what is written at a time lies together,
/// however many incidents there are.
pub(super) fn key(tenant: Uuid, field: Field, value: &str) -> i64 {
    let digest = Sha256::new_with_prefix(tenant.as_bytes()).chain_update([field as u8]).chain_update(value).finalize();
    let hash = digest.iter().take(8).fold(0_i64, |hash, &byte| hash << 8 | i64::from(byte));
    match Uuid::try_parse(value) {
        Ok(id) if field == Field::Incident && id.get_version_num() == 7 => {
            let milliseconds = (id.as_u128() >> 80) as i64 & ((1 << TIME_BITS) - 1);
            milliseconds << REST_BITS | hash & ((1 << REST_BITS) - 1)
        }
        _ => hash | i64::MIN,
    }
}

/// An alert's entries.
fn of(row: &Row<'_>, entries: &mut Vec<(i64, i64, i64)>) -> rusqlite::Result<Place> {
    let place = Place { row: row.get(0)?, raised: row.get(1)? };
    let tenant = row.get_ref(2)?.as_str()?.parse().unwrap_or_default();
    for (index, field) in (3..).zip(FIELDS) {
        let value = row.get_ref(index)?.as_str()?;
        if !value.is_empty() {
            entries.push((key(tenant, field, value), place.raised, place.row));
        }
    }
    Ok(place)
}

/// The last alert that has its entries; all before it have theirs.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<Place> {
    connection
        .prepare_cached("SELECT moment, alert FROM entries_to")?
        .query_row([], |row| Ok(Place { raised: row.get(0)?, row: row.get(1)? }))
}

/// Makes the entries of the next alerts, [`FILL`] at most; says of how many.
pub(super) fn fill(transaction: &Transaction<'_>) -> rusqlite::Result<usize> {
    let from = end(transaction)?;
    let sql = format!("SELECT {COLUMNS} FROM alerts WHERE id > ? ORDER BY id LIMIT {FILL}");
    let mut statement = transaction.prepare_cached(&sql)?;
    let mut rows = statement.query([from.row])?;
    let (mut entries, mut count, mut last) = (Vec::new(), 0, from);
    while let Some(row) = rows.next()? {
        last = of(row, &mut entries)?;
        count += 1;
    }
    if count == 0 {
        return Ok(0);
    }
    entries.sort_unstable();
    let mut insert = transaction
        .prepare_cached("INSERT INTO entries (key, moment, alert) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")?;
    for (key, moment, alert) in entries {
        insert.execute([key, moment, alert])?;
    }
    transaction
        .prepare_cached("UPDATE entries_to SET moment = ?, alert = ?")?
        .execute(params![last.raised, last.row])?;
    Ok(count)
}

/// Removes the alerts of a condition with their entries; says how many.
pub(super) fn delete_alerts(
    transaction: &Transaction<'_>,
    condition: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<usize> {
    let mut delete =
        transaction.prepare_cached(&format!("DELETE FROM alerts WHERE {condition} RETURNING {COLUMNS}"))?;
    let mut rows = delete.query(values)?;
    let (mut entries, mut count) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        of(row, &mut entries)?;
        count += 1;
    }
    entries.sort_unstable();
    let mut delete = transaction.prepare_cached("DELETE FROM entries WHERE key = ? AND moment = ? AND alert = ?")?;
    for (key, moment, alert) in entries {
        delete.execute([key, moment, alert])?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kept in files: other keys would find nothing there.
    #[test]
    fn keys_stay() {
        let tenant = Uuid::from_u128(1);
        assert_eq!(key(tenant, Field::Host, "web-1"), -5_839_404_419_898_536_583);
        let incident = "0192f0c1-2b3c-7def-8a1b-c0ffee000001";
        assert_eq!(key(tenant, Field::Incident, incident), 3_629_364_898_638_245_272);
    }

    #[test]
    fn keys_differ_by_tenant_field_and_value_and_those_of_incidents_are_in_the_order_of_their_time() {
        let of = |tenant, field, value| key(Uuid::from_u128(tenant), field, value);
        let mut keys = vec![
            of(1, Field::Host, "a"),
            of(2, Field::Host, "a"),
            of(1, Field::User, "a"),
            of(1, Field::Host, "b"),
            of(1, Field::Incident, "a"),
        ];
        assert!(keys.iter().all(|&key| key < 0));
        let incidents = ["00000000-0000-7000-8000-000000000000", "0192f0c1-2b3c-7def-8a1b-c0ffee000001"];
        keys.extend(incidents.map(|id| of(1, Field::Incident, id)));
        keys.push(of(1, Field::Incident, "03ffffff-ffff-7fff-bfff-ffffffffffff"));
        assert!(keys[5..].is_sorted() && keys[5] >= 0, "{keys:?}");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 8);
    }
}
