//! What is wrong with sensors: Central's own alerts, raised once for as long as it lasts.
//!
//! Silence is told by the database's own clock, and only of time in which Central ran: neither a clock that is set nor a Central
//! that was down makes a fleet silent.

use rusqlite::{OptionalExtension as _, Transaction, params};
use sensor_proto::v1::{self, Location};
use uuid::Uuid;

use super::{
    Store, StoreError,
    writer::{Arrival, insert_alert, insert_row},
};
use crate::{event::EventType, ingest::judge_alert, sensors::LATE};

/// Sensors of which something is told at a time: the rest follows at the next look.
const MOST: i64 = 500;

/// Nanoseconds without losses after which a sensor loses nothing any more. One that may tell of its health does so each hour.
const QUIET: i64 = LATE;

/// The type of Central's own policies.
const POLICY_TYPE: &str = "central";

/// What those who switch a sensor off or blind it do, as sensors and Central name it.
const CATEGORY: &str = "MITRE.Defense Evasion.Impair Defenses";

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing came for too long.
    Silent,
    /// It said that it lost records.
    Losing,
    /// It said that somebody meddled with it, and nobody has closed that alert.
    Tampered,
}

impl Trouble {
    pub const ALL: [Self; 3] = [Self::Silent, Self::Losing, Self::Tampered];

    /// As it is kept.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Losing => "losing",
            Self::Tampered => "tampered",
        }
    }

    const fn policy(self) -> &'static str {
        match self {
            Self::Silent => "Sensor Silent",
            Self::Losing => "Sensor Losing Records",
            Self::Tampered => "Sensor Tampered With",
        }
    }

    const fn priority(self) -> &'static str {
        match self {
            Self::Silent | Self::Tampered => "High",
            Self::Losing => "Medium",
        }
    }

    /// The event that tells of its begin.
    const fn event(self) -> EventType {
        match self {
            Self::Silent => EventType::SensorSilent,
            Self::Losing => EventType::SensorLosing,
            Self::Tampered => EventType::SensorTampered,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Silent => {
                "Find out whether the host runs and reaches Central, and who stopped the sensor: systemctl status sophoslinuxsensor"
            }
            Self::Losing => {
                "sophoslinuxsensor status tells where records are lost; what happened meanwhile was not seen whole"
            }
            Self::Tampered => "Ask who did this",
        }
    }
}

/// Whether an alert says that somebody meddled with the sensor itself.
#[must_use]
pub fn is_tampering(policy_type: &str, categories: &[String]) -> bool {
    policy_type == "sensor" && categories.iter().any(|category| category.starts_with(CATEGORY))
}

impl Store {
    /// Looks which sensors are silent, lose records or are well again, and tells of it; says of how many. `silent` is how
    /// long nothing may come, nanoseconds; none: for ever.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn look_after_sensors(&self, silent: Option<i64>) -> Result<usize, StoreError> {
        self.ask(|reply| super::Command::Look(silent, reply)).await
    }
}

/// A sensor, as it is told of.
struct TroubledSensor {
    tenant: String,
    sensor: String,
    hostname: String,
    metadata: String,
}

pub(super) fn look(transaction: &Transaction<'_>, silent: Option<i64>, arrival: Arrival) -> rusqlite::Result<usize> {
    let now = arrival.kept;
    // Of before there was a look, but for those that were silent then.
    transaction.execute(
        "UPDATE sensors SET heard = ? WHERE heard IS NULL AND NOT EXISTS (
             SELECT 1 FROM troubles WHERE troubles.tenant = sensors.tenant AND troubles.sensor = sensors.sensor AND kind = 'silent')",
        [now],
    )?;
    let heard_since = silent.map_or(i64::MIN, |silent| now.saturating_sub(silent));
    let mut told = 0;
    let new = "SELECT tenant, sensor, hostname, metadata FROM sensors WHERE {} AND NOT EXISTS (
                   SELECT 1 FROM troubles WHERE troubles.tenant = sensors.tenant AND troubles.sensor = sensors.sensor AND kind = ?2)
               LIMIT ?3";
    for (trouble, condition, bound) in
        [(Trouble::Silent, "heard < ?1", heard_since), (Trouble::Losing, "lost_at > ?1", now.saturating_sub(QUIET))]
    {
        for sensor in sensors(transaction, &new.replace("{}", condition), bound, trouble)? {
            let host = if sensor.hostname.is_empty() { &sensor.sensor } else { &sensor.hostname };
            let text = match trouble {
                Trouble::Silent => format!("Nothing came from the sensor of {host} for {}", span(silent.unwrap_or(0))),
                _ => format!("The sensor of {host} loses records"),
            };
            let alert = raise(transaction, &sensor, trouble, &text, arrival)?;
            begin(transaction, &sensor.tenant, &sensor.sensor, trouble, alert, &text, arrival)?;
            told += 1;
        }
    }
    let over = "SELECT sensors.tenant, sensors.sensor, hostname, metadata FROM troubles
                JOIN sensors ON sensors.tenant = troubles.tenant AND sensors.sensor = troubles.sensor
                WHERE {} AND kind = ?2 LIMIT ?3";
    for (trouble, condition, bound, text) in [
        (Trouble::Silent, "heard >= ?1", heard_since, "The sensor is heard of again"),
        // A silent one tells of no losses either.
        (
            Trouble::Losing,
            "ifnull(lost_at, 0) <= ?1 AND heard > ifnull(lost_at, 0)",
            now.saturating_sub(QUIET),
            "The sensor loses no records any more",
        ),
    ] {
        for sensor in sensors(transaction, &over.replace("{}", condition), bound, trouble)? {
            end(transaction, &sensor, trouble, text, arrival)?;
            told += 1;
        }
    }
    // People close what a sensor itself told of.
    told += transaction.execute(
        "DELETE FROM troubles WHERE kind = 'tampered'
         AND NOT EXISTS (SELECT 1 FROM alerts WHERE public_id = troubles.alert AND closed IS NULL)",
        [],
    )?;
    Ok(told)
}

