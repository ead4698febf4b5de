//! What sensors post: who may, how big it may be, what of it is fit to be stored, and what they are told.
//!
//! ```text
//! headers ▶ auth ─▶ a place among those in flight ─▶ body: read, decompress ─▶ items ─▶ store ─▶ reply
//! ```

mod alerts;
mod auth;
mod body;
mod events;
mod failure;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hello;
mod items;

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::post,
};
use prost::Message;
use sensor_proto::{MEDIA_TYPE, header as sensor_header, path, v1::Rejected};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    config::Limits,
    metrics::Metrics,
    store::{Batch, Items, Outcome, Store},
};

pub(crate) use alerts::judge as judge_alert;
pub use auth::bearer;
pub use body::linger;
pub use failure::Failure;

/// What every request needs.
#[derive(Debug)]
pub struct Ingest {
    store: Store,
    metrics: Arc<Metrics>,
    limits: Limits,
    places: Semaphore,
}

impl Ingest {
    #[must_use]
    pub fn new(store: Store, metrics: Arc<Metrics>, limits: Limits) -> Self {
        Self { store, metrics, limits, places: Semaphore::new(limits.in_flight) }
    }

    /// A place among the bodies in memory, or the word to come back.
    fn place(&self) -> Result<Place<'_>, Failure> {
        let permit = self.places.try_acquire().map_err(|_| Failure::Overloaded)?;
        self.metrics.in_flight.inc();
        Ok(Place { _permit: permit, metrics: &self.metrics })
    }
}

/// A place among the bodies in memory, until dropped.
struct Place<'a> {
    _permit: SemaphorePermit<'a>,
    metrics: &'a Metrics,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
    }
}

/// The endpoints of sensors.
pub fn routes(ingest: Arc<Ingest>) -> Router {
    Router::new()
        .route(path::ALERTS, post(alerts::post))
        .route(path::EVENTS, post(events::post))
        .route(path::HELLO, post(hello::post))
        .with_state(ingest)
}

/// What a batch's items came to.
struct Checked {
    items: Items,
    rejected: Vec<Rejected>,
}

/// Takes in a batch of any kind; `check` decodes and judges its items.
async fn take(ingest: &Ingest, request: Request, check: Check) -> Result<Response, Failure> {
    let (head, mut body) = request.into_parts();
    let taken = take_in(ingest, &head, &mut body, check).await;
    if taken.is_err() {
        linger(&head, &mut body).await;
    }
    taken
}

type Check = fn(Vec<Bytes>) -> Result<Checked, Failure>;

async fn take_in(ingest: &Ingest, head: &Parts, body: &mut Body, check: Check) -> Result<Response, Failure> {
    let origin = auth::authenticate(&ingest.store, &head.headers).await?;
    let key = key(&head.headers)?;
    let _place = ingest.place()?;
    let body = body::read(ingest, &head.headers, body).await?;
    let received = crate::now();
    let most = ingest.limits.items;
    let (digest, checked) = blocking(move || {
        let digest = Sha256::digest(&body).into();
        Ok((digest, check(items::split(body, most)?)?))
    })
    .await?;
    let Checked { items, rejected } = checked;
    if !rejected.is_empty() {
        tracing::warn!(sensor = ?origin.sensor, kind = items.kind(), count = rejected.len(), first = ?rejected[0].reason, "rejected items of a batch");
    }
    match ingest.store.batch(Batch { origin, key, digest, received, items, rejected }).await? {
        Outcome::Stored { reply, replayed } => {
            let replayed = HeaderValue::from_static(if replayed { "true" } else { "false" });
            Ok(([(HeaderName::from_static(sensor_header::REPLAYED), replayed)], reply_bytes(reply)).into_response())
        }
        Outcome::KeyReused => Err(Failure::KeyReused),
    }
}

/// The idempotency key.
fn key(headers: &HeaderMap) -> Result<String, Failure> {
    text_header(headers, sensor_header::IDEMPOTENCY_KEY, "the same for each try of this batch, and for no other batch")
}

/// A header that must be there once: 1 to 128 visible ASCII characters.
fn text_header(headers: &HeaderMap, name: &'static str, meaning: &'static str) -> Result<String, Failure> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::as_bytes), values.next()) {
        (Some(value), None) if (1..=128).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic) => {
            Ok(value.iter().map(|&byte| char::from(byte)).collect())
        }
        _ => Err(Failure::Header { name, meaning }),
    }
}

/// A reply's bytes with their type.
fn reply_bytes(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], bytes).into_response()
}

fn reply(message: &impl Message) -> Response {
    reply_bytes(message.encode_to_vec())
}

/// Runs what takes long off the threads that serve connections.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Failure::Internal))
}
