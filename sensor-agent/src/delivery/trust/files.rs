//! Reads the trust files: certificates of authorities and their revocation lists, PEM or DER.
//!
//! What is wrong is found here as far as it can be without a connection, because here it has a file's name. The TLS
//! library checks all of it again, for the certificates that a receiver shows.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::{TrustError, TrustWarning};
use crate::config::CrlPolicy;

/// What every trust file's name begins with.
const PREFIX: &str = "sophosca";
/// Where they are if no key says so: in a container first.
const USUAL: [&str; 2] = ["/etc/sophos-certs", "/etc/sophos"];
/// Bytes of a file. Revocation lists can grow to megabytes.
const MAX_FILE: u64 = 32 << 20;
/// Where a PEM section begins.
const PEM: &[u8] = b"-----BEGIN ";

/// The folder of trust files: the one that is named, else the first of the usual ones that has an authority.
#[must_use]
pub fn folder(named: Option<&Path>) -> PathBuf {
    let has_authority = |folder: &&str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| Type::of(&path) == Some(Type::Certificate))
    };
    let usual = || USUAL.into_iter().find(has_authority).unwrap_or(USUAL[1]);
    named.unwrap_or_else(|| Path::new(usual())).to_owned()
}

/// Whether a file counts in the folder of trust files, by its name.
#[must_use]
pub fn is_trust_file(path: &Path) -> bool {
    Type::of(path).is_some()
}

/// What tells whether files changed, without reading them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<PathBuf, Stamp>);

/// Size, inode, time of the last change (of contents, and of anything), mode.
type Stamp = (u64, u64, (i64, i64), (i64, i64), u32);

impl Fingerprint {
    pub(super) fn take(folder: &Path) -> Result<Self, TrustError> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(|error| TrustError::io(folder, &error))? {
            let entry = entry.map_err(|error| TrustError::io(folder, &error))?;
            let path = entry.path();
            if Type::of(&path).is_none() {
                continue;
            }
            // Through symbolic links: Kubernetes swaps one to change all files at a stroke.
            let data = match fs::metadata(&path) {
                Ok(data) => data,
                Err(error) if error.kind() == io::ErrorKind::NotFound && entry.path().symlink_metadata().is_err() => {
                    continue; // Gone since the folder was read.
                }
                Err(error) => return Err(TrustError::io(path, &error)),
            };
            let changed = (data.mtime(), data.mtime_nsec());
            let touched = (data.ctime(), data.ctime_nsec());
            files.insert(path, (data.size(), data.ino(), changed, touched, data.mode()));
        }
        Ok(Self(files))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Certificate,
    Crl,
}

impl Type {
    fn of(path: &Path) -> Option<Self> {
        if !path.file_name()?.as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
            return None;
        }
        match path.extension()?.as_encoded_bytes() {
            b"crt" => Some(Self::Certificate),
            b"crl" => Some(Self::Crl),
            _ => None,
        }
    }
}

/// The contents of the trust files.
pub(super) struct Files {
    pub(super) roots: RootCertStore,
    pub(super) crls: Vec<CertificateRevocationListDer<'static>>,
    /// When a certificate runs out or comes into force, seconds since the Unix epoch.
    pub(super) until: i64,
    pub(super) warnings: Vec<TrustWarning>,
}

