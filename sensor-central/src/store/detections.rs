//! Alerts as detections: the closed ones too, sorted as asked, by themselves or in groups.

use rusqlite::{params_from_iter, types::Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Reader, StoreError, StoredAlert, arrivals};

/// What a detection's rule is called, out of the policy's name.
const RULE: &str = "'LNX-' || upper(replace(policy, ' ', '-'))";

/// The same here.
#[must_use]
pub fn rule_of(policy: &str) -> String {
    format!("LNX-{}", policy.replace(' ', "-").to_ascii_uppercase())
}

/// Which detections, in which order. Kept as JSON, so names stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DetectionFilter {
    /// Those that came in at this moment or later, milliseconds since the Unix epoch …
    pub from: i64,
    /// … and before this one.
    pub to: i64,
    /// Of these severities; empty for all, as the next ones.
    pub severities: Vec<u8>,
    pub rules: Vec<String>,
    /// By these, one after the other; the newest first where that says nothing.
    pub order: Vec<Order>,
}

/// By what, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub by: Column,
    pub descending: bool,
}

/// What detections can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    Arrived,
    Severity,
    Rule,
    /// By the sensor's clock.
    Happened,
    Host,
    /// How many there are of it; of a detection by itself, one.
    Count,
}

/// Detections of one rule on one host.
#[derive(Clone, Debug)]
pub struct Group {
    /// The newest of them.
    pub newest: StoredAlert,
    pub count: u64,
}

impl DetectionFilter {
    /// The condition, and what stands in its places.
    fn condition(&self, tenant: Uuid) -> (String, Vec<Value>) {
        let mut sql = "tenant = ? AND raised >= ? AND raised < ?".to_owned();
        let mut values: Vec<Value> = vec![tenant.to_string().into(), self.from.into(), self.to.into()];
        let mut among = |column: &str, found: Vec<Value>| {
            if !found.is_empty() {
                sql.push_str(&format!(" AND {column} IN ({})", vec!["?"; found.len()].join(", ")));
                values.extend(found);
            }
        };
        among("severity", self.severities.iter().map(|&number| i64::from(number).into()).collect());
        among(RULE, self.rules.iter().map(|rule| rule.to_ascii_uppercase().into()).collect());
        (sql, values)
    }

    /// `of_group` where there is a count.
    fn order(&self, of_group: bool) -> String {
        let column = |by| match by {
            Column::Arrived => "raised",
            Column::Severity => "severity",
            Column::Rule => RULE,
            Column::Happened => "time",
            Column::Host => "host",
            Column::Count if of_group => "count(*)",
            Column::Count => "1 + 0",
        };
        let term = |order: &Order| format!("{}{}, ", column(order.by), if order.descending { " DESC" } else { "" });
        let terms: String = self.order.iter().map(term).collect();
        // A group's own number is that of its newest.
        let last = if of_group { "max(id) DESC" } else { "raised DESC, id DESC" };
        format!("{terms}{last}")
    }
}

impl Reader {
    /// When the newest alert of a tenant came in, milliseconds since the Unix epoch. All that come later are later.
    ///
    /// # Errors
    /// The database failed.
    pub fn newest_arrival(&self, tenant: Uuid) -> Result<i64, StoreError> {
        let sql = "SELECT ifnull(max(raised), 0) FROM alerts WHERE tenant = ?";
        self.with(|connection| connection.prepare_cached(sql)?.query_row([tenant.to_string()], |row| row.get(0)))
    }

    /// A page of them: at most so many, after so many.
    ///
    /// # Errors
    /// The database failed.
    pub fn detections_of(
        &self,
        tenant: Uuid,
        filter: &DetectionFilter,
        skip: u64,
        most: u64,
    ) -> Result<Vec<StoredAlert>, StoreError> {
        let (condition, mut values) = filter.condition(tenant);
        values.extend([most.cast_signed().into(), skip.cast_signed().into()]);
        let sql = format!(
            "SELECT raised, id, public_id, sensor, time, severity, policy, host, json FROM alerts
             WHERE {condition} ORDER BY {} LIMIT ? OFFSET ?",
            filter.order(false)
        );
        self.with(|connection| connection.prepare(&sql)?.query_map(params_from_iter(values), arrivals::read)?.collect())
    }

    /// The same by rule and host. Severity, time and host are those of a group's newest.
    ///
    /// # Errors
    /// The database failed.
    pub fn detection_groups(
        &self,
        tenant: Uuid,
        filter: &DetectionFilter,
        skip: u64,
        most: u64,
    ) -> Result<Vec<Group>, StoreError> {
        let (condition, mut values) = filter.condition(tenant);
        values.extend([most.cast_signed().into(), skip.cast_signed().into()]);
        // Beside a max() the other columns are those of its row (sqlite.org/lang_select.html, "bare columns").
        let sql = format!(
            "SELECT raised, id, public_id, sensor, time, severity, policy, host, json, count(*), max(id) FROM alerts
             WHERE {condition} GROUP BY policy, sensor ORDER BY {} LIMIT ? OFFSET ?",
            filter.order(true)
        );
        let group = |row: &rusqlite::Row<'_>| {
            Ok(Group { newest: arrivals::read(row)?, count: row.get::<_, i64>(9)?.unsigned_abs() })
        };
        self.with(|connection| connection.prepare(&sql)?.query_map(params_from_iter(values), group)?.collect())
    }

    /// How many there are in all: detections, or groups of them.
    ///
    /// # Errors
    /// The database failed.
    pub fn count_detections(&self, tenant: Uuid, filter: &DetectionFilter, in_groups: bool) -> Result<u64, StoreError> {
        let (condition, values) = filter.condition(tenant);
        let sql = match in_groups {
            false => format!("SELECT count(*) FROM alerts WHERE {condition}"),
            true => {
                format!("SELECT count(*) FROM (SELECT 1 FROM alerts WHERE {condition} GROUP BY policy, sensor)")
            }
        };
        let count: i64 =
            self.with(|connection| connection.prepare(&sql)?.query_row(params_from_iter(values), |row| row.get(0)))?;
        Ok(count.unsigned_abs())
    }
}
