//! TLS to receivers that are not Central: whom to trust, and who we are.
//!
//! Without a `ca_file` the system's certificates are trusted. Files are read anew for each connection, so that a
//! certificate that was renewed is taken up without a reload.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
    version,
};

use crate::config::TlsSettings;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("{}: cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: pem::Error },
    #[error("{}: holds no certificate in PEM form", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{}: a certificate in it cannot be used: {reason}", path.display())]
    BadCertificate { path: PathBuf, reason: rustls::Error },
    #[error("{}: this key and the certificate do not go together: {reason}", path.display())]
    BadKey { path: PathBuf, reason: rustls::Error },
    #[error("the system has no certificates to trust; name them with `ca_file`, or install ca-certificates")]
    NoSystem,
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// What to connect with.
///
/// # Errors
///
/// If a file cannot be used.
pub(super) fn config(settings: &TlsSettings) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_root_certificates(roots(settings.ca_file.as_deref())?);
    let (Some(cert_file), Some(key_file)) = (&settings.cert_file, &settings.key_file) else {
        return Ok(builder.with_no_client_auth());
    };
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|reason| TlsError::Unreadable { path: key_file.clone(), reason })?;
    builder
        .with_client_auth_cert(certificates(cert_file)?, key)
        .map_err(|reason| TlsError::BadKey { path: key_file.clone(), reason })
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|reason| TlsError::BadCertificate { path: path.to_owned(), reason })?;
            }
        }
        None => {
            // A few that nobody can read are no reason to trust none.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsError::NoSystem);
            }
        }
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |reason| TlsError::Unreadable { path: path.to_owned(), reason };
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if found.is_empty() { Err(TlsError::NoCertificate { path: path.to_owned() }) } else { Ok(found) }
}
