//! Who did what, and when: written in the transaction that does it.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{Reader, Store, StoreError};

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub tenant: Uuid,
    /// Nanoseconds since the Unix epoch.
    pub time: i64,
    /// A user's name; empty for the command line.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// Whom or what it was done to.
    pub about: String,
    pub detail: String,
}

impl Entry {
    /// By a user, now.
    #[must_use]
    pub fn by(tenant: Uuid, actor: &str, action: &'static str, about: &str, detail: &str) -> Self {
        let (actor, action) = (actor.to_owned(), action.to_owned());
        Self { tenant, time: crate::now(), actor, action, about: about.to_owned(), detail: detail.to_owned() }
    }

    pub(super) fn of_command(tenant: Uuid, action: &'static str, about: &str, detail: &str) -> Self {
        Self::by(tenant, "", action, about, detail)
    }
}

/// Adds an entry.
pub(super) fn write(connection: &Connection, entry: &Entry) -> rusqlite::Result<usize> {
    let Entry { tenant, time, actor, action, about, detail } = entry;
    connection
        .prepare_cached("INSERT INTO audit (tenant, time, actor, action, about, detail) VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![tenant.to_string(), time, actor, action, about, detail])
}

impl Store {
    /// Adds an entry about what changes nothing else.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn audit(&self, entry: Entry) -> Result<(), StoreError> {
        self.change(move |transaction| write(transaction, &entry)).await.map(drop)
    }
}

impl Reader {
    /// A tenant's entries, the newest first: at most so many, each with its number, those below this one.
    ///
    /// # Errors
    /// The database failed.
    pub fn audit(&self, tenant: Uuid, below: i64, most: u32) -> Result<Vec<(i64, Entry)>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, time, actor, action, about, detail FROM audit
                     WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?",
                )?
                .query_map(params![tenant.to_string(), below, most], |row| {
                    let entry = Entry {
                        tenant,
                        time: row.get(1)?,
                        actor: row.get(2)?,
                        action: row.get(3)?,
                        about: row.get(4)?,
                        detail: row.get(5)?,
                    };
                    Ok((row.get(0)?, entry))
                })?
                .collect()
        })
    }
}
