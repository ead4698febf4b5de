//! What can be wrong with trust files, and with a receiver held against them.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError, OtherError, PeerIncompatible};

use super::list::Aside;

/// Why trust files cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrustError {
    /// What is in it is not known.
    #[error("the trust folder {} cannot be read: {reason}; see that it exists and that the sensor may read it", folder.display())]
    NoFolder { folder: PathBuf, reason: String },
    /// A file in it cannot be read.
    #[error("the trust file {} cannot be read: {reason}; see that it exists and that the sensor may read it", path.display())]
    Unreadable { path: PathBuf, reason: String },
    /// A file is larger than any trust file is.
    #[error("the trust file {} has more than {limit} bytes and was not read; see what it is", path.display())]
    TooLarge { path: PathBuf, limit: u64 },
    /// Others than its owner could put their own authority there.
    #[error("the trust file {} can be written by others (mode {mode:o}); run: chmod go-w {}", path.display(), path.display())]
    Writable { path: PathBuf, mode: u32 },
    /// Nothing to trust, and why not those that are there.
    #[error(
        "the trust folder {} has no sophosca*.crt in force; put the receiver's authority there, as PEM or DER{}",
        folder.display(), because(faults)
    )]
    NoAuthority { folder: PathBuf, faults: Vec<String> },
    /// Nothing to tell what is revoked.
    #[error(
        "the trust folder {} has no sophosca*.crl, so revoked certificates could not be told; put the authority's \
         revocation list there, or set mcs.crl_policy to warn",
        folder.display()
    )]
    NoCrl { folder: PathBuf },
    /// Not what its name says, or cut short.
    #[error("the trust file {} is damaged or no {expected}: {reason}; copy it anew", path.display())]
    Malformed { path: PathBuf, expected: &'static str, reason: String },
    /// Whole, and not what its name says.
    #[error("the trust file {} holds {what} where a {expected} is expected; {advice}", path.display())]
    Other { path: PathBuf, what: String, expected: &'static str, advice: &'static str },
    /// A certificate that may not sign others.
    #[error(
        "{} holds the certificate of {subject}, which is no authority (basic constraints); put the certificate of the \
         authority that signed it there instead",
        path.display()
    )]
    NotAnAuthority { path: PathBuf, subject: String },
    /// An authority that the TLS library does not take.
    #[error("{} holds the certificate of {subject}, which cannot be used: {reason}; ask the authority for another one", path.display())]
    Unsupported { path: PathBuf, subject: String, reason: String },
    /// A revocation list that names its issuer's key and was not signed by it.
    #[error(
        "the revocation list {} names the key of {issuer}, but was not signed with it; it is damaged or someone has \
         tampered with it: get it anew from the authority",
        path.display()
    )]
    Forged { path: PathBuf, issuer: String },
    /// The TLS library takes none of it.
    #[error("the trust files in {} cannot be used: {reason}", folder.display())]
    Unusable { folder: PathBuf, reason: String },
}

impl TrustError {
    pub(super) fn of_file(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::Unreadable { path: path.into(), reason: error.to_string() }
    }

    pub(super) fn of_folder(folder: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::NoFolder { folder: folder.into(), reason: error.to_string() }
    }

    /// Whether a file cannot be read, as one cannot while it is being written. Not so when it is whole and something else.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::TooLarge { .. } | Self::Writable { .. } | Self::Malformed { .. })
    }
}

/// What is not as it should be, and does not stop delivery by itself.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrustWarning {
    /// One file, or one item of it.
    #[error("{error}; {}", if *kept { "what the file held before stays in force" } else { "the rest is in force without it" })]
    File { error: TrustError, kept: bool },
    /// It does not stand for the state of certificates.
    #[error("the revocation list {} of {issuer} is left aside, except for what it revokes: it {aside}", path.display())]
    CrlAside { path: PathBuf, issuer: String, aside: Aside },
    /// It counts for authorities between, and there is none for receivers.
    #[error(
        "the revocation list {} of {issuer} is about authorities alone and does not count for receivers that {issuer} \
         certifies itself; for these, put its list of other certificates beside it",
        path.display()
    )]
    CrlForAuthorities { path: PathBuf, issuer: String },
    /// Nobody is known who signed it.
    #[error(
        "the revocation list {} is signed by an authority {issuer} (or a key of it) that is not in the folder; it counts \
         only when a receiver shows that authority's certificate: put the certificate there, or take the list away",
        path.display()
    )]
    CrlWithoutAuthority { path: PathBuf, issuer: String },
    /// Its receivers are refused.
    #[error("the authority {subject} in {} ran out on {}; it is not trusted any more", path.display(), date(*at))]
    AuthorityExpired { path: PathBuf, subject: String, at: i64 },
    /// Its receivers are refused for now.
    #[error("the authority {subject} in {} is not in force before {}; check the host's clock", path.display(), date(*at))]
    AuthorityNotYetValid { path: PathBuf, subject: String, at: i64 },
    /// By the policy its receivers are refused, or what it revoked since is not known.
    #[error("the revocation list {} of {issuer} should have been replaced by {}; get the present one", path.display(), date(*at))]
    CrlStale { path: PathBuf, issuer: String, at: i64 },
    /// By the policy its receivers are refused, or what it revoked is not known.
    #[error(
        "there is no revocation list for receivers below the authority {subject} in {}; put its sophosca*.crl beside it",
        path.display()
    )]
    CrlMissing { path: PathBuf, subject: String },
}

