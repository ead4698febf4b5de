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

/// How much of a reply may come before it is read. A reply waits for its place in memory ([`super::client`]) with so much of it
/// here at most. With less, a long way would be waited for several times in each page.
const STREAM_WINDOW: u32 = 128 << 10;
/// The same of all replies of an HTTP/2 connection together: as much as a peer may be allowed (RFC 9113, 6.9.1). With less,
/// replies that wait for a place would take what those need that have one, and neither would come to its end.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

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
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .user_agent(concat!("sensor-siem/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT.min(connection.timeout))
        .timeout(connection.timeout);
    if let Some(url) = &connection.proxy {
        builder = builder.proxy(Proxy::all(url.clone())?);
    }
    Ok(builder.build()?)
}
