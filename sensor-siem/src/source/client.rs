//! One request, tried until it is answered or refused.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use delivery::{backoff::retry_after, http};
use reqwest::{RequestBuilder, Response, Url, header::DATE};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    body::{Body, Unreadable},
    pace::Pace,
    words,
};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It passes by itself, but did not in time.
    #[error("{0}")]
    Unavailable(String),
    /// People have to do something about it.
    #[error("{0}")]
    Refused(String),
    /// The request cannot be answered: where a cursor was sent, Central does not know it any more.
    #[error("{0}")]
    Bad(String),
    /// There is an answer, and it is larger than one may be.
    #[error("{0}")]
    TooLarge(String),
}

/// What came of a request.
pub(super) enum Answer<T> {
    Read(T, Facts),
    /// 401, and what was said.
    Unauthorized(String),
}

/// What is known of a reply beside its body.
#[derive(Debug)]
pub(super) struct Facts {
    /// Its date by the server's clock, Unix seconds.
    pub(super) date: Option<i64>,
    /// One of the replies that are held in memory at the same time: the next may come once this is dropped.
    pub(super) place: OwnedSemaphorePermit,
}

/// What one try came to, if not to an answer.
struct Setback {
    reason: String,
    wish: Option<std::time::Duration>,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) pace: Pace,
    /// The way that is said, for people: none, or a proxy.
    pub(super) way: String,
    /// What no message may hold.
    pub(super) secrets: Vec<String>,
    /// The token in use, which no message may hold either.
    pub(super) token: Mutex<Option<String>>,
    pub(super) replies: Arc<Semaphore>,
}

impl Client {
    /// Makes the request until there is an answer that can be read. What reads it may keep the body, and leaves it if it cannot.
    pub(super) async fn ask<T>(
        &self,
        url: &Url,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
        read: impl Fn(&mut Vec<u8>) -> Result<T, String>,
    ) -> Result<Answer<T>, Fault> {
        let mut backoff = self.pace.backoff();
        let mut faults = 0;
        loop {
            let setback = match self.once(url, request(&self.http), &read).await? {
                Ok(answer) => return Ok(answer),
                Err(setback) => setback,
            };
            faults += 1;
            let reason = format!("{}{} {}", place(url), self.way, setback.reason);
            if let Some(wish) = setback.wish.filter(|wish| *wish > self.pace.longest_wish) {
                return Err(Fault::Unavailable(format!("{reason}; it asks to come back in {} s", wish.as_secs())));
            }
            if faults >= self.pace.tries {
                let tries = if faults == 1 { "one try".to_owned() } else { format!("{faults} tries") };
                return Err(Fault::Unavailable(format!("{reason}; given up after {tries} of {}", url.path())));
            }
            let wait = backoff.wait_after_fault(setback.wish);
            backoff.count();
            tracing::info!("{reason}; the next try is in {:.1} s", wait.as_secs_f64());
            tokio::time::sleep(wait).await;
        }
    }

    async fn once<T>(
        &self,
        url: &Url,
        request: RequestBuilder,
        read: impl Fn(&mut Vec<u8>) -> Result<T, String>,
    ) -> Result<Result<Answer<T>, Setback>, Fault> {
        tracing::debug!(
            "asks {}{}{}",
            place(url),
            url.path(),
            url.query().map(|query| format!("?{query}")).unwrap_or_default()
        );
        let again = |reason: String, wish| Ok(Err(Setback { reason, wish }));
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return again(http::explain(error, |text| self.words(text)), None),
        };
        let date = response.headers().get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
        let date = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
        let date = date.and_then(|date| i64::try_from(date.as_secs()).ok());
        // Whoever has not replied yet holds no place, so that others need not wait for it.
        let Ok(place_of_it) = Arc::clone(&self.replies).acquire_owned().await else {
            return again("is not asked any more".to_owned(), None);
        };
        let (status, wish) = (response.status().as_u16(), retry_after(response.headers()));
        let body = match Body::of(response.headers()) {
            Ok(body) => whole(response, body, |text| self.words(text)).await,
            Err(reason) => Err(reason),
        };
        let mut body = match body {
            Ok(body) => body,
            Err(Unreadable::TooLarge) => {
                return Err(Fault::TooLarge(format!("{} {}", place(url), Unreadable::TooLarge)));
            }
            Err(Unreadable::Damaged(reason)) => return again(reason, None),
        };
        let read = matches!(status, 200..=299).then(|| read(&mut body));
        let said = || format!("replied {status}: {}", self.words(&body));
        let refused = |hint: &str| Err(Fault::Refused(format!("{} {}; {hint}", place(url), said())));
        match (status, read) {
            (_, Some(Ok(answer))) => Ok(Ok(Answer::Read(answer, Facts { date, place: place_of_it }))),
            (_, Some(Err(reason))) => again(format!("{}: {}", said(), self.words(reason.as_bytes())), None),
            (400, _) => Err(Fault::Bad(format!("{} {}", place(url), said()))),
            (401, _) => Ok(Ok(Answer::Unauthorized(said()))),
            (403, _) => refused("the credentials are for another tenant, or their role may not read this"),
            (404, _) => refused("check `api_host`, and `tenant_id` if it is set"),
            (408 | 425 | 429 | 500..=599, _) => again(said(), wish),
            _ => refused("check `auth_url` and `api_host`"),
        }
    }

    pub(super) fn words(&self, said: &[u8]) -> String {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        words::fit(said, self.secrets.iter().chain(token.as_ref()).map(String::as_str))
    }
}

/// The reply to its end, or why it cannot be read.
async fn whole(mut response: Response, mut body: Body, fit: impl Fn(&[u8]) -> String) -> Result<Vec<u8>, Unreadable> {
    let broken = |error| Unreadable::Damaged(http::explain(error, &fit));
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        body.take(&chunk)?;
    }
    body.end()
}

/// A host, for people.
pub(super) fn place(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}
