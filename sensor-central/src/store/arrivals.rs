//! Alerts and events in the order in which they came in, from a place on.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Reader, StoreError};
use crate::event::EventType;

/// A place in the order of arrival: behind this record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it came in, milliseconds since the Unix epoch. Tells the place also once the record is gone, and in a
    /// database that was restored from a copy.
    pub raised: i64,
    /// Its number, for those that came in together.
    pub row: i64,
}

/// An alert as it is kept.
#[derive(Clone, Debug)]
pub struct StoredAlert {
    pub place: Place,
    pub public_id: Uuid,
    pub sensor: String,
    /// By the sensor's clock, nanoseconds since the Unix epoch.
    pub time: i64,
    /// Of a [`Severity`](crate::severity::Severity).
    pub severity: u8,
    pub policy: String,
    pub host: String,
    /// The alert's own JSON.
    pub json: String,
}

/// A row of note.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    pub place: Place,
    pub sensor: String,
    /// By the sensor's clock, nanoseconds since the Unix epoch.
    pub time: i64,
    /// The name of its type.
    pub event: String,
    /// As the sensor told it; empty if it did not.
    pub host: String,
    /// The row's own JSON.
    pub json: String,
}

impl Reader {
    /// The next alerts of a tenant, closed ones too, at most so many.
    ///
    /// # Errors
    /// The database failed.
    pub fn alerts_after(&self, tenant: Uuid, after: Place, most: usize) -> Result<Vec<StoredAlert>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT raised, id, public_id, sensor, time, severity, policy, host, json FROM alerts
                     WHERE tenant = ? AND (raised, id) > (?, ?) ORDER BY raised, id LIMIT ?",
                )?
                .query_map(params![tenant.to_string(), after.raised, after.row, limit(most)], read)?
                .collect()
        })
    }

    /// The next events of a tenant, at most so many, without those of these types; and how far that is, if it is all there
    /// are: beyond those that were left out, which nobody need look at again.
    ///
    /// # Errors
    /// The database failed.
    pub fn events_after(
        &self,
        tenant: Uuid,
        after: Place,
        without: &[String],
        most: usize,
    ) -> Result<(Vec<StoredEvent>, Place), StoreError> {
        let (tenant, without) = (tenant.to_string(), serde_json::Value::from(without).to_string());
        self.with(|connection| {
            // Before the events are read: what comes in meanwhile is not passed over.
            let newest = connection
                .prepare_cached(
                    "SELECT raised, id FROM rows WHERE tenant = ? AND raised IS NOT NULL
                     ORDER BY raised DESC, id DESC LIMIT 1",
                )?
                .query_row([&tenant], |row| Ok(Place { raised: row.get(0)?, row: row.get(1)? }))
                .optional()?;
            let found = connection
                .prepare_cached(
                    "SELECT rows.raised, rows.id, rows.sensor, rows.time, rows.event, ifnull(sensors.hostname, ''), rows.json
                     FROM rows LEFT JOIN sensors ON sensors.tenant = rows.tenant AND sensors.sensor = rows.sensor
                     WHERE rows.tenant = ? AND rows.raised IS NOT NULL AND (rows.raised, rows.id) > (?, ?)
                       AND rows.event NOT IN (SELECT value FROM json_each(?))
                     ORDER BY rows.raised, rows.id LIMIT ?",
                )?
                .query_map(params![tenant, after.raised, after.row, without, limit(most)], |row| {
                    Ok(StoredEvent {
                        place: Place { raised: row.get(0)?, row: row.get(1)? },
                        sensor: row.get(2)?,
                        time: row.get(3)?,
                        event: row.get(4)?,
                        host: row.get(5)?,
                        json: row.get(6)?,
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let end = found.last().map_or(after, |event| event.place).max(newest.unwrap_or(after));
            Ok((found, end))
        })
    }
}

impl Reader {
    /// The sensors of a tenant that told of an event of this type since a moment, milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// The database failed.
    pub fn sensors_with(&self, tenant: Uuid, event: EventType, since: i64) -> Result<BTreeSet<String>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT sensor FROM rows WHERE tenant = ? AND raised >= ? AND event = ?")?
                .query_map(params![tenant.to_string(), since, event.name()], |row| row.get(0))?
                .collect()
        })
    }
}

/// Reads the columns raised, id, public_id, sensor, time, severity, policy, host and json of an alert.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<StoredAlert> {
    Ok(StoredAlert {
        place: Place { raised: row.get(0)?, row: row.get(1)? },
        public_id: Uuid::from_slice(&row.get::<_, Vec<u8>>(2)?).unwrap_or_default(),
        sensor: row.get(3)?,
        time: row.get(4)?,
        severity: row.get(5)?,
        policy: row.get(6)?,
        host: row.get(7)?,
        json: row.get(8)?,
    })
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
