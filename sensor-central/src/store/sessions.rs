//! What clients of the public API were given for their secret: a token that lets them in for an hour, and one to have
//! another by. They are random and kept as hashes, not signed: so one that is taken back is dead at once, a copy of the
//! database lets nobody in, and a restart ends none.

use rusqlite::{OptionalExtension as _, params};
use uuid::Uuid;

use super::{Client, Reader, Secret, Store, StoreError, clients, hash};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Access,
    Refresh,
}

impl Use {
    const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// How long it lasts, seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Access => 3600,
            Self::Refresh => 24 * 3600,
        }
    }
}

impl Store {
    /// Makes a pair of tokens for a client: access and refresh. Those that have expired go.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn open_session(&self, client: Uuid) -> Result<[Secret; 2], StoreError> {
        let secrets = [Secret::random("")?, Secret::random("")?];
        let kept = [(Use::Access, hash(secrets[0].reveal())), (Use::Refresh, hash(secrets[1].reveal()))];
        let now = crate::now();
        self.change(move |transaction| {
            transaction.prepare_cached("DELETE FROM sessions WHERE expires < ?")?.execute([now])?;
            for (r#use, hash) in kept {
                let expires = now + r#use.seconds() * 1_000_000_000;
                transaction
                    .prepare_cached("INSERT INTO sessions (hash, client, use, expires) VALUES (?, ?, ?, ?)")?
                    .execute(params![hash, client.to_string(), r#use.name(), expires])?;
            }
            Ok(kept.len())
        })
        .await?;
        Ok(secrets)
    }

    /// Ends what a token allows; says whether it allowed anything.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn end_session(&self, token: [u8; 32]) -> Result<bool, StoreError> {
        let ended = self.change(move |transaction| {
            transaction.prepare_cached("DELETE FROM sessions WHERE hash = ?")?.execute([token])
        });
        Ok(ended.await? > 0)
    }
}

impl Reader {
    /// Whose token it is, by its hash; nobody's if it has expired, or the client has.
    ///
    /// # Errors
    /// The database failed.
    pub fn session(&self, token: [u8; 32], r#use: Use, now: i64) -> Result<Option<Client>, StoreError> {
        let sql = format!(
            "SELECT {} FROM sessions JOIN clients ON clients.id = sessions.client
             WHERE sessions.hash = ?1 AND sessions.use = ?2 AND sessions.expires > ?3
               AND ifnull(clients.expires > ?3, TRUE)",
            clients::COLUMNS
        );
        self.with(|connection| {
            connection.prepare_cached(&sql)?.query_row(params![token, r#use.name(), now], clients::read).optional()
        })
    }
}
