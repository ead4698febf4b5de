//! `GET /partner/v1/tenants`, `GET /organization/v1/tenants`, and one of them. The token decides whose they are, not the
//! path: a client asks under `partner` with an organization's token.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Api, ApiError,
    access::{Caller, Origin, named},
    paging::Numbered,
    query::Query,
};
use crate::store::{Client, IdType, Tenant};

/// Most tenants in a page.
const PAGE: u64 = 100;

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Caller(client): Caller,
    Origin(origin): Origin,
    headers: HeaderMap,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    may_ask(&client, &headers)?;
    let page = Numbered::read(&query, PAGE)?;
    let (id_type, owner) = (client.id_type, client.owner);
    let (found, count) = api.read(move |reader| reader.tenants(id_type, owner, page.first(), page.size())).await?;
    let items: Vec<_> = found.iter().map(|tenant| tell(tenant, &origin)).collect();
    Ok(Json(json!({ "items": items, "pages": page.tell(count) })))
}

pub(super) async fn one(
    State(api): State<Arc<Api>>,
    Caller(client): Caller,
    Origin(origin): Origin,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    may_ask(&client, &headers)?;
    let unknown = || ApiError::not_found("there is no tenant of this id that the access token is for");
    let id = Uuid::parse_str(&id).map_err(|_| unknown())?;
    let found = api.read(move |reader| reader.tenant(id)).await?;
    let tenant = found.filter(|tenant| tenant.is_of(client.id_type, client.owner)).ok_or_else(unknown)?;
    Ok(Json(tell(&tenant, &origin)))
}

/// Only whoever has tenants, and names itself rightly if it does.
fn may_ask(client: &Client, headers: &HeaderMap) -> Result<(), ApiError> {
    if client.id_type == IdType::Tenant {
        return Err(ApiError::forbidden("the access token is a tenant's, which has no tenants"));
    }
    for id_type in [IdType::Partner, IdType::Organization] {
        if named(headers, id_type)?.is_some_and(|id| id != client.owner) {
            return Err(ApiError::forbidden("the access token is not for the partner or organization that is named"));
        }
    }
    Ok(())
}

/// No client may meet a member here that is not published, or miss one.
fn tell(tenant: &Tenant, origin: &str) -> Value {
    let owner = |id: Option<Uuid>| id.map_or_else(|| json!({}), |id| json!({ "id": id }));
    json!({
        "id": tenant.id,
        "showAs": tenant.name,
        "name": tenant.name,
        "dataGeography": "EU",
        "dataRegion": "eu02",
        "billingType": "term",
        "partner": owner(tenant.partner),
        "organization": owner(tenant.organization),
        "apiHost": origin,
        "status": "active",
        "contact": {},
        "externalIds": [],
        "products": [{ "code": "server" }],
    })
}
