//! Reads the trust files, each for itself: what is wrong with one is told of and costs the others nothing.
//!
//! What cannot be read may be half written, so what the file held before stays in force until it can be read again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::TrustError;
use super::item::{Unfit, Wanted, items};
use super::list::List;

/// What every trust file's name begins with.
const PREFIX: &str = "sophosca";
/// Where they are if no key says so: in a container first.
const USUAL: [&str; 2] = ["/etc/sophos-certs", "/etc/sophos"];
/// Bytes of a file. Revocation lists can grow to megabytes.
const MAX_FILE: u64 = 32 << 20;
/// What is told of one file. Whoever mends that many looks at the file once more.
const MAX_FAULTS: usize = 8;

/// The folder of trust files: the one that is named, else the first of the usual ones that has an authority.
#[must_use]
pub fn folder(named: Option<&Path>) -> PathBuf {
    let has_authority = |folder: &&str| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|path| wanted(&path) == Some(Wanted::Certificates))
    };
    let usual = || USUAL.into_iter().find(has_authority).unwrap_or(USUAL[1]);
    named.unwrap_or_else(|| Path::new(usual())).to_owned()
}

/// Whether a file counts in the folder of trust files, by its name.
#[must_use]
pub fn is_trust_file(path: &Path) -> bool {
    wanted(path).is_some()
}

/// What a file of the folder is to hold, by its name.
fn wanted(path: &Path) -> Option<Wanted> {
    if !path.file_name()?.as_encoded_bytes().starts_with(PREFIX.as_bytes()) {
        return None;
    }
    match path.extension()?.as_encoded_bytes() {
        b"crt" => Some(Wanted::Certificates),
        b"crl" => Some(Wanted::Lists),
        _ => None,
    }
}

/// What tells whether files changed, without reading them. Nothing for one that cannot even be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<PathBuf, Option<Stamp>>);

/// Size, inode, time of the last change (of contents, and of anything), mode.
type Stamp = (u64, u64, (i64, i64), (i64, i64), u32);

impl Fingerprint {
    pub(super) fn take(folder: &Path) -> Result<Self, TrustError> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(|error| TrustError::of_folder(folder, &error))? {
            let path = entry.map_err(|error| TrustError::of_folder(folder, &error))?.path();
            if wanted(&path).is_none() {
                continue;
            }
            // Through symbolic links: Kubernetes swaps one to change all files at a stroke.
            let stamp = match fs::metadata(&path) {
                Ok(data) => {
                    let changed = (data.mtime(), data.mtime_nsec());
                    let touched = (data.ctime(), data.ctime_nsec());
                    Some((data.size(), data.ino(), changed, touched, data.mode()))
                }
                // Gone since the folder was read.
                Err(_) if path.symlink_metadata().is_err() => continue,
                Err(_) => None,
            };
            files.insert(path, stamp);
        }
        Ok(Self(files))
    }
}

/// What the trust files hold, by file.
#[derive(Default)]
pub(super) struct Files(pub(super) BTreeMap<PathBuf, TrustFile>);

/// What is in force of a file.
#[derive(Default)]
pub(super) struct TrustFile {
    /// Nothing if it is to be read again even if it looks the same.
    stamp: Option<Stamp>,
    pub(super) holds_lists: bool,
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) lists: Vec<Arc<List>>,
    /// What is wrong with it as it is now.
    pub(super) faults: Vec<TrustError>,
    /// Whether what it held before stays in force in place of what is damaged.
    pub(super) kept: bool,
}

impl Files {
    /// Reads what changed. What is gone is forgotten.
    pub(super) fn refresh(&mut self, seen: &Fingerprint) {
        let mut before = std::mem::take(&mut self.0);
        for (path, stamp) in &seen.0 {
            let Some(wanted) = wanted(path) else { continue };
            let old = before.remove(path).unwrap_or_default();
            let file =
                if stamp.is_some() && old.stamp == *stamp { old } else { TrustFile::read(path, wanted, *stamp, old) };
            self.0.insert(path.clone(), file);
        }
    }

    /// Whether one could not be read for a reason that may pass by itself.
    pub(super) fn are_to_be_read_again(&self) -> bool {
        self.0.values().any(|file| file.stamp.is_none())
    }
}

impl TrustFile {
    fn read(path: &Path, wanted: Wanted, stamp: Option<Stamp>, old: Self) -> Self {
        let mut file = Self { stamp, holds_lists: wanted == Wanted::Lists, ..Self::default() };
        match contents(path) {
            Ok(bytes) => file.take(path, wanted, &bytes, &old),
            Err(fault) => {
                file.stamp = stamp.filter(|_| !matches!(fault, TrustError::Unreadable { .. }));
                file.faults.push(fault);
            }
        }
        if file.faults.iter().any(TrustError::is_damage) {
            file.kept = !(old.certificates.is_empty() && old.lists.is_empty());
            let certificates = old.certificates.into_iter().filter(|old| !file.certificates.contains(old));
            file.certificates.extend(certificates.collect::<Vec<_>>());
            let lists = old.lists.into_iter().filter(|old| !file.lists.iter().any(|list| Arc::ptr_eq(list, old)));
            file.lists.extend(lists.collect::<Vec<_>>());
        }
        file
    }

    fn take(&mut self, path: &Path, wanted: Wanted, bytes: &[u8], old: &Self) {
        for item in items(bytes, wanted) {
            match (item, wanted) {
                (Ok(der), Wanted::Certificates) => self.certificates.push(CertificateDer::from(der)),
                (Ok(der), Wanted::Lists) => match old.lists.iter().find(|list| list.der() == der) {
                    // Its signature is known already.
                    Some(same) => self.lists.push(Arc::clone(same)),
                    None => match List::read(path, der) {
                        Ok(list) => self.lists.push(Arc::new(list)),
                        Err(reason) => self.faults.push(unfit(path, wanted, Unfit::Damaged(reason))),
                    },
                },
                (Err(reason), _) => self.faults.push(unfit(path, wanted, reason)),
            }
        }
        self.faults.truncate(MAX_FAULTS);
    }
}

fn unfit(path: &Path, wanted: Wanted, reason: Unfit) -> TrustError {
    let (path, expected) = (path.to_owned(), wanted.word());
    match reason {
        Unfit::Damaged(reason) => TrustError::Malformed { path, expected, reason },
        Unfit::Other { what, advice } => TrustError::Other { path, what, expected, advice },
    }
}

fn contents(path: &Path) -> Result<Vec<u8>, TrustError> {
    let unreadable = |error: io::Error| TrustError::of_file(path, &error);
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
