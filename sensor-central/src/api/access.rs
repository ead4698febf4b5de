//! Who is asking, and for which tenant.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::{Api, ApiError};
use crate::{
    ingest::bearer,
    store::{Client, IdType, Role, Tenant, Use, hash},
};

/// The header in which a client of the old kind names itself; the secret is in `Authorization`, as `Basic`.
const API_KEY: &str = "x-api-key";

/// A client that has shown who it is.
#[derive(Debug)]
pub(super) struct Caller(pub(super) Client);

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let client = if parts.headers.contains_key(API_KEY) {
            legacy(api, &parts.headers).await?
        } else {
            by_token(api, &parts.headers).await?
        };
        // It may learn who it is, and be given tokens, which asks for no token.
        if client.role == Role::IngestOnly && parts.uri.path().trim_end_matches('/') != super::WHOAMI {
            return Err(ApiError::forbidden("this client may only deliver: it was made as ingest-only"));
        }
        api.rates.count(client.id, Instant::now()).map_err(ApiError::too_many_requests)?;
        Ok(Self(client))
    }
}

async fn by_token(api: &Api, headers: &HeaderMap) -> Result<Client, ApiError> {
    let token = bearer(headers).map(hash).ok_or_else(|| {
        ApiError::unauthorized(
            "no access token: have one from /api/v2/oauth2/token, and send it as \"Authorization: Bearer ...\"",
        )
    })?;
    let client = api.read(move |reader| reader.session(token, Use::Access, crate::now())).await?;
    client.ok_or_else(|| {
        ApiError::unauthorized(
            "the access token is not known here, or has expired: have another from /api/v2/oauth2/token",
        )
    })
}

/// The client that shows its id as a key, and id and secret as user and password.
async fn legacy(api: &Api, headers: &HeaderMap) -> Result<Client, ApiError> {
    let refused =
        || ApiError::unauthorized("x-api-key and Authorization: Basic are not those of a client that is known here");
    let id = headers.get(API_KEY).and_then(|key| Uuid::parse_str(key.to_str().ok()?).ok()).ok_or_else(refused)?;
    let secret = basic(headers).filter(|(user, _)| Uuid::parse_str(user) == Ok(id)).ok_or_else(refused)?.1;
    client_with(api, id, &secret).await?.ok_or_else(refused)
}

/// User and password of an `Authorization: Basic` header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (user.to_owned(), password.to_owned()))
}

/// The client of this id, if this is its secret and it has not expired.
pub(super) async fn client_with(api: &Api, id: Uuid, secret: &str) -> Result<Option<Client>, ApiError> {
    let client = api.read(move |reader| reader.client(id)).await?;
    let kept = client.as_ref().map_or([0; 32], |client| client.hash);
    let is_right = bool::from(kept.ct_eq(&hash(secret)));
    let now = crate::now();
    Ok(client.filter(|client| is_right && client.expires.is_none_or(|expires| now < expires)))
}

/// A client that asks for what is a tenant's.
#[derive(Debug)]
pub(super) struct OfTenant {
    pub(super) tenant: Tenant,
    pub(super) client: Client,
}

impl OfTenant {
    /// Whether it may do more than read.
    pub(super) fn may_change(&self) -> Result<(), ApiError> {
        match self.client.role {
            Role::SuperAdmin => Ok(()),
            Role::ReadOnly | Role::IngestOnly => {
                Err(ApiError::forbidden("this client may only read: it was made as read-only"))
            }
        }
    }
}

impl FromRequestParts<Arc<Api>> for OfTenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let Caller(client) = Caller::from_request_parts(parts, api).await?;
        let tenant = match named(&parts.headers, IdType::Tenant)? {
            Some(tenant) => tenant,
            None if client.id_type == IdType::Tenant => client.owner,
            None => return Err(ApiError::bad_request("X-Tenant-ID is missing: it says which tenant is meant")),
        };
        let tenant = api.read(move |reader| reader.tenant(tenant)).await?;
        let tenant = tenant.filter(|tenant| tenant.is_of(client.id_type, client.owner));
        let tenant = tenant
            .ok_or_else(|| ApiError::forbidden("the access token is not for the tenant that X-Tenant-ID names"))?;
        Ok(Self { tenant, client })
    }
}

/// The id in the header of a type of ids.
pub(super) fn named(headers: &HeaderMap, id_type: IdType) -> Result<Option<Uuid>, ApiError> {
    let name = match id_type {
        IdType::Tenant => "X-Tenant-ID",
        IdType::Partner => "X-Partner-ID",
        IdType::Organization => "X-Organization-ID",
    };
    let Some(value) = headers.get(name) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| Uuid::parse_str(text.trim()).ok());
    id.map(Some).ok_or_else(|| ApiError::bad_request(format!("{name} must be a UUID")))
}

/// Where this is served, as the client found it: what leads here once leads here again, through whatever stands before.
pub(super) struct Origin(pub(super) String);

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let of_header = || parts.headers.get(header::HOST)?.to_str().ok();
        let host = parts.uri.authority().map(|authority| authority.as_str()).or_else(of_header).unwrap_or_default();
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err(ApiError::bad_request("the Host header must name a host, and perhaps a port"));
        }
        Ok(Self(format!("https://{host}")))
    }
}
