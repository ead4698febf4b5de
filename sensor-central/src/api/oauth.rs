//! `POST /api/v2/oauth2/token`: a client's secret for tokens that last an hour.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Api, ApiError, access};
use crate::store::{Client, StoreError, Use, hash};

/// A refusal in the words of this end point alone.
pub(super) enum Refusal {
    Refused {
        status: StatusCode,
        code: &'static str,
        message: &'static str,
    },
    /// It could not be looked up or stored.
    Failed(ApiError),
}

const fn refuse(status: StatusCode, code: &'static str, message: &'static str) -> Refusal {
    Refusal::Refused { status, code, message }
}

const WRONG_SECRET: Refusal = refuse(
    StatusCode::UNAUTHORIZED,
    "oauth.invalid_client_secret",
    "client_id and client_secret are not those of a client that is known here, or it has expired: make one with `sensor-central create-client`",
);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Refused { status, code, message } => {
                let body = json!({ "errorCode": code, "message": message, "trackingId": Uuid::new_v4() });
                (status, Json(body)).into_response()
            }
            Self::Failed(error) => error.into_response(),
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) async fn token(State(api): State<Arc<Api>>, body: Bytes) -> Result<Response, Refusal> {
    let asked = read(&body);
    let of = |name: &str| asked.get(name).map_or("", String::as_str);
    let client = match of("grant_type") {
        "client_credentials" => by_secret(&api, of("client_id"), of("client_secret")).await?,
        "refresh_token" => by_refresh_token(&api, of("refresh_token")).await?,
        _ => {
            return Err(refuse(
                StatusCode::BAD_REQUEST,
                "oauth.unsupported_grant_type",
                "grant_type must be client_credentials, with client_id and client_secret, or refresh_token, with refresh_token",
            ));
        }
    };
    api.rates.count(client.id, Instant::now()).map_err(ApiError::too_many_requests)?;
    let [access, refresh] = api.store.open_session(client.id).await?;
    tracing::info!(client = %client.id, "a client has logged in");
    let body = json!({
        "access_token": access.reveal(),
        "refresh_token": refresh.reveal(),
        "token_type": "bearer",
        "expires_in": Use::Access.seconds(),
        "message": "OK",
        "errorCode": "success",
        "trackingId": Uuid::new_v4(),
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

async fn by_secret(api: &Api, id: &str, secret: &str) -> Result<Client, Refusal> {
    let id = Uuid::parse_str(id).map_err(|_| WRONG_SECRET)?;
    access::client_with(api, id, secret).await?.ok_or(WRONG_SECRET)
}

/// Each is good for one use.
async fn by_refresh_token(api: &Api, token: &str) -> Result<Client, Refusal> {
    const UNKNOWN: Refusal = refuse(
        StatusCode::UNAUTHORIZED,
        "oauth.invalid_refresh_token",
        "refresh_token is not known here, was used, or has expired: use client_id and client_secret",
    );
    let token = hash(token);
    let client = api.read(move |reader| reader.session(token, Use::Refresh, crate::now())).await?.ok_or(UNKNOWN)?;
    // Of two that show it at once, one was first.
    if api.store.end_session(token).await? { Ok(client) } else { Err(UNKNOWN) }
}

/// What was sent, as a form or as a JSON object.
pub(super) fn read(body: &[u8]) -> BTreeMap<String, String> {
    match serde_json::from_slice::<BTreeMap<String, Value>>(body) {
        Ok(object) => object.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect(),
        Err(_) => url::form_urlencoded::parse(body).into_owned().collect(),
    }
}
