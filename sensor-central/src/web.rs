//! The web pages, for people: made here, whole, for every request. A browser needs no script to read them.
//!
//! ```text
//! request ▶ guard: forged ones are refused ▶ session: who asks ▶ page: reads the store ▶ layout ▶ reply
//! ```

mod act;
mod assets;
mod attempts;
mod audit;
mod detection;
mod detections;
mod failure;
mod fields;
mod filter;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod guard;
mod layout;
mod lineage;
mod live;
mod login;
mod plot;
mod sensors;
mod session;
mod tokens;
mod views;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    response::Redirect,
    routing::{get, post},
};
use tokio::sync::{Semaphore, watch};

use crate::{
    metrics::Metrics,
    store::{Lasting, Reader, Store, StoreError},
};

use attempts::Attempts;
use failure::Failure;

/// Largest form, bytes.
const BODY: usize = 64 << 10;

/// Passwords that are looked at at the same time: each takes 19 MiB and a processor.
const HASHING: usize = 2;

/// Open pages that are told of arrivals.
const WAITING: usize = 500;

/// What every page needs.
#[derive(Debug)]
pub struct Web {
    store: Store,
    lasting: Lasting,
    metrics: Arc<Metrics>,
    attempts: Attempts,
    hashing: Semaphore,
    /// Places for pages that are told of arrivals.
    waiting: Arc<Semaphore>,
    /// The port that sensors deliver to.
    sensors_port: u16,
    /// Turns true when the service is to stop.
    stopping: watch::Receiver<bool>,
}

impl Web {
    /// `sensors_port` is that of the address that sensors deliver to. `stopping` turns true when the service is to stop:
    /// what waits for arrivals ends then.
    #[must_use]
    pub fn new(
        store: Store,
        lasting: Lasting,
        metrics: Arc<Metrics>,
        sensors_port: u16,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let (hashing, waiting) = (Semaphore::new(HASHING), Arc::new(Semaphore::new(WAITING)));
        Self { store, lasting, metrics, attempts: Attempts::default(), hashing, waiting, sensors_port, stopping }
    }

    /// Reads the store off the threads that serve connections.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let reader = Arc::clone(self.store.reader());
        Ok(tokio::task::spawn_blocking(move || read(&reader)).await.map_err(|_| StoreError::Closed)??)
    }
}

/// The pages.
pub fn routes(web: Arc<Web>) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/detections") }))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/detections", get(detections::page))
        .route("/detections/live", get(live::stream))
        .route("/detections/{id}", get(detection::page))
        .route("/detections/{id}/{act}", post(act::act))
        .route("/views", post(views::keep))
        .route("/views/{id}/remove", post(views::forget))
        .route("/sensors", get(sensors::page))
        .route("/tokens", get(tokens::page).post(tokens::make))
        .route("/tokens/{id}/revoke", post(tokens::revoke))
        .route("/audit", get(audit::page))
        .route("/assets/{name}", get(assets::asset))
        .fallback(failure::no_such_page)
        .method_not_allowed_fallback(failure::no_such_method)
        .layer(middleware::from_fn(guard::forged))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::map_response(guard::headers))
        .with_state(web)
}
