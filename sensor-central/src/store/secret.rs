//! What somebody shows to be let in. The database has its SHA-256 alone: it is 32 random bytes, which nobody finds by
//! trying, so a slow password hash would protect nothing more.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::StoreError;

/// A secret in clear, to be shown once. Its debug form does not show it.
pub struct Secret(String);

impl Secret {
    /// A new one, behind a prefix: letters and digits, since some clients put them into forms as they are.
    ///
    /// # Errors
    /// The system's random source failed.
    pub fn random(prefix: &str) -> Result<Self, StoreError> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(StoreError::Random)?;
        Ok(Self(random.iter().fold(prefix.to_owned(), |text, byte| format!("{text}{byte:02x}"))))
    }

    /// The secret itself.
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

/// What is kept of a secret.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
