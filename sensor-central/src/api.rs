//! The public API, as clients of Sophos Central use it: log-in, who am I, tenants, alerts and events, endpoints, tokens.
//!
//! ```text
//! request ▶ query, times, paging: what is asked ─▶ access: who asks, for which tenant ─▶ store ─▶ items ▶ reply
//!                                                                      any refusal ─▶ error
//! ```
//!
//! Clients differ from what is published and from each other; what each needs is in docs/central-api.md.

mod access;
mod access_tokens;
mod alerts;
mod answers;
mod detections;
mod endpoints;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod oauth;
mod openapi;
mod operations;
mod paging;
mod query;
mod rate;
mod shape;
mod siem;
mod tenants;
pub(crate) mod times;
mod whoami;

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, routing::get};

use crate::{
    config::Rates,
    store::{Reader, Store, StoreError},
};

pub use error::ApiError;
use operations::{OPERATIONS, Operation};
use rate::Counted;

/// Where a client learns who it is.
const WHOAMI: &str = "/whoami/v1";

/// Largest body that a client may send, bytes.
const BODY: usize = 256 << 10;

/// What every request needs.
#[derive(Debug)]
pub struct Api {
    store: Store,
    rates: Counted,
}

impl Api {
    #[must_use]
    pub fn new(store: Store, rates: Rates) -> Self {
        Self { store, rates: Counted::new(rates) }
    }

    /// Reads the store off the threads that serve connections.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let reader = Arc::clone(self.store.reader());
        match tokio::task::spawn_blocking(move || read(&reader)).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ApiError::internal()),
        }
    }
}

/// The end points of clients.
pub fn routes(api: Arc<Api>) -> Router {
    let mut router = Router::new().route("/openapi.json", get(openapi::get));
    for Operation { path, route, .. } in &OPERATIONS {
        // Some clients put a slash at the end.
        router = router.route(&format!("{path}/"), route()).route(path, route());
    }
    router
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(api)
}
