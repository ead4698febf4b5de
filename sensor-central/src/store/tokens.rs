//! Access tokens of sensors.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use super::{Entry, Reader, Secret, Store, StoreError, User, audit, hash, schema, tenants};

/// What tells a sensor's token from other strings.
const PREFIX: &str = "SLS-";

/// A token as it is kept.
#[derive(Clone, Debug)]
pub struct Token {
    pub tenant: Uuid,
    pub hash: [u8; 32],
    /// Nanoseconds since the Unix epoch.
    pub expires: Option<i64>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose data it lets in.
    pub tenant: Uuid,
    /// For people.
    pub label: String,
    /// Nanoseconds since the Unix epoch.
    pub expires: Option<i64>,
}

/// A token as the public API tells of it.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub id: String,
    pub label: String,
    /// Nanoseconds since the Unix epoch, as the next.
    pub created: i64,
    pub expires: Option<i64>,
    /// The client that made it; empty if none did.
    pub created_by: String,
}

impl Reader {
    /// The tokens of a tenant, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub fn access_tokens(&self, tenant: Uuid) -> Result<Vec<AccessToken>, StoreError> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, label, created, expires, created_by FROM tokens WHERE tenant = ? ORDER BY created, id",
                )?
                .query_map([tenant.to_string()], |row| {
                    Ok(AccessToken {
                        id: row.get(0)?,
                        label: row.get(1)?,
                        created: row.get(2)?,
                        expires: row.get(3)?,
                        created_by: row.get(4)?,
                    })
                })?
                .collect()
        })
    }
}

impl Store {
    /// Makes a token for a client of the public API; returns its id and itself.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn create_access_token(&self, token: NewToken, client: Uuid) -> Result<(Uuid, Secret), StoreError> {
        let (id, secret) = (Uuid::new_v4(), Secret::random(PREFIX)?);
        let hash = hash(secret.reveal());
        self.change(move |transaction| insert(transaction, id, &token, hash, &client.to_string())).await?;
        Ok((id, secret))
    }

    /// Makes a token for a user of the web pages.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn issue_token(&self, user: &User, token: NewToken) -> Result<Secret, StoreError> {
        let (id, secret) = (Uuid::new_v4(), Secret::random(PREFIX)?);
        let hash = hash(secret.reveal());
        let entry = Entry::by(user.tenant, &user.name, "token made", &id.to_string(), &token.label);
        self.change(move |transaction| {
            insert(transaction, id, &token, hash, "")?;
            audit::write(transaction, &entry)
        })
        .await?;
        Ok(secret)
    }

    /// Removes a token of a user's tenant, which lets no sensor in from then on; says whether there was one.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn revoke_token(&self, user: &User, id: String) -> Result<bool, StoreError> {
        let tenant = user.tenant.to_string();
        let entry = Entry::by(user.tenant, &user.name, "token revoked", &id, "");
        let changed = self.change(move |transaction| {
            let label: Option<String> = transaction
                .prepare_cached("DELETE FROM tokens WHERE tenant = ? AND id = ? RETURNING label")?
                .query_row(params![tenant, id], |row| row.get(0))
                .optional()?;
            match label {
                Some(detail) => audit::write(transaction, &Entry { detail, ..entry.clone() }),
                None => Ok(0),
            }
        });
        Ok(changed.await? > 0)
    }

    /// Gives a tenant's token another label; says whether there is one.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn label_access_token(&self, tenant: Uuid, id: String, label: String) -> Result<bool, StoreError> {
        let changed = self.change(move |transaction| {
            transaction.prepare_cached("UPDATE tokens SET label = ? WHERE tenant = ? AND id = ?")?.execute(params![
                label,
                tenant.to_string(),
                id
            ])
        });
        Ok(changed.await? > 0)
    }

    /// Removes a tenant's token, which lets no sensor in from then on; says whether there was one.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn remove_access_token(&self, tenant: Uuid, id: String) -> Result<bool, StoreError> {
        let changed = self.change(move |transaction| {
            transaction
                .prepare_cached("DELETE FROM tokens WHERE tenant = ? AND id = ?")?
                .execute(params![tenant.to_string(), id])
        });
        Ok(changed.await? > 0)
    }
}

fn insert(
    connection: &Connection,
    id: Uuid,
    token: &NewToken,
    hash: [u8; 32],
    created_by: &str,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT INTO tokens (id, tenant, label, hash, created, expires, created_by) VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(params![
            id.to_string(),
            token.tenant.to_string(),
            token.label,
            hash,
            crate::now(),
            token.expires,
            created_by
        ])
}

/// Makes a token. The service may run meanwhile, and knows it at once.
///
/// # Errors
/// The database cannot be opened or written.
pub fn create(data_dir: &Path, token: &NewToken) -> Result<Secret, StoreError> {
    let secret = Secret::random(PREFIX)?;
    add(data_dir, token, secret.reveal())?;
    Ok(secret)
}

/// Makes a token known that is there already; one that is known stays as it is.
///
/// # Errors
/// The database cannot be opened or written.
pub fn add(data_dir: &Path, token: &NewToken, text: &str) -> Result<(), StoreError> {
    let connection = schema::open(data_dir)?;
    tenants::know(&connection, token.tenant)?;
    insert(&connection, Uuid::new_v4(), token, hash(text), "")?;
    Ok(())
}

/// Every token there is.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Token>> {
    connection
        .prepare_cached("SELECT tenant, hash, expires FROM tokens")?
        .query_map([], |row| {
            let tenant: String = row.get(0)?;
            Ok(Token { tenant: Uuid::parse_str(&tenant).unwrap_or_default(), hash: row.get(1)?, expires: row.get(2)? })
        })?
        .collect()
}
