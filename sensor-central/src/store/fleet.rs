//! The sensors of a tenant, those that need somebody first.

use rusqlite::{Row, params};
use uuid::Uuid;

use super::{Reader, Sensor, StoreError};
use crate::{
    event::EventType,
    sensors::{LATE, SILENT},
};

/// How a sensor does: those that need somebody are less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It said that somebody meddled with it, and nobody has closed that alert.
    Tampered,
    /// Nothing came for a day, or for as long as the configuration says.
    Silent,
    /// It lost records within a day.
    Losing,
    /// Nothing came for two hours.
    Late,
    /// It has sent something, and never said what it is.
    Unknown,
    Good,
}

impl Health {
    pub const ALL: [Self; 6] = [Self::Tampered, Self::Silent, Self::Losing, Self::Late, Self::Unknown, Self::Good];
}

/// A sensor and how it does.
#[derive(Clone, Debug)]
pub struct Watched {
    pub sensor: Sensor,
    pub health: Health,
    /// Records that it lost within a day.
    pub lost: u64,
    /// Central's clock less the sensor's, nanoseconds, if it is known.
    pub skew: Option<i64>,
    /// What Central holds against it, by [`Trouble`](super::Trouble), and the detection that tells of it.
    pub troubles: Vec<(String, Option<Uuid>)>,
}

/// A page of them.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// How many there are of each, in the order of [`Health::ALL`].
    pub counts: [u64; 6],
    pub sensors: Vec<Watched>,
}

/// Sensors with what they lost, as `health` 0 to 5. The places: tenant, since when losses count (milliseconds), the type of
/// their events, since when one is silent, since when it is late (nanoseconds).
const WATCHED: &str = "WITH lost AS (
        SELECT sensor, sum(iif(json_valid(json), ifnull(json_extract(json, '$.count'), 0), 0)) AS count FROM rows
        WHERE tenant = ?1 AND raised >= ?2 AND event = ?3 GROUP BY sensor),
    watched AS (
        SELECT sensors.*, ifnull(lost.count, 0) AS lost,
               CASE WHEN troubles.kinds LIKE '%tampered%' THEN 0 WHEN last_seen < ?4 OR troubles.kinds LIKE '%silent%' THEN 1
                    WHEN lost.count > 0 OR troubles.kinds LIKE '%losing%' THEN 2 WHEN last_seen < ?5 THEN 3 WHEN version = '' THEN 4
                    ELSE 5 END AS health,
               ifnull(troubles.kinds, '') AS troubles
        FROM sensors LEFT JOIN lost ON lost.sensor = sensors.sensor
        LEFT JOIN (SELECT sensor, group_concat(kind || ' ' || hex(alert)) AS kinds FROM troubles WHERE tenant = ?1 GROUP BY sensor)
            AS troubles ON troubles.sensor = sensors.sensor
        WHERE tenant = ?1)";

impl Reader {
    /// A tenant's sensors whose hosts' names have a part, in small letters: so many after so many.
    ///
    /// # Errors
    /// The database failed.
    pub fn fleet(&self, tenant: Uuid, host: &str, skip: u64, most: u32, now: i64) -> Result<Fleet, StoreError> {
        let (tenant, silent) = (tenant.to_string(), now - SILENT);
        let (losses, late) = (silent / 1_000_000, now - LATE);
        let lost = EventType::RecordsLost.name();
        self.with(|connection| {
            let mut counts = [0; 6];
            let mut statement = connection
                .prepare_cached(&format!("{WATCHED} SELECT health, count(*) FROM watched GROUP BY health"))?;
            let mut rows = statement.query(params![tenant, losses, lost, silent, late])?;
            while let Some(row) = rows.next()? {
                if let Some(count) = counts.get_mut(usize::from(row.get::<_, u8>(0)?)) {
                    *count = row.get::<_, i64>(1)?.unsigned_abs();
                }
            }
            let sql = format!(
                "{WATCHED} SELECT tenant, sensor, hostname, version, last_seen, metadata, statistics, health, lost, skew, troubles
                 FROM watched WHERE instr(lower(hostname), ?6) > 0 OR ?6 = ''
                 ORDER BY health, last_seen, sensor LIMIT ?7 OFFSET ?8"
            );
            let sensors = connection
                .prepare_cached(&sql)?
                .query_map(params![tenant, losses, lost, silent, late, host, most, skip.cast_signed()], read)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Fleet { counts, sensors })
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Watched> {
    Ok(Watched {
        sensor: Sensor {
            tenant: row.get(0)?,
            sensor: row.get(1)?,
            hostname: row.get(2)?,
            version: row.get(3)?,
            last_seen: row.get(4)?,
            metadata: row.get(5)?,
            statistics: row.get(6)?,
        },
        health: Health::ALL.get(usize::from(row.get::<_, u8>(7)?)).copied().unwrap_or(Health::Unknown),
        // Counts of sensors may be anything.
        lost: row.get::<_, f64>(8).map_or(0, |lost| lost as u64),
        skew: row.get(9)?,
        troubles: row.get::<_, String>(10)?.split(',').filter_map(trouble).collect(),
    })
}

/// One of the column `troubles`.
fn trouble(text: &str) -> Option<(String, Option<Uuid>)> {
    let (kind, alert) = text.split_once(' ')?;
    Some((kind.to_owned(), Uuid::try_parse(alert).ok()))
}
