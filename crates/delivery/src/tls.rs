//! TLS to receivers that are not Central: whom to trust, and who we are.
//!
//! Without a `ca_file` the system's certificates are trusted. Files are read anew for each connection, so that a
//! certificate that was renewed is taken up without a reload.

pub mod keys;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem, pem::PemObject as _},
    version,
};

use crate::trust::{Unfit, Wanted, items};

/// Whom to trust, and who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// CA certificates; without it, those of the system.
    pub ca_file: Option<PathBuf>,
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: io::Error },
    #[error("{}: holds no certificate{}", path.display(), if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) })]
    NoCertificate { path: PathBuf, reasons: Vec<String> },
    #[error("{}: holds no certificate to trust{}", path.display(), if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) })]
    NoAuthority { path: PathBuf, reasons: Vec<String> },
    #[error("{}: a certificate in it cannot be used: {reason}", path.display())]
    BadCertificate { path: PathBuf, reason: Unfit },
    #[error("{}: holds no private key that can be used: {reason}; it must be PEM and not encrypted", path.display())]
    NoKey { path: PathBuf, reason: pem::Error },
    #[error("{}: this key and the certificate do not go together: {reason}", path.display())]
    BadKey { path: PathBuf, reason: rustls::Error },
    #[error("the system has no certificates to trust; name them with `ca_file`, or install ca-certificates")]
    NoSystem,
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

impl TlsError {
    /// The key of the configuration whose file is at fault.
    pub const fn key(&self) -> Option<&'static str> {
        match self {
            Self::NoAuthority { .. } => Some("ca_file"),
            Self::NoCertificate { .. } | Self::BadCertificate { .. } => Some("cert_file"),
            Self::NoKey { .. } | Self::BadKey { .. } => Some("key_file"),
            Self::Unreadable { .. } | Self::NoSystem | Self::Rustls(_) => None,
        }
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Whether a certificate can be for this name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}

/// Looks whether a connection could be made with these files, whatever the system has. One that cannot be read is none
/// of it: that may be another user's rights.
///
/// # Errors
///
/// If one does not hold what it should, or they do not go together.
pub fn check(settings: &TlsSettings) -> Result<(), TlsError> {
    config(settings, false).map(drop).or_else(|error| match error {
        TlsError::Unreadable { .. } => Ok(()),
        error => Err(error),
    })
}

/// Why authorities in the `ca_file` are not trusted although others in it are, a sentence for each. Receivers with a
/// certificate of theirs would be refused.
#[must_use]
pub fn left_aside(settings: &TlsSettings) -> Vec<String> {
    let found = settings.ca_file.as_deref().map(authorities);
    found.and_then(Result::ok).map_or_else(Vec::new, |(_, reasons)| reasons)
}

