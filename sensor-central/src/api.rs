//! The public API, as clients of Sophos Central use it: log-in, who am I, tenants, alerts and events.
//!
//! ```text
//! request ▶ query, times, paging: what is asked ─▶ access: who asks, for which tenant ─▶ store ─▶ items ▶ reply
//!                                                                      any refusal ─▶ error
//! ```
//!
//! Clients differ from what is published and from each other; what each needs is in docs/central-api.md.

mod access;
mod error;
mod oauth;
mod paging;
mod query;
mod siem;
mod tenants;
mod times;
mod whoami;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{MethodRouter, get, post},
};

use crate::store::{Reader, Store, StoreError};

pub use error::ApiError;

/// Largest body that a client may send, bytes.
const BODY: usize = 256 << 10;

/// What every request needs.
#[derive(Debug)]
pub struct Api {
    store: Store,
}

impl Api {
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
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
    let end_points: [(&str, MethodRouter<Arc<Api>>); 10] = [
        ("/api/v2/oauth2/token", post(oauth::token)),
        ("/whoami/v1", get(whoami::get)),
        ("/partner/v1/tenants", get(tenants::list)),
        ("/partner/v1/tenants/{id}", get(tenants::one)),
        ("/organization/v1/tenants", get(tenants::list)),
        ("/organization/v1/tenants/{id}", get(tenants::one)),
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
