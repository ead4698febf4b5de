//! `/common/v1/alerts`: open alerts, and what is done about them. The oldest come first unless the request says otherwise:
//! pollers go on from the last one's `raisedAt`.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Api, ApiError,
    access::OfTenant,
    paging::{Keyed, only},
    query::Query,
    siem::item::{ALERT, description},
    times,
};
use crate::{
    ids,
    severity::{DEGREES, Severity},
    store::{AlertFilter, Start, StoredAlert, Tenant},
    told::Told,
};

/// Most alerts in a page.
const PAGE: u64 = 1000;

/// What every alert is.
const PRODUCT: &str = "server";
const CATEGORY: &str = "runtimeDetections";

/// What can be done about an alert.
const ACKNOWLEDGE: &str = "acknowledge";

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    page(&api, &tenant, &query).await.map(Json)
}

/// The same, asked for with an object.
pub(super) async fn search(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    page(&api, &tenant, &Query::of_object(&body)?).await.map(Json)
}

pub(super) async fn one(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let id = Uuid::parse_str(&id).map_err(|_| unknown())?;
    let filter = AlertFilter { ids: vec![id], ..everything(&tenant) };
    let found = api.read(move |reader| reader.alerts(&filter, Start::Skip(0), 1)).await?;
    let alert = found.first().ok_or_else(unknown)?;
    Ok(Json(only(&query, tell(&tenant, alert))))
}

pub(super) async fn act(
    State(api): State<Arc<Api>>,
    of_tenant: OfTenant,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    of_tenant.may_change()?;
    let asked = Query::of_object(&body)?;
    if asked.one("action") != Some(ACKNOWLEDGE) {
        return Err(ApiError::bad_request(format!("action must be one of the alert's allowedActions: {ACKNOWLEDGE}")));
    }
    let alert = Uuid::parse_str(&id).map_err(|_| unknown())?;
    let (action, message) = (Uuid::new_v4(), asked.one("message").unwrap_or_default().to_owned());
    let (tenant, client) = (of_tenant.tenant.id, of_tenant.client.id);
    if !api.store.close_alert(tenant, alert, action, message, client).await? {
        return Err(unknown());
    }
    let now = times::write(crate::now());
    let done = json!({
        "id": action,
        "alertId": alert,
        "action": ACKNOWLEDGE,
        "status": "completed",
        "requestedAt": now,
        "startedAt": now,
        "completedAt": now,
        "result": "success",
    });
    Ok((StatusCode::CREATED, Json(done)))
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no open alert of this id")
}

async fn page(api: &Api, tenant: &Tenant, query: &Query) -> Result<Value, ApiError> {
    let page = Keyed::read(query, PAGE)?;
    let Some(filter) = filter(tenant, query)? else {
        return Ok(page.tell(Vec::new(), None, page.wants_total.then_some(0)));
    };
    let start = match (page.key, page.page) {
        (Some(key), _) => Start::Behind(key),
        (None, number) => Start::Skip((number - 1).saturating_mul(page.size)),
    };
    let (size, wants_total) = (page.size, page.wants_total);
    let (mut found, total) = api
        .read(move |reader| {
            let found = reader.alerts(&filter, start, size + 1)?;
            Ok((found, wants_total.then(|| reader.count_alerts(&filter)).transpose()?))
        })
        .await?;
    let has_more = found.len() as u64 > size;
    found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| has_more).map(|alert| alert.place.row);
    let items = found.iter().map(|alert| only(query, tell(tenant, alert))).collect();
    Ok(page.tell(items, next, total))
}

const fn everything(tenant: &Tenant) -> AlertFilter {
    AlertFilter {
        tenant: tenant.id,
        from: None,
        to: None,
        severities: Vec::new(),
        policies: Vec::new(),
        ids: Vec::new(),
        newest_first: false,
    }
}

/// What is asked for; nothing if no alert can be it.
fn filter(tenant: &Tenant, query: &Query) -> Result<Option<AlertFilter>, ApiError> {
    let now = crate::now();
    let from = query.from(now)?;
    let misses = |name: &str, what: &str| {
        let asked = query.list(name);
        !asked.is_empty() && !asked.iter().any(|word| word == what)
    };
    let words = query.list("severity");
    if let Some(word) = words.iter().find(|word| !DEGREES.iter().any(|degree| degree.common == *word)) {
        return Err(ApiError::bad_request(format!("severity is {word:?}; it must be of high, medium and low")));
    }
    let severities = DEGREES.iter().filter(|degree| words.iter().any(|word| word == degree.common));
    let ids: Option<Vec<Uuid>> = query.list("ids").iter().map(|id| Uuid::parse_str(id).ok()).collect();
    let keys = query.list("groupKey");
    let policies: Vec<String> = keys.iter().filter_map(|key| policy_of(key)).collect();
    if misses("product", PRODUCT) || misses("category", CATEGORY) || policies.len() < keys.len() {
        return Ok(None);
    }
    Ok(Some(AlertFilter {
        from,
        to: query.time("to", now)?,
        severities: severities.map(|degree| degree.number).collect(),
        policies,
        ids: ids.ok_or_else(|| ApiError::bad_request("ids must be UUIDs"))?,
        newest_first: is_newest_first(query)?,
        ..everything(tenant)
    }))
}

fn is_newest_first(query: &Query) -> Result<bool, ApiError> {
    match query.list("sort").first().map(|sort| sort.as_str()) {
        None | Some("raisedAt" | "raisedAt:asc") => Ok(false),
        Some("raisedAt:desc") => Ok(true),
        Some(_) => Err(ApiError::bad_request("sort must be raisedAt:asc or raisedAt:desc")),
    }
}

/// The same for all alerts of a policy.
fn group_key(policy: &str) -> String {
    URL_SAFE_NO_PAD.encode(policy)
}

fn policy_of(key: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(key).ok()?).ok()
}

/// An alert in the published members.
fn tell(tenant: &Tenant, alert: &StoredAlert) -> Value {
    let told = Told::read(&alert.json);
    json!({
        "id": alert.public_id,
        "allowedActions": [ACKNOWLEDGE],
        "category": CATEGORY,
        "description": description(&told, &alert.policy),
        "groupKey": group_key(&alert.policy),
        "managedAgent": { "id": ids::of_endpoint(&alert.sensor), "type": "server", "name": alert.host },
        "product": PRODUCT,
        "raisedAt": times::write_milliseconds(alert.place.raised),
        "severity": Severity::of_number(alert.severity).common,
        "tenant": { "id": tenant.id, "name": tenant.name },
        "type": ALERT,
    })
}
