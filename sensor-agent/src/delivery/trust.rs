//! Whom the sensor delivers to: trust in a receiver, from the files of one folder and nothing else.
//!
//! ```text
//! sophosca*.crt ─▶ the only authorities         ┐
//! sophosca*.crl ─▶ what they have revoked       ├─▶ TLS configuration, made anew when a file changes
//! crl_policy    ─▶ stale or missing: refuse, warn┘
//! ```
//!
//! * Nothing of the system's store is trusted.
//! * Each certificate that the receiver shows, its own and those between it and an authority of the folder, needs a
//!   revocation list of its issuer that is signed by it and not past its next update. By [`CrlPolicy::Warn`] a list may
//!   be stale or missing. What a list revokes is refused in any case, and so is a list with a false signature.
//! * A file that cannot be read is an error, not a file less: with a list skipped, a revoked certificate would pass.
//!   While the sensor runs, the last good set stays in force instead, so a file caught half-written does no harm.
//!   A file that was removed is no longer trusted.
//! * No session is resumed: a resumed one is not checked against the lists.

mod error;
mod files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::{ClientConfig, version};

pub use self::error::{PeerError, TrustError, TrustWarning};
use self::files::{Files, Fingerprint};
pub use self::files::{folder, is_trust_file};
use crate::clock;
use crate::config::CrlPolicy;

/// The folder of trust files.
pub struct TrustFolder {
    path: PathBuf,
    policy: CrlPolicy,
    loaded: Mutex<Option<Loaded>>,
}

struct Loaded {
    /// What the files looked like when they were last looked at, good or bad.
    seen: Fingerprint,
    /// When a certificate runs out, seconds since the Unix epoch: the files mean something else from then on.
    until: i64,
    trust: Trust,
}

/// Trust as it stands: what to connect with.
#[derive(Clone)]
pub struct Trust {
    pub config: Arc<ClientConfig>,
    /// Grows with each new set; connections made with an older one should be given up.
    pub generation: u64,
    /// What is not as it should be, for the log and the status.
    pub warnings: Vec<TrustWarning>,
    /// Why the files as they are now are not in force, but those before.
    pub stuck: Option<TrustError>,
}

impl TrustFolder {
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, policy: CrlPolicy) -> Self {
        Self { path: path.into(), policy, loaded: Mutex::new(None) }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to connect with now. Looks at the files, and reads them when they changed; called before each connection.
    ///
    /// # Errors
    ///
    /// When the files cannot be used and none that could be used were there before, or when none are left.
    pub fn current(&self) -> Result<Trust, TrustError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken before the files are read: a change in between is seen the next time.
        let seen = Fingerprint::take(&self.path)?;
        let now = i64::try_from(clock::unix_now() / 1_000_000_000).unwrap_or(i64::MAX);
        if let Some(loaded) = &*loaded
            && loaded.seen == seen
            && now < loaded.until
        {
            return Ok(loaded.trust.clone());
        }
        let generation = loaded.as_ref().map_or(1, |loaded| loaded.trust.generation + 1);
        match self.load(&seen, now, generation) {
            Ok(new) => Ok(loaded.insert(new).trust.clone()),
            Err(error) if error.is_damage() => {
                let Some(last) = &mut *loaded else { return Err(error) };
                last.seen = seen;
                last.trust.stuck = Some(error);
                Ok(last.trust.clone())
            }
            Err(error) => {
                *loaded = None;
                Err(error)
            }
        }
    }

    fn load(&self, seen: &Fingerprint, now: i64, generation: u64) -> Result<Loaded, TrustError> {
        let Files { roots, crls, until, warnings } = Files::read(&self.path, seen, self.policy, now)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let broken = |error: &dyn std::fmt::Display| TrustError::Unusable {
            folder: self.path.clone(),
            reason: error.to_string(),
        };
        let mut verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        if !crls.is_empty() {
            verifier = verifier.with_crls(crls);
            verifier = match self.policy {
                CrlPolicy::Refuse => verifier.enforce_revocation_expiration(),
                CrlPolicy::Warn => verifier.allow_unknown_revocation_status(),
            };
        }
        let verifier = verifier.build().map_err(|error| broken(&error))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| broken(&error))?
            .with_webpki_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let trust = Trust { config: Arc::new(config), generation, warnings, stuck: None };
        Ok(Loaded { seen: seen.clone(), until, trust })
    }
}