impl TrustWarning {
    /// What is wrong, without what follows from it.
    pub(super) fn fault(&self) -> String {
        match self {
            Self::File { error, .. } => error.to_string(),
            other => other.to_string(),
        }
    }
}

fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Why a receiver was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    #[error("the receiver's certificate ran out{}; renew it there, or check this host's clock", on(*at))]
    Expired { at: Option<i64> },
    #[error("the receiver's certificate is not in force yet{}; check the clocks of both hosts", on(*at))]
    NotYetValid { at: Option<i64> },
    #[error("the receiver's certificate is not for the host in the URL{}; check mcs.url", valid_for(names))]
    WrongName { names: Vec<String> },
    #[error(
        "the receiver's certificate comes from no authority in the trust folder; check mcs.url, or put the authority's \
         certificate there"
    )]
    UnknownAuthority,
    #[error(
        "the receiver's certificate, or one that it depends on, was revoked by its authority (in {}); do not trust that \
         receiver before this is cleared up",
        list.display()
    )]
    Revoked { list: PathBuf },
    #[error(
        "the revocation list of {issuer} is stale since {}; put the present one into the trust folder, or set \
         mcs.crl_policy to warn",
        date(*at)
    )]
    CrlStale { issuer: String, at: i64 },
    #[error(
        "there is no revocation list for the receiver's certificate or one that it depends on, of {issuer}, that can be \
         used; put the lists of all issuing authorities into the trust folder, or set mcs.crl_policy to warn{}",
        because(hints)
    )]
    CrlMissing { issuer: String, hints: Vec<String> },
    #[error(
        "the revocation list {} names the key of the receiver's authority and is not signed by it; it is damaged or \
         someone has tampered with it: get it anew from the authority",
        path.display()
    )]
    CrlForged { path: PathBuf },
    #[error(
        "{issuer} may not sign revocation lists (key usage); the authority needs a certificate with that permission"
    )]
    CrlUnusable { issuer: String },
    #[error("the receiver offers no TLS version or cipher that is still safe; it needs TLS 1.2 or 1.3 ({reason})")]
    Outdated { reason: String },
    #[error("the receiver's certificate cannot be accepted: {reason}")]
    BadCertificate { reason: String },
    #[error("TLS with the receiver failed: {reason}; see that mcs.url names an HTTPS port")]
    Tls { reason: String },
}

fn on(at: Option<i64>) -> String {
    at.map_or_else(String::new, |at| format!(" ({})", date(at)))
}

fn because(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

fn valid_for(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(", but for {}", names.join(", ")) }
}

impl PeerError {
    /// The refusal inside an error of a client built on TLS, if that is what it is about.
    #[must_use]
    pub fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<rustls::Error>() {
                return Some(Self::from(error));
            }
            // An I/O error's source is the source of what it holds, so what it holds is asked for.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(held) => Some(held),
                None => error.source(),
            };
        }
        None
    }
}

impl From<&rustls::Error> for PeerError {
    fn from(error: &rustls::Error) -> Self {
        let seconds = |time: &rustls::pki_types::UnixTime| i64::try_from(time.as_secs()).ok();
        match error {
            rustls::Error::InvalidCertificate(error) => match error {
                CertificateError::Expired => Self::Expired { at: None },
                CertificateError::ExpiredContext { not_after, .. } => Self::Expired { at: seconds(not_after) },
                CertificateError::NotValidYet => Self::NotYetValid { at: None },
                CertificateError::NotValidYetContext { not_before, .. } => {
                    Self::NotYetValid { at: seconds(not_before) }
                }
                CertificateError::NotValidForName => Self::WrongName { names: Vec::new() },
                CertificateError::NotValidForNameContext { presented, .. } => {
                    // The names come from a stranger.
                    let names = presented.iter().take(8).map(|name| name.chars().take(100).collect()).collect();
                    Self::WrongName { names }
                }
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
                CertificateError::Other(OtherError(error)) if error.is::<Self>() => {
                    error.downcast_ref::<Self>().cloned().unwrap_or(Self::UnknownAuthority)
                }
                other => Self::BadCertificate { reason: other.to_string() },
            },
            rustls::Error::AlertReceived(
                AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity,
            )
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
                | PeerIncompatible::NoCipherSuitesInCommon
                | PeerIncompatible::NoKxGroupsInCommon
                | PeerIncompatible::ExtendedMasterSecretExtensionRequired,
            ) => Self::Outdated { reason: error.to_string() },
            other => Self::Tls { reason: other.to_string() },
        }
    }
}
