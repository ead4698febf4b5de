//! Open alerts, looked for by their columns, and what is done about them.

use rusqlite::{OptionalExtension as _, params, params_from_iter, types::Value};
use uuid::Uuid;

use super::{Reader, Store, StoreError, StoredAlert, arrivals};

/// Which open alerts of a tenant.
#[derive(Clone, Debug)]
pub struct AlertFilter {
    pub tenant: Uuid,
    /// Those that came in at this moment or later, milliseconds since the Unix epoch.
    pub from: Option<i64>,
    /// Those that came in before this moment.
    pub to: Option<i64>,
    /// Of these severities; empty for all, as the next ones.
    pub severities: Vec<u8>,
    pub policies: Vec<String>,
    pub ids: Vec<Uuid>,
    /// From the newest to the oldest; else the other way.
    pub newest_first: bool,
}

/// Where in the list.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Behind the alert of this number.
    Behind(i64),
    /// After so many.
    Skip(u64),
}

impl AlertFilter {
    /// The condition, and what stands in its places.
    fn condition(&self) -> (String, Vec<Value>) {
        let mut sql = "tenant = ? AND closed IS NULL".to_owned();
        let mut values: Vec<Value> = vec![self.tenant.to_string().into()];
        let mut add = |term: &str, found: Vec<Value>| {
            sql.push_str(" AND ");
            sql.push_str(term);
            values.extend(found);
        };
        if let Some(from) = self.from {
            add("raised >= ?", vec![from.into()]);
        }
        if let Some(to) = self.to {
            add("raised < ?", vec![to.into()]);
        }
        let of_places = |column: &str, count: usize| format!("{column} IN ({})", vec!["?"; count].join(", "));
        if !self.severities.is_empty() {
            let found = self.severities.iter().map(|&number| i64::from(number).into());
            add(&of_places("severity", self.severities.len()), found.collect());
        }
        if !self.policies.is_empty() {
            let found = self.policies.iter().map(|policy| policy.clone().into());
            add(&of_places("policy", self.policies.len()), found.collect());
        }
        if !self.ids.is_empty() {
            let found = self.ids.iter().map(|id| id.as_bytes().to_vec().into());
            add(&of_places("public_id", self.ids.len()), found.collect());
        }
        (sql, values)
    }
}

impl Reader {
    /// Open alerts, at most so many.
    ///
    /// # Errors
    /// The database failed.
    pub fn alerts(&self, filter: &AlertFilter, start: Start, most: u64) -> Result<Vec<StoredAlert>, StoreError> {
        let (mut condition, mut values) = filter.condition();
        // Numbers and moments of arrival are in the same order.
        let (order, behind) = if filter.newest_first { ("DESC", "<") } else { ("ASC", ">") };
        let skip = match start {
            Start::Behind(number) => {
                condition.push_str(&format!(" AND id {behind} ?"));
                values.push(number.into());
                0
            }
            Start::Skip(count) => count,
        };
        values.extend([most.cast_signed().into(), skip.cast_signed().into()]);
        let sql = format!(
            "SELECT raised, id, public_id, sensor, time, severity, policy, host, json FROM alerts
             WHERE {condition} ORDER BY raised {order}, id {order} LIMIT ? OFFSET ?"
        );
        self.with(|connection| connection.prepare(&sql)?.query_map(params_from_iter(values), arrivals::read)?.collect())
    }

    /// How many there are in all.
    ///
    /// # Errors
    /// The database failed.
    pub fn count_alerts(&self, filter: &AlertFilter) -> Result<u64, StoreError> {
        let (condition, values) = filter.condition();
        let sql = format!("SELECT count(*) FROM alerts WHERE {condition}");
        let count: i64 =
            self.with(|connection| connection.prepare(&sql)?.query_row(params_from_iter(values), |row| row.get(0)))?;
        Ok(count.unsigned_abs())
    }
}

impl Store {
    /// Closes an open alert, and keeps who did it and why; says whether there was one.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn close_alert(
        &self,
        tenant: Uuid,
        alert: Uuid,
        action: Uuid,
        message: String,
        client: Uuid,
    ) -> Result<bool, StoreError> {
        let now = crate::now();
        let closed = self.change(move |transaction| {
            let row: Option<i64> = transaction
                .prepare_cached("SELECT id FROM alerts WHERE public_id = ? AND tenant = ? AND closed IS NULL")?
                .query_row(params![alert.as_bytes(), tenant.to_string()], |row| row.get(0))
                .optional()?;
            let Some(row) = row else { return Ok(0) };
            transaction
                .prepare_cached(
                    "INSERT INTO actions (id, alert, action, message, client, requested)
                     VALUES (?, ?, 'acknowledge', ?, ?, ?)",
                )?
                .execute(params![action.to_string(), row, message, client.to_string(), now])?;
            transaction.prepare_cached("UPDATE alerts SET closed = ? WHERE id = ?")?.execute(params![now, row])
        });
        Ok(closed.await? > 0)
    }
}
