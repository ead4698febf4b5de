//! Searches that clients have started: they ask for the results later, page by page, perhaps of another Central on the same
//! database. What was asked is kept and asked again for each page; it ends before the search began, so that no page moves.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::{Reader, Store, StoreError};

/// Of a search, seconds.
const LIFETIME: i64 = 2 * 3600;
/// Of one tenant: the oldest make room.
const MOST: i64 = 10_000;

/// A search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: Uuid,
    /// What is asked, as whoever started it wrote it down.
    pub query: String,
    /// Nanoseconds since the Unix epoch, as the next one.
    pub created: i64,
    pub expires: i64,
}

impl Store {
    /// Keeps a search of this kind. Those that have expired go.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn start_run(
        &self,
        tenant: Uuid,
        kind: &'static str,
        query: String,
        now: i64,
    ) -> Result<Run, StoreError> {
        let run = Run { id: Uuid::new_v4(), query, created: now, expires: now + LIFETIME * 1_000_000_000 };
        let kept = run.clone();
        self.change(move |transaction| {
            let tenant = tenant.to_string();
            transaction.prepare_cached("DELETE FROM runs WHERE expires < ?")?.execute([kept.created])?;
            transaction
                .prepare_cached(
                    "DELETE FROM runs WHERE tenant = ?1 AND id IN
                     (SELECT id FROM runs WHERE tenant = ?1 ORDER BY created DESC LIMIT -1 OFFSET ?2)",
                )?
                .execute(params![tenant, MOST - 1])?;
            transaction
                .prepare_cached(
                    "INSERT INTO runs (id, tenant, kind, query, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![kept.id.to_string(), tenant, kind, kept.query, kept.created, kept.expires])
        })
        .await?;
        Ok(run)
    }
}

impl Reader {
    /// A search of this tenant and kind, if it has not expired.
    ///
    /// # Errors
    /// The database failed.
    pub fn run(&self, tenant: Uuid, kind: &str, id: Uuid, now: i64) -> Result<Option<Run>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT query, created, expires FROM runs
                     WHERE id = ? AND tenant = ? AND kind = ? AND expires > ?",
                )?
                .query_row(params![id.to_string(), tenant.to_string(), kind, now], |row| {
                    Ok(Run { id, query: row.get(0)?, created: row.get(1)?, expires: row.get(2)? })
                })
                .optional()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::metrics::Metrics;

    #[tokio::test]
    async fn a_search_is_its_tenants_and_expires() {
        let dir = tempfile::tempdir().unwrap();
        let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
        let (ours, theirs) = (Uuid::new_v4(), Uuid::new_v4());
        let run = store.start_run(ours, "detections", "{}".into(), 5).await.unwrap();
        let found = |tenant, kind, now| store.reader().run(tenant, kind, run.id, now).unwrap();
        assert_eq!(found(ours, "detections", 6), Some(run.clone()));
        assert_eq!((found(theirs, "detections", 6), found(ours, "groups", 6)), (None, None));
        assert_eq!(found(ours, "detections", run.expires), None);
        // The next one sweeps.
        store.start_run(theirs, "detections", "{}".into(), run.expires + 1).await.unwrap();
        assert_eq!(found(ours, "detections", 6), None);
        store.close(writer).await;
    }
}
