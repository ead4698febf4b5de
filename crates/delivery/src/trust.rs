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
//!   revocation list that is about it, is signed by its issuer's key and not past its next update. By
//!   [`CrlPolicy::Warn`] a list may be stale or missing. What a list revokes is refused in any case.
//! * Each file stands for itself, and so does each item of a file. What cannot be read or is not supported is left aside
//!   with a warning, and stops the receivers that need it and no others. By [`CrlPolicy::Warn`] too: a list that cannot
//!   be read is not missing, and might revoke.
//! * While the sensor runs, what a file held before stays in force until it can be read again, so one that is caught
//!   half-written does no harm. A file that was removed is no longer trusted.
//! * No session is resumed: a resumed one is not checked against the lists.

mod error;
mod files;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod item;
mod list;
mod revocation;
mod scope;
#[cfg(test)]
mod tests;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, version};
use settings::words;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

pub use self::error::{PeerError, TrustError, TrustWarning};
use self::files::{Files, Fingerprint};
pub use self::files::{folder, is_trust_file};
pub use self::item::{Unfit, Wanted, items};
pub use self::list::Aside;
use self::list::{List, Made};
use self::revocation::{Revocation, key_id};
use self::verifier::{Anchor, Verifier};

/// After how many seconds a file is tried again that could not be read and does not change.
const RETRY: i64 = 60;

words! {
    /// What to do about a certificate revocation list that is out of date.
    pub CrlPolicy {
        /// Deliver nothing until it is fresh; alerts wait on disk.
        Refuse = "refuse",
        /// Deliver, and say so loudly.
        Warn = "warn",
    }
}

/// The folder of trust files.
pub struct TrustFolder {
    path: PathBuf,
    policy: CrlPolicy,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: Files,
    loaded: Option<Loaded>,
}

struct Loaded {
    /// What the files looked like when they were last looked at, good or bad.
    seen: Fingerprint,
    /// When a certificate runs out, seconds since the Unix epoch: the files mean something else from then on.
    until: i64,
    trust: Trust,
    /// Lists whose issuer nobody has shown yet.
    strangers: Vec<Arc<List>>,
}

/// Trust as it stands: what to connect with.
#[derive(Clone)]
pub struct Trust {
    pub config: Arc<ClientConfig>,
    /// Grows with each new set; connections made with an older one should be given up.
    pub generation: u64,
    /// What is not as it should be, for the log and the status.
    pub warnings: Vec<TrustWarning>,
}

impl TrustFolder {
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, policy: CrlPolicy) -> Self {
        Self { path: path.into(), policy, state: Mutex::default() }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to connect with now. Looks at the files, and reads them when they changed; called before each connection.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or there is nothing in it by which any receiver could be accepted.
    pub fn current(&self) -> Result<Trust, TrustError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { files, loaded } = &mut *state;
        // Taken before the files are read: a change in between is seen the next time.
        let seen = Fingerprint::take(&self.path)?;
        let now = i64::try_from(clock::unix_now() / 1_000_000_000).unwrap_or(i64::MAX);
        if let Some(loaded) = &*loaded
            && loaded.seen == seen
            && now < loaded.until
        {
            return Ok(loaded.trust());
        }
        let generation = loaded.as_ref().map_or(1, |loaded| loaded.trust.generation + 1);
        files.refresh(&seen);
        match self.load(files, seen, now, generation) {
            Ok(new) => Ok(loaded.insert(new).trust()),
            Err(error) => {
                *loaded = None;
                Err(error)
            }
        }
    }

    fn load(&self, files: &Files, seen: Fingerprint, now: i64, generation: u64) -> Result<Loaded, TrustError> {
        let mut reading = Reading::new(files, self.policy, now);
        for (path, file) in &files.0 {
            for certificate in &file.certificates {
                reading.add_authority(path, certificate);
            }
        }
        if reading.authorities.iter().all(|authority| authority.anchor.is_none()) {
            let faults = reading.warnings.iter().map(TrustWarning::fault).collect();
            return Err(TrustError::NoAuthority { folder: self.path.clone(), faults });
        }
        if self.policy == CrlPolicy::Refuse && !files.0.values().any(|file| file.holds_lists) {
            return Err(TrustError::NoCrl { folder: self.path.clone() });
        }
        reading.look_at_lists();
        let Reading { authorities, revocation, warnings, strangers, until, .. } = reading;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let broken = |error: &dyn std::fmt::Display| TrustError::Unusable {
            folder: self.path.clone(),
            reason: error.to_string(),
        };
        let anchors: Vec<Anchor> = authorities.into_iter().filter_map(|authority| authority.anchor).collect();
        let roots = RootCertStore { roots: anchors.iter().map(|anchor| anchor.anchor.clone()).collect() };
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| broken(&error))?;
        let verifier = Verifier::new(chain, anchors, provider.signature_verification_algorithms, revocation);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| broken(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        let until = if files.are_to_be_read_again() { until.min(now.saturating_add(RETRY)) } else { until };
        let trust = Trust { config: Arc::new(config), generation, warnings };
        Ok(Loaded { seen, until, trust, strangers })
    }
}

impl Loaded {
    fn trust(&self) -> Trust {
        let mut trust = self.trust.clone();
        let unknown = self.strangers.iter().filter(|list| !list.is_met());
        trust.warnings.extend(unknown.map(|list| {
            let (path, issuer) = (list.path.clone(), list.issuer_name.clone());
            TrustWarning::CrlWithoutAuthority { path, issuer }
        }));
        trust
    }
}

