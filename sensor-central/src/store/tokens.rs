//! Access tokens of sensors.

use std::path::Path;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{Secret, StoreError, hash, schema, tenants};

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
    connection.execute(
        "INSERT INTO tokens (id, tenant, label, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (hash) DO NOTHING",
        params![
            Uuid::new_v4().to_string(),
            token.tenant.to_string(),
            token.label,
            hash(text),
            crate::now(),
            token.expires
        ],
    )?;
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
