//! The HTTP client: whom to trust, and which way.

use std::{io, path::Path, sync::Arc, time::Duration};

use reqwest::{Proxy, redirect};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
    version,
};

use super::Connection;

/// To be connected takes no longer than this, whatever a whole request may take.
const CONNECT: Duration = Duration::from_secs(20);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error("`ca_file`: {path}: {reason}; it must hold certificates as PEM")]
    Authority { path: String, reason: String },
    #[error("the system has no certificates to trust; name them with `ca_file`, or install ca-certificates")]
    NoSystem,
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// The client. Redirects are not followed: credentials are for those who were named. If no TLS `is_needed`, a system without
/// certificates is no fault.
pub(super) fn client(connection: &Connection, is_needed: bool) -> Result<reqwest::Client, ConnectionError> {
    let roots = match &connection.ca_file {
        Some(path) => authorities(path).map_err(|error| ConnectionError::Authority {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?,
        None => of_system(is_needed)?,
    };
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(concat!("sensor-siem/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT.min(connection.timeout))
        .timeout(connection.timeout);
    if let Some(url) = &connection.proxy {
        builder = builder.proxy(Proxy::all(url.clone())?);
    }
    Ok(builder.build()?)
}

fn authorities(path: &Path) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(io::Error::other)? {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    if roots.is_empty() { Err(io::Error::other("there is no certificate in it")) } else { Ok(roots) }
}

/// Those of the system; of `SSL_CERT_FILE` and `SSL_CERT_DIR` if they are set, as in Python.
fn of_system(is_needed: bool) -> Result<RootCertStore, ConnectionError> {
    let mut roots = RootCertStore::empty();
    // A few that nobody can read are no reason to trust none.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if is_needed && roots.is_empty() { Err(ConnectionError::NoSystem) } else { Ok(roots) }
}