impl Files {
    pub(super) fn read(folder: &Path, seen: &Fingerprint, policy: CrlPolicy, now: i64) -> Result<Self, TrustError> {
        let mut authorities = Vec::new();
        let mut lists = Vec::new();
        for path in seen.0.keys() {
            let bytes = contents(path)?;
            match Type::of(path) {
                Some(Type::Certificate) => {
                    for der in certificates(path, &bytes)? {
                        authorities.push((path.clone(), der));
                    }
                }
                Some(Type::Crl) => {
                    lists.extend(revocation_lists(path, &bytes)?.into_iter().map(|der| (path.clone(), der)))
                }
                None => {}
            }
        }
        let mut files = Self { roots: RootCertStore::empty(), crls: Vec::new(), until: i64::MAX, warnings: Vec::new() };
        let mut parsed = Vec::new();
        for (path, der) in &authorities {
            parsed.push((path, der, parse_authority(path, der)?));
        }
        for (path, der, authority) in &parsed {
            files.add_authority(path, der, authority, now)?;
        }
        if files.roots.is_empty() {
            return Err(TrustError::NoAuthority { folder: folder.to_owned() });
        }
        if lists.is_empty() && policy == CrlPolicy::Refuse {
            return Err(TrustError::NoCrl { folder: folder.to_owned() });
        }
        let authorities: Vec<_> = parsed.iter().map(|(path, _, authority)| (path.as_path(), authority)).collect();
        files.add_lists(&lists, &authorities, now)?;
        Ok(files)
    }

    fn add_authority(
        &mut self,
        path: &Path,
        der: &CertificateDer<'static>,
        authority: &X509Certificate<'_>,
        now: i64,
    ) -> Result<(), TrustError> {
        let subject = authority.subject().to_string();
        if !authority.is_ca() {
            return Err(TrustError::NotAnAuthority { path: path.to_owned(), subject });
        }
        // The TLS library does not look at the dates of a trust anchor.
        let validity = authority.validity();
        let (from, to) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        let path = path.to_owned();
        if now < from {
            self.until = self.until.min(from);
            self.warnings.push(TrustWarning::AuthorityNotYetValid { path, subject, at: from });
            return Ok(());
        }
        if now > to {
            self.warnings.push(TrustWarning::AuthorityExpired { path, subject, at: to });
            return Ok(());
        }
        self.until = self.until.min(to.saturating_add(1));
        self.roots.add(der.clone()).map_err(|error| malformed(&path, "certificate", &error))
    }