fn sensors(
    transaction: &Transaction<'_>,
    sql: &str,
    bound: i64,
    trouble: Trouble,
) -> rusqlite::Result<Vec<TroubledSensor>> {
    let mut statement = transaction.prepare_cached(sql)?;
    let found = statement.query_map(params![bound, trouble.name(), MOST], |row| {
        Ok(TroubledSensor { tenant: row.get(0)?, sensor: row.get(1)?, hostname: row.get(2)?, metadata: row.get(3)? })
    })?;
    found.collect()
}

/// Stores an alert of Central's own; returns its public id.
fn raise(
    transaction: &Transaction<'_>,
    sensor: &TroubledSensor,
    trouble: Trouble,
    text: &str,
    arrival: Arrival,
) -> rusqlite::Result<Uuid> {
    let uuid = Uuid::new_v4().to_string();
    let alert = v1::Alert {
        uuid: uuid.clone(),
        unix_nano_timestamp: Some(crate::now().unsigned_abs()),
        strategy_name: trouble.policy().into(),
        policy_type: POLICY_TYPE.into(),
        priority: trouble.priority().into(),
        confidence: "Medium".into(),
        scope: "Node".into(),
        description: text.into(),
        comments: trouble.advice().into(),
        categories: vec![CATEGORY.into()],
        incident_id: uuid,
        location: Some(Location { node_name: sensor.hostname.clone(), ..Location::default() }),
        metadata: serde_json::from_str(&sensor.metadata).unwrap_or_default(),
        ..v1::Alert::default()
    };
    // What is made here has all that is asked for.
    let Ok(alert) = judge_alert(&alert) else { return Ok(Uuid::nil()) };
    insert_alert(transaction, &sensor.tenant, &sensor.sensor, crate::now(), arrival, &alert)?;
    tracing::warn!(sensor = ?sensor.sensor, host = ?sensor.hostname, "{}", trouble.policy());
    Ok(alert.public_id)
}

/// Keeps that something is wrong, and tells of it as an event.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    tenant: &str,
    sensor: &str,
    trouble: Trouble,
    alert: Uuid,
    text: &str,
    arrival: Arrival,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO troubles (tenant, sensor, kind, alert, since) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![tenant, sensor, trouble.name(), alert.as_bytes(), crate::now()])?;
    tell(transaction, tenant, sensor, trouble.event(), text, arrival)
}

/// Closes the alert that told of it, and tells of the end as an event.
fn end(
    transaction: &Transaction<'_>,
    sensor: &TroubledSensor,
    trouble: Trouble,
    text: &str,
    arrival: Arrival,
) -> rusqlite::Result<()> {
    let alert: Option<Vec<u8>> = transaction
        .prepare_cached("DELETE FROM troubles WHERE tenant = ? AND sensor = ? AND kind = ? RETURNING alert")?
        .query_row(params![sensor.tenant, sensor.sensor, trouble.name()], |row| row.get(0))
        .optional()?;
    let now = crate::now();
    // Unless somebody has closed it.
    let row: Option<i64> = transaction
        .prepare_cached(
            "UPDATE alerts SET closed = ? WHERE public_id = ? AND tenant = ? AND closed IS NULL RETURNING id",
        )?
        .query_row(params![now, alert, sensor.tenant], |row| row.get(0))
        .optional()?;
    if let Some(row) = row {
        transaction
            .prepare_cached(
                "INSERT INTO actions (id, alert, action, message, client, requested, user) VALUES (?, ?, 'close', ?, '', ?, 'Central')",
            )?
            .execute(params![Uuid::new_v4().to_string(), row, text, now])?;
    }
    tell(transaction, &sensor.tenant, &sensor.sensor, EventType::SensorWell, text, arrival)
}

fn tell(
    transaction: &Transaction<'_>,
    tenant: &str,
    sensor: &str,
    event: EventType,
    text: &str,
    arrival: Arrival,
) -> rusqlite::Result<()> {
    let now = crate::now();
    let json = serde_json::json!({ "unix_nano_timestamp": now, "sensor_id": sensor, "message": text }).to_string();
    let row = super::Row { table: "sensor_troubles".into(), time: now, event: Some(event), json };
    insert_row(transaction, tenant, sensor, now, arrival, &row)
}

/// A time in words.
fn span(nanoseconds: i64) -> String {
    let minutes = nanoseconds / 60_000_000_000;
    let (number, unit) = if minutes % 60 == 0 { (minutes / 60, "hour") } else { (minutes, "minute") };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}
