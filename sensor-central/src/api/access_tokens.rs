//! `/accounts/v1/access-tokens`: the tokens that let sensors in.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    access::{OfTenant, Origin},
    paging::Numbered,
    query::Query,
    times,
};
use crate::store::{AccessToken, NewToken};

/// Most tokens in a page.
const PAGE: u64 = 100;

/// What the tokens are for.
const KIND: &str = "sophosLinuxSensor";

/// In the place of a token, which is shown once.
const MASK: &str = "SLS-****";

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    Origin(origin): Origin,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let page = Numbered::read(&query, PAGE)?;
    let found = api.read(move |reader| reader.access_tokens(tenant.id)).await?;
    let first = usize::try_from(page.first()).unwrap_or(usize::MAX);
    let on_page = found.iter().skip(first).take(usize::try_from(page.size()).unwrap_or(usize::MAX));
    let items: Vec<_> = on_page.map(|token| tell(token, MASK, &origin)).collect();
    Ok(Json(json!({ "items": items, "pages": page.tell(found.len() as u64) })))
}

pub(super) async fn one(
    State(api): State<Arc<Api>>,
    of_tenant: OfTenant,
    Origin(origin): Origin,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(tell(&find(&api, &of_tenant, &id).await?, MASK, &origin)))
}

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    of_tenant: OfTenant,
    Origin(origin): Origin,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    of_tenant.may_change()?;
    let asked = Query::of_object(&body)?;
    if !matches!(asked.one("type"), Some(KIND | "sls")) {
        return Err(ApiError::bad_request(format!("type must be {KIND}")));
    }
    let now = crate::now();
    let expires = asked.time("expiresAt", now)?.map(|time| time.saturating_mul(1_000_000));
    if expires.is_some_and(|expires| expires <= now) {
        return Err(ApiError::bad_request("expiresAt must be in the future"));
    }
    let new = NewToken { tenant: of_tenant.tenant.id, label: label(&asked)?, expires };
    let (id, secret) = api.store.create_access_token(new, of_tenant.client.id).await?;
    let token = find(&api, &of_tenant, &id.to_string()).await?;
    Ok((StatusCode::CREATED, Json(tell(&token, secret.reveal(), &origin))))
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    of_tenant: OfTenant,
    Origin(origin): Origin,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    of_tenant.may_change()?;
    let label = label(&Query::of_object(&body)?)?;
    if !api.store.label_access_token(of_tenant.tenant.id, id.to_lowercase(), label).await? {
        return Err(unknown());
    }
    Ok(Json(tell(&find(&api, &of_tenant, &id).await?, MASK, &origin)))
}

pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    of_tenant: OfTenant,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    of_tenant.may_change()?;
    if api.store.remove_access_token(of_tenant.tenant.id, id.to_lowercase()).await? {
        Ok(Json(json!({ "deleted": true })))
    } else {
        Err(unknown())
    }
}

async fn find(api: &Api, of_tenant: &OfTenant, id: &str) -> Result<AccessToken, ApiError> {
    let tenant = of_tenant.tenant.id;
    let found = api.read(move |reader| reader.access_tokens(tenant)).await?;
    found.into_iter().find(|token| token.id.eq_ignore_ascii_case(id)).ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no access token of this id")
}

fn label(asked: &Query) -> Result<String, ApiError> {
    let label = asked.one("label").unwrap_or_default();
    if (1..=50).contains(&label.chars().count()) {
        Ok(label.to_owned())
    } else {
        Err(ApiError::bad_request("label must have 1 to 50 characters"))
    }
}

fn tell(token: &AccessToken, shown: &str, origin: &str) -> Value {
    let mut told = json!({
        "id": token.id,
        "token": shown,
        "type": KIND,
        "label": token.label,
        "createdAt": times::write(token.created),
        "url": origin,
    });
    if let Some(expires) = token.expires {
        told["expiresAt"] = times::write(expires).into();
    }
    if !token.created_by.is_empty() {
        told["createdBy"] = json!({ "id": token.created_by, "type": "service" });
    }
    told
}
