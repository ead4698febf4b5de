//! The server's side of TLS: 1.2 and up, HTTP/2 or 1.1 by ALPN.

use std::{path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};

use crate::config::Tls;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {what} {path}: {source}; it must be a PEM file")]
    Read { what: &'static str, path: String, source: pem::Error },
    #[error("there is no certificate in {path}: put the server's certificate there as PEM, then those up to the CA")]
    Empty { path: String },
    #[error("the certificate {certificate} and the key {key} do not serve: {source}")]
    Pair { certificate: String, key: String, source: rustls::Error },
}

/// Reads certificate and key.
///
/// # Errors
/// A file is missing or not PEM, or the two do not belong together.
pub fn server_config(tls: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
    let name = |path: &Path| path.display().to_string();
    let chain = CertificateDer::pem_file_iter(&tls.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain =
        chain.map_err(|source| TlsError::Read { what: "the certificate", path: name(&tls.certificate), source })?;
    if chain.is_empty() {
        return Err(TlsError::Empty { path: name(&tls.certificate) });
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|source| TlsError::Read {
        what: "the private key",
        path: name(&tls.key),
        source,
    })?;
    let pair = |source| TlsError::Pair { certificate: name(&tls.certificate), key: name(&tls.key), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
