//! Removes what is too old or too much, a little at a time, so that requests need not wait long.

use rusqlite::{Transaction, params};

use super::entries;
use crate::{config::Retention, metrics::Metrics};

/// Most records of a kind that go at a time.
const CHUNK: i64 = 2_000;

/// Most pages given back to the file system at a time.
const PAGES: i64 = 1_000;

const DAY: i64 = 24 * 3600 * 1_000_000_000;

/// How many records went: what, why, how many.
pub(super) struct Removed(Vec<(&'static str, &'static str, usize)>);

impl Removed {
    pub(super) fn total(&self) -> usize {
        self.0.iter().map(|(.., count)| count).sum()
    }

    pub(super) fn count(&self, metrics: &Metrics) {
        for (what, cause, count) in &self.0 {
            metrics.expired(what, cause, *count);
        }
    }
}

/// Removes one helping; `now` is what the database's own clock says.
pub(super) fn expire(transaction: &Transaction<'_>, retention: Retention, now: i64) -> rusqlite::Result<Removed> {
    let before = |days: u32| now.saturating_sub(i64::from(days) * DAY);
    // Records stand in order of arrival: only the first ones can be too old.
    let by_age = [
        (
            "rows",
            retention.events_days,
            "DELETE FROM rows WHERE ifnull(kept, received) < ? AND id IN (SELECT id FROM rows ORDER BY id LIMIT ?)",
        ),
        (
            "batches",
            retention.batches_days,
            "DELETE FROM batches WHERE (tenant, sensor, kind, key) IN
             (SELECT tenant, sensor, kind, key FROM batches WHERE ifnull(kept, received) < ?
              ORDER BY ifnull(kept, received) LIMIT ?)",
        ),
    ];
    let mut removed = Vec::new();
    for (what, days, delete) in by_age {
        if let Some(days) = days {
            removed.push((what, "age", transaction.prepare_cached(delete)?.execute(params![before(days), CHUNK])?));
        }
    }
    if let Some(days) = retention.alerts_days {
        let old = "ifnull(kept, received) < ? AND id IN (SELECT id FROM alerts ORDER BY id LIMIT ?)";
        removed.push(("alerts", "age", entries::delete_alerts(transaction, old, params![before(days), CHUNK])?));
    }
    if let Some(max) = retention.max_bytes
        && used_bytes(transaction)? > max
    {
        removed.push(oldest(transaction)?);
    }
    let removed = Removed(removed);
    if removed.total() > 0 {
        give_back(transaction)?;
    }
    Ok(removed)
}

/// Rows go first. Alerts go only when they alone are too much.
fn oldest(transaction: &Transaction<'_>) -> rusqlite::Result<(&'static str, &'static str, usize)> {
    let rows = transaction
        .prepare_cached("DELETE FROM rows WHERE id IN (SELECT id FROM rows ORDER BY id LIMIT ?)")?
        .execute([CHUNK])?;
    if rows > 0 {
        return Ok(("rows", "size", rows));
    }
    let alerts = entries::delete_alerts(transaction, "id IN (SELECT id FROM alerts ORDER BY id LIMIT ?)", [CHUNK])?;
    if alerts > 0 {
        tracing::warn!(
            alerts,
            "removed the oldest alerts: they alone exceed retention.max_bytes; raise it to keep more"
        );
    }
    Ok(("alerts", "size", alerts))
}

/// Bytes in use: those of the file less its free pages.
fn used_bytes(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let sql = "SELECT (page_count - freelist_count) * page_size
               FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    transaction.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|bytes| u64::try_from(bytes).unwrap_or(0))
}

fn give_back(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut vacuum = transaction.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    Ok(())
}
