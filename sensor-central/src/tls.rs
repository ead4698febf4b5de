//! The server's side of TLS: 1.2 and up, HTTP/2 or 1.1 by ALPN.

use std::{fs, io, path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject as _},
};

use crate::config::Tls;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {what} {path}: {source}")]
    Read { what: &'static str, path: String, source: io::Error },
    #[error("{what} {path} is damaged: {source}; it must be whole, and PEM")]
    Damaged { what: &'static str, path: String, source: pem::Error },
    #[error(
        "there is no private key in {path} that can be used: it must be PEM and not encrypted (openssl pkey -in FILE -out NEW)"
    )]
    NoKey { path: String },
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
    let damaged = |what, path| move |source| TlsError::Damaged { what, path: name(path), source };
    let certificates = read("the certificate", &tls.certificate)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(text(&certificates))
        .collect::<Result<_, _>>()
        .map_err(damaged("the certificate", &tls.certificate))?;
    if chain.is_empty() {
        return Err(TlsError::Empty { path: name(&tls.certificate) });
    }
    let key = match PrivateKeyDer::from_pem_slice(text(&read("the private key", &tls.key)?)) {
        Err(pem::Error::NoItemsFound) => return Err(TlsError::NoKey { path: name(&tls.key) }),
        key => key.map_err(damaged("the private key", &tls.key))?,
    };
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

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { what, path: path.display().to_string(), source })
}

/// Without the mark that some editors put before a text, behind which the first section would not be seen.
fn text(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificate_and_key_are_read_however_they_are_written_and_faults_are_told() {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (cert, key) = (cert.pem(), signing_key.serialize_pem());
        let dir = tempfile::tempdir().unwrap();
        let tls = Tls { certificate: dir.path().join("c.pem"), key: dir.path().join("k.pem") };
        let load = |certificate: &str, key: &str| {
            fs::write(&tls.certificate, certificate).unwrap();
            fs::write(&tls.key, key).unwrap();
            server_config(&tls).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(load(&cert, &key), Ok(()));
        let other_system = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
        assert_eq!(load(&other_system(&cert), &other_system(&key)), Ok(()));
        let both = format!("{key}\n{cert}");
        assert_eq!(load(&both, &both), Ok(()));
        let told = |result: Result<(), String>, text: &str| {
            let error = result.unwrap_err();
            assert!(error.contains(text) && !error.contains(&key[40..60]), "{error}");
        };
        told(load(&cert[..cert.len() / 2], &key), "is damaged");
        told(load("", &key), "no certificate in");
        told(load(&cert, &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")), "not encrypted");
        told(load(&cert, &key[..key.len() / 2]), "is damaged");
        fs::remove_file(&tls.key).unwrap();
        told(server_config(&tls).map(drop).map_err(|error| error.to_string()), "cannot read the private key");
    }
}
