//! What is wrong with settings.

use std::io;

use delivery::tls::{self, TlsSettings};

/// What is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key that is to blame, if it is one alone.
    pub key: Option<&'static str>,
    /// For people.
    pub reason: String,
    /// In a few words what comes of it.
    pub label: &'static str,
}

impl Fault {
    /// Of all its keys together.
    #[must_use]
    pub const fn of_all(reason: String) -> Self {
        Self { key: None, reason, label: "cannot deliver as this says" }
    }

    /// Of a client that cannot be made.
    pub(super) fn of_client<T>(made: io::Result<T>) -> Option<Self> {
        let error = made.err().filter(|error| error.kind() == io::ErrorKind::InvalidInput)?;
        Some(Self::of_all(error.to_string()))
    }

    /// Of what connections are made with.
    pub(super) fn of_tls(settings: &TlsSettings) -> Option<Self> {
        let error = given(settings).and_then(|settings| tls::check(settings).err())?;
        Some(Self { key: error.key(), ..Self::of_all(error.to_string()) })
    }

    /// Of authorities that are of no use.
    pub(super) fn left_aside(settings: &TlsSettings) -> Option<Self> {
        let reasons = given(settings).map(tls::left_aside).filter(|reasons| !reasons.is_empty())?;
        let reason = reasons.join("; ");
        Some(Self { key: Some("ca_file"), reason, label: "only the others in it are trusted" })
    }
}

/// None if no files are named.
fn given(settings: &TlsSettings) -> Option<&TlsSettings> {
    Some(settings).filter(|settings| **settings != TlsSettings::default())
}
