//! A revocation list: whose it is, what it is about, what it revokes, and why it may be left aside.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use diagnostic::printable;
use x509_parser::asn1_rs::{Any, BitString, FromDer as _, Oid, oid};
use x509_parser::error::X509Error;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::num_bigint::BigUint;
use x509_parser::oid_registry::{
    OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER, OID_X509_EXT_CRL_NUMBER,
    OID_X509_EXT_DELTA_CRL_INDICATOR, OID_X509_EXT_INVALIDITY_DATE, OID_X509_EXT_ISSUER_DISTRIBUTION_POINT,
    OID_X509_EXT_REASON_CODE,
};
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::verify::verify_signature;
use x509_parser::x509::{AlgorithmIdentifier, ReasonCode, SubjectPublicKeyInfo, X509Name, X509Version};

use super::scope::Scope;

/// The certificate issuer of an entry, RFC 5280, section 5.3.3.
const CERTIFICATE_ISSUER: Oid<'static> = oid!(2.5.29.29);

/// A revocation list of a file.
pub(super) struct List {
    pub(super) path: PathBuf,
    /// The issuer's name, in DER.
    pub(super) issuer: Vec<u8>,
    /// The same for people.
    pub(super) issuer_name: String,
    pub(super) scope: Scope,
    /// Seconds since the Unix epoch.
    pub(super) next: Option<i64>,
    /// Why it does not stand for the state of a certificate. What it revokes is revoked all the same.
    pub(super) aside: Option<Aside>,
    /// The key that made it, by the authority key identifier.
    key_id: Option<Vec<u8>>,
    number: Option<BigUint>,
    /// Of a delta: the number of the complete list that it adds to.
    base: Option<BigUint>,
    issued: i64,
    revoked: HashSet<Vec<u8>>,
    der: Vec<u8>,
    /// The key that was found to have signed it.
    signer: OnceLock<Vec<u8>>,
    /// Whether a certificate of its issuer was met, in the folder or at a connection.
    met: AtomicBool,
}

/// Why a list that is not damaged does not stand for the state of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    OldVersion,
    UnknownVersion(u32),
    Delta,
    AttributeCertificates,
    Indirect,
    SomeReasons,
    Critical(String),
    CriticalEntry(String),
    NoNextUpdate,
    Algorithm(String),
}

/// What it is, and what to do.
impl fmt::Display for Aside {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let complete = "get the authority's complete list";
        match self {
            Self::OldVersion => {
                write!(
                    out,
                    "is of version 1, which tells neither its number nor what it is about; get one of version 2"
                )
            }
            Self::UnknownVersion(version) => {
                write!(out, "is of version {}, which is not known; get one of version 2", u64::from(*version) + 1)
            }
            Self::Delta => write!(
                out,
                "is a delta, which holds only changes to a complete list; keep the authority's complete list beside it \
                 up to date"
            ),
            Self::AttributeCertificates => {
                write!(out, "is about attribute certificates alone, which receivers do not show; {complete}")
            }
            Self::Indirect => write!(out, "is indirect, with entries of other authorities; {complete}"),
            Self::SomeReasons => write!(out, "tells what was revoked for some reasons alone; {complete}"),
            Self::Critical(oid) => {
                write!(out, "has the critical extension {oid}, which is not supported; get a list without it")
            }
            Self::CriticalEntry(oid) => write!(
                out,
                "has an entry with the critical extension {oid}, which is not supported; get a list without it"
            ),
            Self::NoNextUpdate => write!(
                out,
                "does not say when the next one is due (nextUpdate), so nobody can tell whether it is the present one; \
                 get one that does"
            ),
            Self::Algorithm(oid) => write!(
                out,
                "is signed by an algorithm that is not supported or not safe any more ({oid}); get one that is signed \
                 with SHA-256 or better"
            ),
        }
    }
}

/// How a list and a key go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// The key signed it.
    ByIt,
    /// By an algorithm that cannot be checked here.
    Unchecked,
    /// The list says that the key signed it, and it did not.
    Falsely,
    /// Another key's.
    ByOther,
}

