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
mod detections;
mod endpoints;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod oauth;
mod paging;
mod query;
mod rate;
mod siem;
mod tenants;
pub(crate) mod times;
mod whoami;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{MethodRouter, get, post},
};

use crate::{
    config::Rates,
    store::{Reader, Store, StoreError},
};

pub use error::ApiError;
use rate::Counted;

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
    let end_points: [(&str, MethodRouter<Arc<Api>>); 21] = [
        ("/api/v2/oauth2/token", post(oauth::token)),
        ("/whoami/v1", get(whoami::get)),
        ("/partner/v1/tenants", get(tenants::list)),
        ("/partner/v1/tenants/{id}", get(tenants::one)),
        ("/organization/v1/tenants", get(tenants::list)),
        ("/organization/v1/tenants/{id}", get(tenants::one)),
        ("/common/v1/alerts", get(alerts::list)),
        ("/common/v1/alerts/search", post(alerts::search)),
        ("/common/v1/alerts/{id}", get(alerts::one)),
        ("/common/v1/alerts/{id}/actions", post(alerts::act)),
        ("/detections/v1/queries/{kind}", post(detections::start)),
        ("/detections/v1/queries/{kind}/{run}", get(detections::one)),
        ("/detections/v1/queries/{kind}/{run}/results", get(detections::results)),
        ("/endpoint/v1/endpoints", get(endpoints::list)),
        ("/endpoint/v1/endpoints/{id}", get(endpoints::one)),
        ("/accounts/v1/access-tokens", get(access_tokens::list).post(access_tokens::create)),
        (
            "/accounts/v1/access-tokens/{id}",
            get(access_tokens::one).patch(access_tokens::change).delete(access_tokens::remove),
        ),
        ("/siem/v1/alerts", get(siem::alerts)),
        ("/siem/v1/events", get(siem::events)),
        // Where clients with an API token of the old kind look.
        ("/gateway/siem/v1/alerts", get(siem::alerts)),
        ("/gateway/siem/v1/events", get(siem::events)),
    ];
    let mut router = Router::new();
    for (path, methods) in end_points {
        // Some clients put a slash at the end.
        router = router.route(&format!("{path}/"), methods.clone()).route(path, methods);
    }
    router
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(api)
}