/// What the files come to at a point in time.
struct Reading<'a> {
    now: i64,
    authorities: Vec<Authority<'a>>,
    revocation: Revocation,
    warnings: Vec<TrustWarning>,
    strangers: Vec<Arc<List>>,
    /// When it comes to something else, seconds since the Unix epoch.
    until: i64,
}

struct Authority<'a> {
    path: &'a Path,
    certificate: X509Certificate<'a>,
    /// If it is in force.
    anchor: Option<Anchor>,
}

impl<'a> Reading<'a> {
    fn new(files: &'a Files, policy: CrlPolicy, now: i64) -> Self {
        let mut warnings = Vec::new();
        let mut damaged = Vec::new();
        let mut lists = Vec::new();
        for file in files.0.values() {
            lists.extend(file.lists.iter().cloned());
            for error in &file.faults {
                let kept = file.kept && error.is_damage();
                if file.holds_lists && !kept {
                    damaged.push(error.to_string());
                }
                warnings.push(TrustWarning::File { error: error.clone(), kept });
            }
        }
        let revocation = Revocation { policy, lists, damaged };
        Self { now, authorities: Vec::new(), revocation, warnings, strangers: Vec::new(), until: i64::MAX }
    }

    fn fault(&mut self, error: TrustError) {
        self.warnings.push(TrustWarning::File { error, kept: false });
    }

    fn add_authority(&mut self, path: &'a Path, der: &'a CertificateDer<'static>) {
        // It was read before, when the file was taken apart.
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { return };
        if self.authorities.iter().any(|other| other.certificate.as_raw() == certificate.as_raw()) {
            return;
        }
        let (path_buf, subject) = (path.to_owned(), list::name(certificate.subject()));
        if !certificate.is_ca() {
            return self.fault(TrustError::NotAnAuthority { path: path_buf, subject });
        }
        // The TLS library does not look at the dates of a trust anchor.
        let validity = certificate.validity();
        let (from, to) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        let mut anchor = None;
        if self.now < from {
            self.until = self.until.min(from);
            self.warnings.push(TrustWarning::AuthorityNotYetValid { path: path_buf, subject, at: from });
        } else if self.now > to {
            self.warnings.push(TrustWarning::AuthorityExpired { path: path_buf, subject, at: to });
        } else {
            self.until = self.until.min(to.saturating_add(1));
            match webpki::anchor_from_trusted_cert(der) {
                Ok(found) => {
                    let key_id = key_id(&certificate).map(<[u8]>::to_vec);
                    anchor =
                        Some(Anchor { anchor: found.to_owned(), key: certificate.public_key().raw.to_vec(), key_id });
                }
                Err(error) => {
                    return self.fault(TrustError::Unsupported { path: path_buf, subject, reason: error.to_string() });
                }
            }
        }
        self.authorities.push(Authority { path, certificate, anchor });
    }

    /// Holds the lists against the keys that are there, and says what is missing.
    fn look_at_lists(&mut self) {
        let lists = self.revocation.lists.clone();
        // First whose they are: only then is known which replaces which.
        let counting: Vec<_> = lists.iter().filter(|list| self.look_at_signature(list)).collect();
        for list in counting {
            self.look_at_age(list);
        }
        for authority in self.authorities.iter().filter(|authority| authority.anchor.is_some()) {
            let (issuer, key) = (authority.certificate.subject(), authority.certificate.public_key());
            if self.revocation.has_list_for_receivers(issuer.as_raw(), key) {
                continue;
            }
            let for_authorities = self.revocation.lists.iter().find(|list| {
                list.issuer == issuer.as_raw() && list.scope.authorities_alone && list.made(key, None) == Made::ByIt
            });
            self.warnings.push(match for_authorities {
                Some(list) => {
                    TrustWarning::CrlForAuthorities { path: list.path.clone(), issuer: list.issuer_name.clone() }
                }
                None => TrustWarning::CrlMissing { path: authority.path.to_owned(), subject: list::name(issuer) },
            });
        }
    }

    /// Whether the list counts for anything.
    fn look_at_signature(&mut self, list: &Arc<List>) -> bool {
        let of_that_name =
            self.authorities.iter().filter(|authority| authority.certificate.subject().as_raw() == list.issuer);
        let made: Vec<Made> = of_that_name
            .map(|authority| list.made(authority.certificate.public_key(), key_id(&authority.certificate)))
            .collect();
        let (path, issuer) = (list.path.clone(), list.issuer_name.clone());
        if made.contains(&Made::ByIt) {
            return true;
        }
        if made.contains(&Made::Falsely) {
            self.fault(TrustError::Forged { path, issuer });
            return false;
        }
        if made.contains(&Made::Unchecked) {
            let aside = Aside::Algorithm(list.algorithm());
            self.warnings.push(TrustWarning::CrlAside { path, issuer, aside });
            return false;
        }
        // Perhaps of one that a receiver shows.
        self.strangers.push(Arc::clone(list));
        true
    }

    fn look_at_age(&mut self, list: &List) {
        let (path, issuer) = (list.path.clone(), list.issuer_name.clone());
        match (list.aside.clone(), list.next) {
            (Some(aside), _) => self.warnings.push(TrustWarning::CrlAside { path, issuer, aside }),
            (None, Some(at)) if at > self.now => self.until = self.until.min(at), // To warn of it then.
            (None, Some(at)) if !self.revocation.is_replaced(list) => {
                self.warnings.push(TrustWarning::CrlStale { path, issuer, at });
            }
            (None, _) => {}
        }
    }
}
