//! What could not be shown or done, as a page that says why and what to do.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::html;

use super::layout;
use crate::store::{StoreError, UserRole};

/// Why not.
#[derive(Debug)]
pub(super) enum Failure {
    NotFound,
    NotAllowed { needed: UserRole },
    Forged,
    TooLarge,
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    fn tell(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Not found",
                "There is no such page, or what it showed has been removed: old detections go after retention.alerts_days.".into(),
            ),
            Self::NotAllowed { needed } => (
                StatusCode::FORBIDDEN,
                "Not allowed",
                format!("This takes the role {}; whoever runs this service can give it.", needed.name()),
            ),
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "Not done",
                "This was not sent from a page of this service, or the session has ended meanwhile. Nothing was changed: \
                 go back, load the page again and try once more."
                    .into(),
            ),
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "Too long", "What was sent is too long; nothing was changed.".into())
            }
            Self::Store(StoreError::Full) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too busy",
                "Too much is waiting to be stored; nothing was changed. Try again in a moment.".into(),
            ),
            Self::Store(error) => {
                tracing::error!(%error, "a web page could not be made");
                (StatusCode::INTERNAL_SERVER_ERROR, "A fault here", "The log of the service says more.".into())
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, title, text) = self.tell();
        let body = html! {
            h1 { (title) }
            p { (text) }
            p { a href="/" { "To the first page" } }
        };
        let mut response = (status, layout::bare(title, body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

pub(super) async fn no_such_page() -> Failure {
    Failure::NotFound
}

pub(super) async fn no_such_method() -> Response {
    let body = html! { h1 { "Not done" } p { "This page cannot be asked in this way." } };
    (StatusCode::METHOD_NOT_ALLOWED, layout::bare("Not done", body)).into_response()
}
