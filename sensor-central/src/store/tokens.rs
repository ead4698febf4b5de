//! Access tokens. The database has their SHA-256 alone: a token is 32 random bytes, which nobody finds by trying, so
//! a slow password hash would protect nothing more.

use std::{fmt, path::Path};

use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{StoreError, schema};

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

/// A token in clear, to be shown once. Its debug form does not show it.
pub struct Secret(String);

impl Secret {
    /// The token itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Token {
    /// What is kept of a token.
    #[must_use]
    pub fn hash(token: &str) -> [u8; 32] {
        Sha256::digest(token.as_bytes()).into()
    }
}

/// Makes a token. The service may run meanwhile, and knows it at once.
///
/// # Errors
/// The database cannot be opened or written.
pub fn create(data_dir: &Path, token: &NewToken) -> Result<Secret, StoreError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(StoreError::Random)?;
    let secret = Secret(random.iter().fold(PREFIX.to_owned(), |text, byte| format!("{text}{byte:02x}")));
    add(data_dir, token, secret.reveal())?;
    Ok(secret)
}

/// Makes a token known that is there already; one that is known stays as it is.
///
/// # Errors
/// The database cannot be opened or written.
pub fn add(data_dir: &Path, token: &NewToken, text: &str) -> Result<(), StoreError> {
    schema::open(data_dir)?.execute(
        "INSERT INTO tokens (id, tenant, label, hash, created, expires) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (hash) DO NOTHING",
        params![
            Uuid::new_v4().to_string(),
            token.tenant.to_string(),
            token.label,
            Token::hash(text),
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
