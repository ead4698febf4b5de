//! Who is logged in at the web pages. The browser has a random token, the database its hash: so a session can be ended
//! here, and a copy of the database lets nobody in.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, params};

use super::{Reader, Secret, Store, StoreError, User, audit, audit::Entry, hash, users};

/// A session is noted as used this often at most: a page that is looked at is no reason to write each time.
const NOTED: i64 = 60 * 1_000_000_000;

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// After it was last used.
    pub idle: Duration,
    /// In all.
    pub longest: Duration,
}

impl Lasting {
    /// The moments, nanoseconds since the Unix epoch, since when a session must have been used, and must have begun.
    fn since(self, now: i64) -> (i64, i64) {
        let before = |time: Duration| now.saturating_sub(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
        (before(self.idle), before(self.longest))
    }
}

impl Store {
    /// Begins a session of a user, in place of that of another token; returns what the browser is to show. Sessions that
    /// have ended go.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn begin_web_session(
        &self,
        user: &User,
        before: Option<[u8; 32]>,
        lasting: Lasting,
    ) -> Result<Secret, StoreError> {
        let secret = Secret::random("")?;
        let (hash, id, now) = (hash(secret.reveal()), user.id.to_string(), crate::now());
        let entry = Entry::by(user.tenant, &user.name, "logged in", "", "");
        let (used, began) = lasting.since(now);
        self.change(move |transaction| {
            transaction
                .prepare_cached("DELETE FROM web_sessions WHERE hash = ? OR used < ? OR began < ?")?
                .execute(params![before, used, began])?;
            transaction
                .prepare_cached("INSERT INTO web_sessions (hash, user, began, used) VALUES (?1, ?2, ?3, ?3)")?
                .execute(params![hash, id, now])?;
            audit::write(transaction, &entry)
        })
        .await?;
        Ok(secret)
    }

    /// Ends a session of a user.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn end_web_session(&self, token: [u8; 32], user: &User) -> Result<(), StoreError> {
        let entry = Entry::by(user.tenant, &user.name, "logged out", "", "");
        self.change(move |transaction| {
            transaction.prepare_cached("DELETE FROM web_sessions WHERE hash = ?")?.execute([token])?;
            audit::write(transaction, &entry)
        })
        .await
        .map(drop)
    }

    /// Whose session this is; nobody's once it has ended. It goes on from now.
    ///
    /// # Errors
    /// The database failed, or as for [`Store::batch`].
    pub async fn web_session(&self, token: [u8; 32], lasting: Lasting) -> Result<Option<User>, StoreError> {
        let now = crate::now();
        let reader = std::sync::Arc::clone(self.reader());
        let read = move || reader.web_session(token, lasting, now);
        let found = tokio::task::spawn_blocking(read).await.map_err(|_| StoreError::Closed)??;
        let Some((user, used)) = found else { return Ok(None) };
        if now - used >= NOTED {
            self.change(move |transaction| {
                transaction
                    .prepare_cached("UPDATE web_sessions SET used = ? WHERE hash = ?")?
                    .execute(params![now, token])
            })
            .await?;
        }
        Ok(Some(user))
    }
}

impl Reader {
    /// Whose session this is, and when it was last used, as far as is noted.
    ///
    /// # Errors
    /// The database failed.
    pub fn web_session(&self, token: [u8; 32], lasting: Lasting, now: i64) -> Result<Option<(User, i64)>, StoreError> {
        let sql = format!(
            "SELECT {}, web_sessions.used FROM web_sessions JOIN users ON users.id = web_sessions.user
             WHERE web_sessions.hash = ? AND web_sessions.used >= ? AND web_sessions.began >= ?",
            users::COLUMNS
        );
        let (used, began) = lasting.since(now);
        self.with(|connection| {
            connection
                .prepare_cached(&sql)?
                .query_row(params![token, used, began], |row| Ok((users::read(row)?, row.get(5)?)))
                .optional()
        })
    }
}