    /// Takes the newest list of each issuer, after holding it against that authority's key.
    fn add_lists(
        &mut self,
        lists: &[(PathBuf, CertificateRevocationListDer<'static>)],
        authorities: &[(&Path, &X509Certificate<'_>)],
        now: i64,
    ) -> Result<(), TrustError> {
        let mut newest: BTreeMap<
            Vec<u8>,
            (&Path, &CertificateRevocationListDer<'static>, CertificateRevocationList<'_>),
        > = BTreeMap::new();
        for (path, der) in lists {
            self.check_readable(path, der)?;
            let list = parse_list(path, der)?;
            check_signature(path, &list, authorities)?;
            let older =
                newest.get(list.issuer().as_raw()).is_some_and(|(_, _, other)| age_key(other) >= age_key(&list));
            if !older {
                newest.insert(list.issuer().as_raw().to_vec(), (path.as_path(), der, list));
            }
        }
        for (path, authority) in authorities {
            if !newest.contains_key(authority.subject().as_raw()) {
                let subject = authority.subject().to_string();
                self.warnings.push(TrustWarning::CrlMissing { path: path.to_path_buf(), subject });
            }
        }
        for (path, der, list) in newest.into_values() {
            if let Some(next) = list.next_update().map(|time| time.timestamp()) {
                if next < now {
                    let issuer = list.issuer().to_string();
                    self.warnings.push(TrustWarning::CrlStale { path: path.to_owned(), issuer, at: next });
                } else {
                    // To warn of it then.
                    self.until = self.until.min(next.saturating_add(1));
                }
            }
            self.crls.push(der.clone());
        }
        Ok(())
    }

    /// Whether the TLS library can read this list.
    fn check_readable(&self, path: &Path, der: &CertificateRevocationListDer<'static>) -> Result<(), TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots.clone()), provider)
            .with_crls([der.clone()])
            .build()
            .map(drop)
            .map_err(|error| malformed(path, "revocation list", &error))
    }
}

/// Which of two lists of one issuer is the newer one.
fn age_key(list: &CertificateRevocationList<'_>) -> i64 {
    list.last_update().timestamp()
}

/// A list of an authority in the folder must be signed by it. That of another authority is left to the connection.
fn check_signature(
    path: &Path,
    list: &CertificateRevocationList<'_>,
    authorities: &[(&Path, &X509Certificate<'_>)],
) -> Result<(), TrustError> {
    let mut issuers =
        authorities.iter().filter(|(_, authority)| authority.subject().as_raw() == list.issuer().as_raw()).peekable();
    // An algorithm that cannot be checked here is left to the connection as well.
    let known = issuers.peek().is_some();
    let good = issuers.any(|(_, authority)| {
        matches!(list.verify_signature(authority.public_key()), Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm))
    });
    if known && !good {
        return Err(TrustError::Forged { path: path.to_owned(), issuer: list.issuer().to_string() });
    }
    Ok(())
}

fn contents(path: &Path) -> Result<Vec<u8>, TrustError> {
    let unreadable = |error: io::Error| TrustError::io(path, &error);
    let file = File::open(path).map_err(unreadable)?;
    let data = file.metadata().map_err(unreadable)?;
    if !data.is_file() {
        return Err(TrustError::Unreadable { path: path.to_owned(), reason: "it is no regular file".to_owned() });
    }
    if data.mode() & 0o022 != 0 {
        return Err(TrustError::Writable { path: path.to_owned(), mode: data.mode() & 0o7777 });
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(TrustError::TooLarge { path: path.to_owned(), limit: MAX_FILE });
    }
    Ok(bytes)
}

fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    items(path, bytes, "certificate", |der| X509Certificate::from_der(der).ok().map(|(rest, _)| rest.len()))
}

fn revocation_lists(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, TrustError> {
    items(path, bytes, "revocation list", |der| {
        CertificateRevocationList::from_der(der).ok().map(|(rest, _)| rest.len())
    })
}

/// All items of a file, one after the other: PEM sections, or DER. `rest` tells how many bytes follow the first item.
fn items<T: PemObject + From<Vec<u8>>>(
    path: &Path,
    mut bytes: &[u8],
    expected: &'static str,
    rest: impl Fn(&[u8]) -> Option<usize>,
) -> Result<Vec<T>, TrustError> {
    let mut items = Vec::new();
    let sections = memchr::memmem::find_iter(bytes, PEM).count();
    if sections > 0 {
        for item in T::pem_slice_iter(bytes) {
            items.push(item.map_err(|error| malformed(path, expected, &error))?);
        }
        if items.len() != sections {
            return Err(malformed(
                path,
                expected,
                &format!("{} of its {sections} PEM sections are something else", sections - items.len()),
            ));
        }
        return Ok(items);
    }
    // Text that would be PEM if more of it was there, or less.
    while !bytes.iter().all(u8::is_ascii_whitespace) {
        let Some(rest) = rest(bytes) else {
            return Err(malformed(path, expected, &"it is neither PEM nor DER"));
        };
        let (item, following) = bytes.split_at(bytes.len() - rest);
        items.push(T::from(item.to_vec()));
        bytes = following;
    }
    if items.is_empty() {
        return Err(malformed(path, expected, &"it is empty"));
    }
    Ok(items)
}

fn parse_authority<'a>(path: &Path, der: &'a CertificateDer<'static>) -> Result<X509Certificate<'a>, TrustError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(malformed(path, "certificate", &"something follows it")),
        Err(error) => Err(malformed(path, "certificate", &error)),
    }
}

fn parse_list<'a>(
    path: &Path,
    der: &'a CertificateRevocationListDer<'static>,
) -> Result<CertificateRevocationList<'a>, TrustError> {
    match CertificateRevocationList::from_der(der) {
        Ok(([], list)) => Ok(list),
        Ok(_) => Err(malformed(path, "revocation list", &"something follows it")),
        Err(error) => Err(malformed(path, "revocation list", &error)),
    }
}

fn malformed(path: &Path, expected: &'static str, reason: &dyn std::fmt::Display) -> TrustError {
    TrustError::Malformed { path: path.to_owned(), expected, reason: reason.to_string() }
}
