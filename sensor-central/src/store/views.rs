//! Filters of the list of detections that people keep, each their own.

use rusqlite::params;
use uuid::Uuid;

use super::{Reader, Store, StoreError};

/// Most views that somebody keeps.
pub const MOST: usize = 50;

/// A filter under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub id: String,
    pub name: String,
    /// As it stands in the address of the list, behind the question mark.
    pub query: String,
}

impl Store {
    /// Keeps a view; one of the same name is replaced. Says whether there was room for it.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn keep_view(&self, user: Uuid, name: String, query: String) -> Result<bool, StoreError> {
        let (id, now) = (Uuid::new_v4().to_string(), crate::now());
        let kept = self.change(move |transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO views (id, user, name, query, created) SELECT ?1, ?2, ?3, ?4, ?5
                     WHERE (SELECT count(*) FROM views WHERE user = ?2 AND name <> ?3) < ?6
                     ON CONFLICT (user, name) DO UPDATE SET query = ?4, created = ?5",
                )?
                .execute(params![id, user.to_string(), name, query, now, MOST as i64])
        });
        Ok(kept.await? > 0)
    }

    /// Forgets somebody's view; says whether they had it.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn forget_view(&self, user: Uuid, id: String) -> Result<bool, StoreError> {
        let gone = self.change(move |transaction| {
            transaction.prepare_cached("DELETE FROM views WHERE id = ? AND user = ?")?.execute([&id, &user.to_string()])
        });
        Ok(gone.await? > 0)
    }
}

impl Reader {
    /// Somebody's views, by name.
    ///
    /// # Errors
    /// The database failed.
    pub fn views(&self, user: Uuid) -> Result<Vec<View>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT id, name, query FROM views WHERE user = ? ORDER BY name")?
                .query_map([user.to_string()], |row| {
                    Ok(View { id: row.get(0)?, name: row.get(1)?, query: row.get(2)? })
                })?
                .collect()
        })
    }
}