impl List {
    /// Reads a list that is known to be one.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn read(path: &Path, der: Vec<u8>) -> Result<Self, String> {
        let (_, parsed) = CertificateRevocationList::from_der(&der).map_err(|error| error.to_string())?;
        if parsed.tbs_cert_list.signature != parsed.signature_algorithm {
            return Err("it names two algorithms of its signature".to_owned());
        }
        parsed.tbs_cert_list.extensions_map().map_err(|error| error.to_string())?;
        let mut scope = Scope::default();
        let mut base = None;
        let mut key_id = None;
        let mut asides = vec![];
        for extension in parsed.extensions() {
            if extension.oid == OID_X509_EXT_ISSUER_DISTRIBUTION_POINT {
                scope = Scope::read(extension.value).ok_or("its issuing distribution point is malformed")?;
            } else if extension.oid == OID_X509_EXT_DELTA_CRL_INDICATOR {
                base = Any::from_der(extension.value).ok().map(|(_, number)| BigUint::from_bytes_be(number.data));
                asides.push(Aside::Delta);
            } else if extension.oid == OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER {
                if let ParsedExtension::AuthorityKeyIdentifier(id) = extension.parsed_extension() {
                    key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
            } else if extension.critical && extension.oid != OID_X509_EXT_CRL_NUMBER {
                asides.push(Aside::Critical(extension.oid.to_id_string()));
            }
        }
        match parsed.version() {
            None => asides.push(Aside::OldVersion),
            Some(X509Version(1)) => {}
            Some(X509Version(version)) => asides.push(Aside::UnknownVersion(version)),
        }
        asides.extend(scope.attributes_alone.then_some(Aside::AttributeCertificates));
        asides.extend(scope.indirect.then_some(Aside::Indirect));
        asides.extend(scope.some_reasons.then_some(Aside::SomeReasons));
        let revoked = entries(&parsed, &mut asides);
        asides.extend(parsed.next_update().is_none().then_some(Aside::NoNextUpdate));
        asides.extend(weak(&parsed.signature_algorithm.algorithm).map(Aside::Algorithm));
        Ok(Self {
            path: path.to_owned(),
            issuer: parsed.issuer().as_raw().to_vec(),
            issuer_name: name(parsed.issuer()),
            scope,
            next: parsed.next_update().map(|time| time.timestamp()),
            aside: asides.into_iter().next(),
            key_id,
            number: parsed.crl_number().cloned(),
            base,
            issued: parsed.last_update().timestamp(),
            revoked,
            signer: OnceLock::new(),
            met: AtomicBool::new(false),
            der,
        })
    }

    /// Whether this key signed it. `key_id` is what the key's certificate calls it.
    pub(super) fn made(&self, key: &SubjectPublicKeyInfo<'_>, key_id: Option<&[u8]>) -> Made {
        let made = match self.signer.get() {
            Some(signer) if signer == key.raw => Made::ByIt,
            Some(_) => Made::ByOther,
            None => match self.check_signature(key) {
                Ok(()) => {
                    let _ = self.signer.set(key.raw.to_vec());
                    Made::ByIt
                }
                Err(X509Error::SignatureUnsupportedAlgorithm) => Made::Unchecked,
                Err(_) if self.key_id.is_some() && self.key_id.as_deref() == key_id => Made::Falsely,
                Err(_) => Made::ByOther,
            },
        };
        if made != Made::ByOther {
            self.met.store(true, Ordering::Relaxed);
        }
        made
    }

    /// For one that cannot make signatures.
    #[cfg(feature = "fuzzing")]
    pub(super) fn assume_signed_by(&self, key: &SubjectPublicKeyInfo<'_>) {
        let _ = self.signer.set(key.raw.to_vec());
    }

