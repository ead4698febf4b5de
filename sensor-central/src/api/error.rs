//! Why a request was refused, as the API tells it.

use axum::{
    Json,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use uuid::Uuid;

use super::times;
use crate::store::StoreError;

/// What a client is told to wait, seconds, when this side is busy, and when it is broken.
const BUSY: u32 = 1;
const BROKEN: u32 = 30;

/// A refusal.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    /// The word for programs.
    error: &'static str,
    /// The sentence for people: what is wrong and what to do.
    message: String,
    /// Whole seconds to wait.
    retry_after: Option<u32>,
}

impl ApiError {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, error, message: message.into(), retry_after: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "badRequest", message)
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", message)
    }

    pub(super) fn too_many_requests(seconds: u32) -> Self {
        let message = format!("this client asks more often than it may: ask again in {seconds} s");
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "tooManyRequests", message);
        Self { retry_after: Some(seconds), ..error }
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internalServerError", "an error inside Central: ask again later")
    }
}

pub(super) async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is no {} here: docs/central-api.md lists what is served", uri.path()))
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    let message = format!("{} takes no {method}", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "methodNotAllowed", message)
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let (status, word) = (StatusCode::SERVICE_UNAVAILABLE, "serviceUnavailable");
        match error {
            StoreError::Full => {
                let busy = Self::new(status, word, "too much is coming in right now: ask again later");
                Self { retry_after: Some(BUSY), ..busy }
            }
            error => {
                tracing::error!(%error, "a request of a client could not be served");
                let broken = Self::new(status, word, "it cannot be read or stored right now: ask again later");
                Self { retry_after: Some(BROKEN), ..broken }
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({
            "error": self.error,
            "message": self.message,
            "correlationId": Uuid::new_v4(),
            "requestId": Uuid::new_v4(),
            "createdAt": times::write(crate::now()),
        });
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
