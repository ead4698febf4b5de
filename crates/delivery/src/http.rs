//! One request to an HTTP receiver, bounded in every way, and what replies mean that are the same everywhere.

use std::{
    error::Error as _,
    io,
    time::{Duration, Instant},
};

use reqwest::{
    Method, Url,
    header::{CONTENT_LENGTH, HeaderMap, HeaderValue},
    redirect,
};
use settings::secrets::url_credentials;

use crate::{
    backoff::{Pace, retry_after},
    blocking::Blocking,
    narrowing::Refusal,
    remote::Setback,
    tls::{self, TlsSettings},
    words,
};

/// *Content Too Large* (RFC 9110).
const TOO_LARGE: u16 = 413;
/// Parts of a URL that are shorter are no secrets, bytes.
const SHORTEST_SECRET: usize = 8;
/// A reply is not read beyond this.
const MAX_REPLY: usize = 64 << 10;
/// Characters of a receiver's words that are passed on.
const MAX_WORDS: usize = 200;
/// A client is made anew after this time, and with it its connections: certificates may have changed.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// How requests are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Who sends, as `User-Agent` says it: such as `sensor/1.0`. A header of the output's own goes before it.
    pub agent: &'static str,
    /// Alerts in one request at most.
    pub batch_size: usize,
    /// How long the first alert waits for others at most.
    pub batch_delay: Duration,
    /// A request with its reply, all in all.
    pub timeout: Duration,
    pub retry_min: Duration,
    pub retry_max: Duration,
    pub tls: TlsSettings,
}

impl HttpSettings {
    pub fn pace(&self) -> Pace {
        Pace { first: self.retry_min, most: self.retry_max, ..Pace::default() }
    }

    /// How long messages wait for others.
    pub fn linger(&self) -> Duration {
        if self.batch_size > 1 { self.batch_delay } else { Duration::ZERO }
    }
}

/// What came back.
pub struct Reply {
    pub status: u16,
    /// What the receiver wishes with `Retry-After`.
    pub wish: Option<Duration>,
    pub body: Vec<u8>,
}

/// Sends requests; keeps the connection between them.
pub struct Client {
    settings: HttpSettings,
    headers: HeaderMap,
    /// Texts that no message may hold, such as a token.
    secrets: Vec<String>,
    blocking: Blocking,
    current: Option<(reqwest::Client, Instant)>,
}

impl Client {
    /// One that sends these headers along.
    ///
    /// # Errors
    ///
    /// If there can be no more descriptors.
    pub fn new(settings: HttpSettings, headers: HeaderMap, secrets: Vec<String>) -> io::Result<Self> {
        Ok(Self { settings, headers, secrets, blocking: Blocking::new()?, current: None })
    }

    /// Makes one request.
    pub fn send(
        &mut self,
        method: &Method,
        url: &Url,
        mut headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Reply, Setback> {
        let place = place(url);
        // It is not said of an empty body otherwise, and receivers may ask for it (411, Length Required).
        if body.is_empty() && *method == Method::POST {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let http = match self.http(url) {
            Ok(http) => http,
            Err(error) => {
                return Err(Setback { reason: format!("cannot send to {place}: {error}"), wait: None, lasting: true });
            }
        };
        let exchange = async {
            let mut response = http.request(method.clone(), url.clone()).headers(headers).body(body).send().await?;
            let status = response.status().as_u16();
            let wish = retry_after(response.headers());
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                body.extend_from_slice(&chunk[..chunk.len().min(MAX_REPLY - body.len())]);
                if body.len() == MAX_REPLY {
                    break;
                }
            }
            Ok::<_, reqwest::Error>(Reply { status, wish, body })
        };
        self.blocking.wait(exchange).map_err(|error| {
            // The next try is with a new connection, and with the certificates as they are then.
            self.current = None;
            Setback {
                reason: format!("{place} {}", explain(error, |text| self.words(text))),
                wait: None,
                lasting: false,
            }
        })
    }

    /// What a reply that is no success means for the messages that were sent: they are refused, or something else is in the
    /// way.
    ///
    /// # Errors
    ///
    /// What is.
    pub fn refusal(&self, url: &Url, reply: &Reply) -> Result<Refusal, Setback> {
        let reason = format!("{} replied {}: {}", place(url), reply.status, self.words(&reply.body));
        let wait = reply.wish;
        let lasting = |hint: &str| Err(Setback { reason: format!("{reason}; {hint}"), wait, lasting: true });
        match reply.status {
            400 | TOO_LARGE | 422 => Ok(Refusal { at: None, is_for_size: reply.status == TOO_LARGE, reason, wait }),
            401 | 403 => lasting("check the token or the headers"),
            408 | 425 | 429 | 500..=599 => Err(Setback { reason, wait, lasting: false }),
            _ => lasting("check the url"),
        }
    }

    /// A receiver's words, fit for a log: without secrets, which it might echo.
    pub fn words(&self, body: &[u8]) -> String {
        let secrets = || self.secrets.iter().map(String::as_str);
        let read = if body.len() < MAX_REPLY { body } else { words::whole(body, secrets()) };
        words::fit(read, secrets(), MAX_WORDS)
    }

    pub fn pause(&self, time: Duration) {
        self.blocking.wait(async { tokio::time::sleep(time).await });
    }

    fn http(&mut self, url: &Url) -> io::Result<reqwest::Client> {
        if let Some((http, made)) = &self.current
            && made.elapsed() < MAX_AGE
        {
            return Ok(http.clone());
        }
        let mut tls = tls::config(&self.settings.tls, url.scheme() == "https")?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(self.settings.agent)
            .default_headers(self.headers.clone())
            .timeout(self.settings.timeout)
            .pool_max_idle_per_host(1)
            .tcp_keepalive(Duration::from_secs(30))
            .build()
            .map_err(io::Error::other)?;
        self.current = Some((http.clone(), Instant::now()));
        Ok(http)
    }
}

/// Why there is no reply, for people. `words` makes what others have said fit for a log.
#[must_use]
pub fn explain(error: reqwest::Error, words: impl FnOnce(&[u8]) -> String) -> String {
    let error = error.without_url();
    let what = match () {
        () if error.is_timeout() => "did not reply in time",
        () if error.is_connect() => "cannot be reached",
        () => "broke off",
    };
    // What happened is told by the innermost error; those around it say where it was noticed.
    let mut reason = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        reason = source.to_string();
        next = source.source();
    }
    format!("{what}: {}", words(reason.as_bytes()))
}

/// What of a URL may be secret: some receivers have their token in the path or the query, others want a user and a
/// password. Short words of a path are none, and a reply without them would say little.
pub fn secrets_of_url(url: &Url) -> impl Iterator<Item = String> {
    let parts = url.path_segments().into_iter().flatten().map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    parts.chain(values).filter(|part| part.len() >= SHORTEST_SECRET).chain(url_credentials(url))
}

/// A URL without what may be secret: path and query can hold tokens.
pub fn place(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests;
