//! One request to Central and its reply, bounded in every way.

use std::{
    error::Error as _,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Proxy, RequestBuilder, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use sensor_proto::{MEDIA_TYPE, header as sensor_header};
use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use super::reply::Reply;
use super::{McsSettings, StartError, proxy};
use crate::backoff::retry_after;
use crate::blocking::Blocking;
use crate::remote::{Interrupt, Setback};
use crate::trust::{PeerError, Trust, TrustError, TrustFolder, TrustWarning};
use crate::words;

/// A reply is not read beyond this. The largest has a reason for each message of a batch.
const MAX_REPLY: usize = 4 << 20;
/// A client is made anew after this time, and with it its connections: so a certificate that was revoked does not
/// live on in an old connection.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// Bodies below this are sent as they are.
const WORTH_COMPRESSING: usize = 512;
/// Characters of a receiver's words that are passed on.
const MAX_WORDS: usize = 300;

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Name, connection and TLS.
    pub connect: Duration,
    /// A request and its reply, all in all.
    pub request: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(15), request: Duration::from_secs(60) }
    }
}

/// Why there is no reply.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("{peer} is refused: {error}")]
    Peer { peer: String, error: PeerError },
    #[error("{peer} cannot be reached{via}: {reason}")]
    Unreachable { peer: String, via: String, reason: String },
    #[error("{peer} did not reply in time{via}: {reason}")]
    TimedOut { peer: String, via: String, reason: String },
    #[error("the exchange with {peer} broke off{via}: {reason}")]
    BrokenOff { peer: String, via: String, reason: String },
    #[error("the reply of {peer} is longer than {MAX_REPLY} bytes")]
    TooLong { peer: String },
    #[error("the request was called off, because nothing more is to be sent")]
    CalledOff,
}

/// Every one of these may pass.
impl From<Fault> for Setback {
    fn from(fault: Fault) -> Self {
        Self { reason: fault.to_string(), wait: None, lasting: false }
    }
}

/// Sends requests; keeps the connection between them.
pub(super) struct Client {
    base: String,
    /// What the receiver is called in messages.
    peer: String,
    /// For messages: through which proxy.
    via: String,
    token: SecretString,
    headers: HeaderMap,
    proxy: Option<Proxy>,
    timeouts: Timeouts,
    trust: TrustFolder,
    /// Compression is left off once a receiver could not read it.
    pub(super) compress: bool,
    current: Option<Current>,
    blocking: Blocking,
    /// Set once nothing more is to be sent.
    called_off: watch::Sender<bool>,
}

struct Current {
    http: reqwest::Client,
    generation: u64,
    made: Instant,
}

