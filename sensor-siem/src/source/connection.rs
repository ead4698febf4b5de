//! The HTTP client: whom to trust, and which way.

use std::time::Duration;

use delivery::tls::{self, TlsError, TlsSettings};
use reqwest::{
    Proxy,
    header::{ACCEPT_ENCODING, HeaderMap},
    redirect,
};

use super::{Connection, body};

/// To be connected takes no longer than this, whatever a whole request may take.
const CONNECT: Duration = Duration::from_secs(20);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// The client. Redirects are not followed: credentials are for those who were named. If no TLS `is_needed`, a system without
/// certificates is no fault.
pub(super) fn client(connection: &Connection, is_needed: bool) -> Result<reqwest::Client, ConnectionError> {
    let settings = TlsSettings { ca_file: connection.ca_file.clone(), ..TlsSettings::default() };
    let mut tls = tls::config(&settings, is_needed)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, body::ACCEPTED)]))
        .user_agent(concat!("sensor-siem/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT.min(connection.timeout))
        .timeout(connection.timeout);
    if let Some(url) = &connection.proxy {
        builder = builder.proxy(Proxy::all(url.clone())?);
    }
    Ok(builder.build()?)
}