/// What to connect with. If no TLS is `needed`, as to `http://`, a system without certificates is no error: then they are
/// for a proxy, if one of the environment wants TLS.
///
/// # Errors
///
/// If a file cannot be used.
pub fn config(settings: &TlsSettings, needed: bool) -> Result<ClientConfig, TlsError> {
    let roots = match &settings.ca_file {
        Some(path) => {
            let (roots, reasons) = authorities(path)?;
            for reason in reasons {
                tracing::warn!("{reason}");
            }
            roots
        }
        None => of_system(needed)?,
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_root_certificates(roots);
    let (Some(cert_file), Some(key_file)) = (&settings.cert_file, &settings.key_file) else {
        return Ok(builder.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_slice(&contents(key_file)?)
        .map_err(|reason| TlsError::NoKey { path: key_file.clone(), reason })?;
    builder
        .with_client_auth_cert(chain(cert_file)?, key)
        .map_err(|reason| TlsError::BadKey { path: key_file.clone(), reason })
}

fn of_system(needed: bool) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // A few that nobody can read are no reason to trust none.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if needed && roots.is_empty() { Err(TlsError::NoSystem) } else { Ok(roots) }
}

/// Those that can be used, and of each other entry why it is left aside.
fn authorities(path: &Path) -> Result<(RootCertStore, Vec<String>), TlsError> {
    let mut roots = RootCertStore::empty();
    // A few that nobody can read are no reason to trust none here either; but here somebody can mend them.
    let mut reasons = Vec::new();
    for item in items(&contents(path)?, Wanted::Certificates) {
        match item.map(|der| roots.add(CertificateDer::from(der))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => reasons.push(error.to_string()),
            Err(reason) => reasons.push(reason.to_string()),
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthority { path: path.to_owned(), reasons });
    }
    let told = |reason| format!("{}: an entry in it is left aside: {reason}", path.display());
    Ok((roots, reasons.into_iter().map(told).collect()))
}

/// The sensor's own certificate and those between it and an authority: all of them, or the receiver cannot follow. A key
/// beside them is not looked at.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let mut found = Vec::new();
    let mut reasons = Vec::new();
    for item in items(&contents(path)?, Wanted::Certificates) {
        match item {
            Ok(der) => found.push(CertificateDer::from(der)),
            Err(Unfit::Other { .. }) if !found.is_empty() => {}
            Err(reason @ Unfit::Other { .. }) => reasons.push(reason.to_string()),
            Err(reason) => return Err(TlsError::BadCertificate { path: path.to_owned(), reason }),
        }
    }
    if found.is_empty() { Err(TlsError::NoCertificate { path: path.to_owned(), reasons }) } else { Ok(found) }
}

fn contents(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|reason| TlsError::Unreadable { path: path.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_authority::Authority;

    /// How many of them are trusted, and how many are said to be left aside.
    fn of(bytes: &[u8]) -> Result<(usize, usize), TlsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, bytes).unwrap();
        let settings = TlsSettings { ca_file: Some(path.clone()), ..TlsSettings::default() };
        let (roots, reasons) = authorities(&path)?;
        assert_eq!(reasons, left_aside(&settings));
        Ok((roots.len(), reasons.len()))
    }

    #[test]
    fn one_authority_that_cannot_be_read_costs_the_others_nothing() {
        let (one, two) = (Authority::new("one"), Authority::new("two"));
        let broken = one.pem.replacen("MII", "!!!", 1);
        let cut = &one.pem[..one.pem.len() / 2];
        for (text, left_aside) in [
            (format!("{broken}{}", two.pem), 1),
            (format!("{}{broken}", two.pem), 1),
            (format!("{cut}\n{}", two.pem), 1),
            (format!("\u{feff}{}", two.pem).replace('\n', "\r\n"), 0),
            (format!("{}{}", one.key_pem, two.pem), 1),
        ] {
            assert_eq!(of(text.as_bytes()).unwrap(), (1, left_aside), "{text}");
        }
        assert_eq!(of(format!("{}{}", one.pem, two.pem).as_bytes()).unwrap(), (2, 0));
        assert_eq!(of(&two.der).unwrap(), (1, 0));
        let error = of(broken.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("holds no certificate to trust: it is damaged"), "{error}");
        let error = of(one.key_pem.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("a private key") && !error.contains(&one.key_pem[40..60]), "{error}");
    }

    #[test]
    fn the_own_certificate_is_read_whole_or_not_at_all() {
        let (one, two) = (Authority::new("one"), Authority::new("two"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.pem");
        let of = |text: String| {
            fs::write(&path, text).unwrap();
            chain(&path).map(|chain| chain.len())
        };
        assert_eq!(of(format!("{}{}{}", one.key_pem, one.pem, two.pem)).unwrap(), 2);
        assert!(matches!(of(format!("{}{}", one.pem, &two.pem[..99])), Err(TlsError::BadCertificate { .. })));
        assert!(matches!(of(one.key_pem.clone()), Err(TlsError::NoCertificate { .. })));
    }
}