impl Client {
    pub(super) fn new(settings: McsSettings) -> Result<Self, StartError> {
        let McsSettings { url, token, tenant, sensor_id, trust, proxy, timeouts, .. } = settings;
        let base = base(&url)?;
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {}", token.expose_secret())).map_err(|_| StartError::Token)?;
        bearer.set_sensitive(true);
        let sensor_id = HeaderValue::try_from(&sensor_id)
            .ok()
            .filter(|_| (1..=128).contains(&sensor_id.len()) && sensor_id.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or(StartError::SensorId { id: sensor_id })?;
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
            (HeaderName::from_static(sensor_header::TENANT_ID), HeaderValue::try_from(tenant.to_string())?),
            (HeaderName::from_static(sensor_header::SENSOR_ID), sensor_id),
        ]);
        let chosen = proxy::choose(proxy.as_ref(), |name| std::env::var(name).ok())?;
        let via = chosen.as_ref().map_or_else(String::new, |(_, place)| format!(" through the proxy {place}"));
        let peer = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443));
        let proxy = chosen.map(|(proxy, _)| proxy);
        Ok(Self {
            base,
            peer,
            via,
            token,
            headers,
            proxy,
            timeouts,
            trust,
            compress: true,
            current: None,
            blocking: Blocking::new()?,
            called_off: watch::Sender::new(false),
        })
    }

    /// Trust as it stands, for the status.
    pub(super) fn warnings(&self) -> Vec<TrustWarning> {
        self.trust.current().map(|trust| trust.warnings).unwrap_or_default()
    }

    /// Calls off the request that is under way, and all after it.
    pub(super) fn interrupt(&self) -> Interrupt {
        let called_off = self.called_off.clone();
        Arc::new(move || {
            called_off.send_replace(true);
        })
    }

    /// Posts a body. The key is the same for each try of the same batch.
    pub(super) fn post(&mut self, path: &str, key: Uuid, body: &[u8]) -> Result<Reply, Fault> {
        let http = self.http()?;
        let mut request = http
            .post(format!("{}{path}", self.base))
            .header(HeaderName::from_static(sensor_header::IDEMPOTENCY_KEY), key.to_string());
        let packed = (self.compress && body.len() >= WORTH_COMPRESSING)
            .then(|| zstd::bulk::compress(body, zstd::DEFAULT_COMPRESSION_LEVEL).ok())
            .flatten();
        request = match packed {
            Some(packed) => request.header(CONTENT_ENCODING, "zstd").body(packed),
            None => request.body(body.to_vec()),
        };
        let mut called_off = self.called_off.subscribe();
        self.blocking.wait(async {
            tokio::select! {
                biased;
                _ = called_off.wait_for(|is| *is) => Err(Fault::CalledOff),
                reply = self.exchange(request) => reply,
            }
        })
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Reply, Fault> {
        let mut response = request.send().await.map_err(|error| self.fault(error))?;
        let status = response.status().as_u16();
        let wish = retry_after(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.fault(error))? {
            if body.len() + chunk.len() > MAX_REPLY {
                return Err(Fault::TooLong { peer: self.peer.clone() });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, wish, body })
    }

    /// The receiver's words, fit for a log: without the token, which it might echo.
    pub(super) fn say(&self, body: &[u8]) -> String {
        words::fit(body, [self.token.expose_secret()], MAX_WORDS)
    }

    /// The HTTP client, made anew when trust changed or it is old.
    fn http(&mut self) -> Result<reqwest::Client, Fault> {
        let trust = match self.trust.current() {
            Ok(trust) => trust,
            Err(error) => {
                self.current = None;
                return Err(error.into());
            }
        };
        if let Some(current) = &self.current
            && current.generation == trust.generation
            && current.made.elapsed() < MAX_AGE
        {
            return Ok(current.http.clone());
        }
        let http = self.build(&trust).map_err(|error| self.fault(error))?;
        self.current = Some(Current { http: http.clone(), generation: trust.generation, made: Instant::now() });
        Ok(http)
    }

    fn build(&self, trust: &Trust) -> Result<reqwest::Client, reqwest::Error> {
        let mut tls = (*trust.config).clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("sensor/", env!("CARGO_PKG_VERSION")))
            .default_headers(self.headers.clone())
            .connect_timeout(self.timeouts.connect)
            .timeout(self.timeouts.request)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(90))
            .tcp_keepalive(Duration::from_secs(30))
            .http2_keep_alive_interval(Duration::from_secs(30))
            .http2_keep_alive_timeout(Duration::from_secs(15));
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        builder.build()
    }

    fn fault(&self, error: reqwest::Error) -> Fault {
        let (peer, via) = (self.peer.clone(), self.via.clone());
        if let Some(error) = PeerError::find(&error) {
            return Fault::Peer { peer, error };
        }
        let error = error.without_url();
        // What happened is told by the innermost error; those around it say where it was noticed.
        let mut reason = error.to_string();
        let mut next = error.source();
        while let Some(source) = next {
            reason = source.to_string();
            next = source.source();
        }
        let reason = self.say(reason.as_bytes());
        if error.is_timeout() {
            Fault::TimedOut { peer, via, reason }
        } else if error.is_connect() {
            Fault::Unreachable { peer, via, reason }
        } else {
            Fault::BrokenOff { peer, via, reason }
        }
    }
}

/// What stands before each path.
fn base(url: &Url) -> Result<String, StartError> {
    let wrong = |reason| Err(StartError::Url { reason });
    if url.scheme() != "https" {
        return wrong("it must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("it must have no user or password; the token goes into mcs.token");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("it must end with its path");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