    fn check_signature(&self, key: &SubjectPublicKeyInfo<'_>) -> Result<(), X509Error> {
        let broken = |_| X509Error::InvalidSignatureValue;
        let (_, outer) = Any::from_der(&self.der).map_err(broken)?;
        let (rest, _) = Any::from_der(outer.data).map_err(broken)?;
        let signed = &outer.data[..outer.data.len() - rest.len()];
        let (rest, algorithm) = AlgorithmIdentifier::from_der(rest).map_err(|_| X509Error::InvalidSignatureValue)?;
        let (_, signature) = BitString::from_der(rest).map_err(broken)?;
        verify_signature(key, &algorithm, &signature, signed)
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether both are of one key, as far as it is known.
    pub(super) fn is_of_key_of(&self, other: &Self) -> bool {
        match (self.signer.get(), other.signer.get()) {
            (None, None) => self.key_id.is_some() && self.key_id == other.key_id,
            (mine, its) => mine == its,
        }
    }

    /// What its signature is made with, for people.
    pub(super) fn algorithm(&self) -> String {
        CertificateRevocationList::from_der(&self.der)
            .map_or_else(|_| String::new(), |(_, list)| list.signature_algorithm.algorithm.to_id_string())
    }

    /// Whether somebody was met who signed it, or should have.
    pub(super) fn is_met(&self) -> bool {
        self.met.load(Ordering::Relaxed)
    }

    pub(super) fn revokes(&self, serial: &[u8]) -> bool {
        self.revoked.contains(number(serial))
    }

    /// Whether the other one, of the same key, says nothing any more: this one is newer and about the same. Where number
    /// and date contradict each other, neither counts as the newer one.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        let newer = match (&self.number, &other.number) {
            (Some(mine), Some(its)) => {
                (mine, self.issued) != (its, other.issued) && mine >= its && self.issued >= other.issued
            }
            _ => self.issued > other.issued,
        };
        let stands_for_it = match (&self.aside, &other.aside) {
            (None, _) => true,
            (Some(Aside::Delta), Some(Aside::Delta)) => self.base.is_some() && self.base <= other.base,
            _ => false,
        };
        newer && stands_for_it && self.scope == other.scope
    }
}

/// A name in a certificate, fit for a log.
pub(super) fn name(name: &X509Name<'_>) -> String {
    printable(&name.to_string().chars().take(200).collect::<String>()).into_owned()
}

/// The serial numbers of what it revokes, of its own issuer.
fn entries(list: &CertificateRevocationList<'_>, asides: &mut Vec<Aside>) -> HashSet<Vec<u8>> {
    let mut revoked = HashSet::new();
    // An entry's issuer is also that of those after it, until the next that names one.
    let mut own = true;
    for entry in list.iter_revoked_certificates() {
        for extension in entry.iter_extensions() {
            if extension.oid == CERTIFICATE_ISSUER {
                own = is_issuer(extension, list);
                if !asides.contains(&Aside::Indirect) {
                    asides.push(Aside::Indirect);
                }
            } else if extension.critical
                && ![OID_X509_EXT_REASON_CODE, OID_X509_EXT_INVALIDITY_DATE].contains(&extension.oid)
            {
                let aside = Aside::CriticalEntry(extension.oid.to_id_string());
                if !asides.contains(&aside) {
                    asides.push(aside);
                }
            }
        }
        if own && !is_taken_back(entry) {
            revoked.insert(number(entry.raw_serial()).to_vec());
        }
    }
    revoked
}

fn is_issuer(extension: &X509Extension<'_>, list: &CertificateRevocationList<'_>) -> bool {
    memchr::memmem::find(extension.value, list.issuer().as_raw()).is_some()
}

/// Whether a delta takes back what was on hold.
fn is_taken_back(entry: &RevokedCertificate<'_>) -> bool {
    entry.reason_code().is_some_and(|(_, reason)| reason == ReasonCode::RemoveFromCRL)
}

/// A serial number without the zeros before it.
fn number(serial: &[u8]) -> &[u8] {
    &serial[serial.iter().position(|&byte| byte != 0).unwrap_or(serial.len())..]
}

/// An algorithm of signatures that others can imitate by now.
fn weak(algorithm: &Oid<'_>) -> Option<String> {
    [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA].contains(algorithm).then(|| "SHA-1 with RSA".to_owned())
}
