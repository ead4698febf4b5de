//! Why a request was not taken in, and what its sender is told to do about it.

use std::time::Duration;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::store::StoreError;

/// What a sensor is told to wait when this side is busy.
const BUSY: Duration = Duration::from_secs(1);

/// What a sensor is told to wait when this side is broken.
const BROKEN: Duration = Duration::from_secs(30);

/// Each text goes to the sender, and from there to its operator.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no access token: send it as \"Authorization: Bearer SLS-...\"")]
    NoToken,
    #[error(
        "the access token is not known here, or has expired: make a new one and put it into the sensor's mcs.token"
    )]
    BadToken,
    #[error(
        "the access token is of another tenant than X-Tenant-ID says: check the sensor's customer_id and mcs.token"
    )]
    OtherTenant,
    #[error(
        "the header {name} is missing or not fit: it must be there once, 1 to 128 visible ASCII characters, {meaning}"
    )]
    Header { name: &'static str, meaning: &'static str },
    #[error("the body is of another type: send application/x-protobuf")]
    MediaType,
    #[error("the body's Content-Encoding is not known: send it plain, or with one of zstd and gzip")]
    Encoding,
    #[error("the body is larger than {limit} bytes {stage}: split the batch")]
    TooLarge { limit: usize, stage: &'static str },
    #[error("the batch has more than {limit} items: split it")]
    TooMany { limit: usize },
    #[error("the body did not arrive in time: send it again")]
    Slow,
    #[error("the body broke off: send it again")]
    BrokenOff,
    #[error("the body is not {format}: {fault}")]
    Malformed { format: &'static str, fault: String },
    #[error("another batch came in with the same Idempotency-Key: give each batch a key of its own")]
    KeyReused,
    #[error("too much is coming in right now: send it again later")]
    Overloaded,
    #[error("it cannot be stored right now: send it again later; the log of Central says why")]
    Unavailable,
    #[error("an error inside Central: send it again later")]
    Internal,
}

impl Failure {
    const fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::BadToken => StatusCode::UNAUTHORIZED,
            Self::OtherTenant => StatusCode::FORBIDDEN,
            Self::Header { .. } | Self::BrokenOff | Self::Malformed { .. } => StatusCode::BAD_REQUEST,
            Self::MediaType | Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } | Self::TooMany { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Overloaded | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let wait = |time: Duration| Some((header::RETRY_AFTER, HeaderValue::from(time.as_secs())));
        match self {
            Self::NoToken | Self::BadToken => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Self::Encoding => Some((header::ACCEPT_ENCODING, HeaderValue::from_static("zstd, gzip"))),
            Self::Overloaded => wait(BUSY),
            Self::Unavailable | Self::Internal => wait(BROKEN),
            _ => None,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("{self}\n")).into_response();
        response.headers_mut().extend(self.header());
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Overloaded,
            error => {
                tracing::error!(%error, "a request could not be served");
                Self::Unavailable
            }
        }
    }
}
