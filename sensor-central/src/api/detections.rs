//! `/detections/v1/queries`: alerts, closed ones too, as detections or in groups of a rule and a host. A search is started,
//! looked at and read page by page; what is started here has finished at once.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Api, ApiError,
    access::OfTenant,
    paging::Numbered,
    query::Query,
    siem::item::{command_line, description},
    times,
};
use crate::{
    attack, ids,
    store::{Column, DetectionFilter, Order, Run, StoredAlert, rule_of},
    told::Told,
};

/// Most detections in a page.
const PAGE: u64 = 2000;
/// What is searched if nobody says, milliseconds.
const DAY: i64 = 24 * 3_600_000;
/// The worst severity.
const WORST: u8 = 10;

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Detections,
    Groups,
}

impl Kind {
    /// The last part of its path.
    const fn name(self) -> &'static str {
        match self {
            Self::Detections => "detections",
            Self::Groups => "detection-groups",
        }
    }

    fn named(path: &str) -> Result<Self, ApiError> {
        let known = [Self::Detections, Self::Groups].into_iter().find(|kind| kind.name() == path);
        known.ok_or_else(|| ApiError::not_found("there are queries for detections and for detection-groups"))
    }
}

/// What a client sorts by.
#[derive(Debug, Deserialize)]
struct Sort {
    field: String,
    #[serde(default)]
    direction: String,
}

pub(super) async fn start(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    Path(kind): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let kind = Kind::named(&kind)?;
    let id = tenant.id;
    let newest = api.read(move |reader| reader.newest_arrival(id)).await?;
    let now = crate::now();
    let filter = filter(&body, now, newest)?;
    let query = serde_json::to_string(&filter).map_err(|_| ApiError::internal())?;
    let run = api.store.start_run(id, kind.name(), query, now).await?;
    let count = api.read(move |reader| reader.count_detections(id, &filter, kind == Kind::Groups)).await?;
    Ok((StatusCode::CREATED, Json(tell_run(&run, count))))
}

pub(super) async fn one(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    Path((kind, run)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let kind = Kind::named(&kind)?;
    let (run, filter) = find(&api, tenant.id, kind, &run).await?;
    let count = api.read(move |reader| reader.count_detections(tenant.id, &filter, kind == Kind::Groups)).await?;
    Ok(Json(tell_run(&run, count)))
}

pub(super) async fn results(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    Path((kind, run)): Path<(String, String)>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let kind = Kind::named(&kind)?;
    let (_, filter) = find(&api, tenant.id, kind, &run).await?;
    let page = Numbered::read(&query, PAGE)?;
    let (items, count) = api
        .read(move |reader| {
            let sensors = reader.sensors(Some(tenant.id))?;
            let versions: HashMap<&str, &str> =
                sensors.iter().map(|sensor| (sensor.sensor.as_str(), sensor.version.as_str())).collect();
            let items: Vec<Value> = match kind {
                Kind::Detections => {
                    let found = reader.detections_of(tenant.id, &filter, page.first(), page.size())?;
                    found.iter().map(|alert| tell(alert, &versions)).collect()
                }
                Kind::Groups => {
                    let found = reader.detection_groups(tenant.id, &filter, page.first(), page.size())?;
                    found.iter().map(|group| tell_group(&group.newest, group.count, &versions)).collect()
                }
            };
            Ok((items, reader.count_detections(tenant.id, &filter, kind == Kind::Groups)?))
        })
        .await?;
    Ok(Json(json!({ "items": items, "pages": page.tell(count) })))
}

/// A search, and what it is for.
async fn find(api: &Api, tenant: Uuid, kind: Kind, id: &str) -> Result<(Run, DetectionFilter), ApiError> {
    let unknown = || ApiError::not_found("there is no query run of this id; one is kept for two hours");
    let id = Uuid::parse_str(id).map_err(|_| unknown())?;
    let run = api.read(move |reader| reader.run(tenant, kind.name(), id, crate::now())).await?.ok_or_else(unknown)?;
    let filter = serde_json::from_str(&run.query).map_err(|_| ApiError::internal())?;
    Ok((run, filter))
}

/// What an object asks for, of all that had come in by then.
fn filter(body: &[u8], now: i64, newest: i64) -> Result<DetectionFilter, ApiError> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    let asked = Query::of_object(body)?;
    let from = asked.from(now)?.unwrap_or(now / 1_000_000 - DAY);
    let to = asked.time("to", now)?;
    if to.is_some_and(|to| to < from) {
        return Err(ApiError::bad_request("from is later than to"));
    }
    let severity = |word: &String| word.parse::<u8>().ok().filter(|number| *number <= WORST);
    let severities: Option<Vec<u8>> = asked.list("severity").iter().map(severity).collect();
    // Of an object that was read a moment ago.
    let members: Value = serde_json::from_slice(body).unwrap_or_default();
    Ok(DetectionFilter {
        from,
        to: to.unwrap_or(i64::MAX).min(newest + 1),
        severities: severities
            .ok_or_else(|| ApiError::bad_request(format!("severity must be numbers from 0 to {WORST}")))?,
        rules: asked.list("detectionRule"),
        order: order(&members["sort"])?,
    })
}

fn order(sort: &Value) -> Result<Vec<Order>, ApiError> {
    const FIELDS: [(&str, Column); 6] = [
        ("time", Column::Arrived),
        ("severity", Column::Severity),
        ("detectionRule", Column::Rule),
        ("sensorGeneratedAt", Column::Happened),
        ("device", Column::Host),
        ("count", Column::Count),
    ];
    let form = || {
        let names = FIELDS.map(|(name, _)| name).join(", ");
        ApiError::bad_request(format!("sort must be a list of {{field, direction}}: of {names}, each asc or desc"))
    };
    let sorts: Option<Vec<Sort>> = serde_json::from_value(sort.clone()).map_err(|_| form())?;
    let read = |Sort { field, direction }: Sort| {
        let (_, by) = FIELDS.into_iter().find(|(name, _)| *name == field).ok_or_else(form)?;
        match direction.to_ascii_lowercase().as_str() {
            "" | "asc" => Ok(Order { by, descending: false }),
            "desc" => Ok(Order { by, descending: true }),
            _ => Err(form()),
        }
    };
    sorts.unwrap_or_default().into_iter().map(read).collect()
}

fn tell_run(run: &Run, count: u64) -> Value {
    json!({
        "id": run.id,
        "createdAt": times::write(run.created),
        "expiresAt": times::write(run.expires),
        "finishedAt": times::write(run.created),
        "resultCount": count,
        "status": "finished",
        "result": "succeeded",
    })
}

/// An alert in the published members.
fn tell(alert: &StoredAlert, versions: &HashMap<&str, &str>) -> Value {
    let told = Told::read(&alert.json);
    let process = &told["process_info"];
    let mut item = common(alert, &told, versions);
    item["id"] = json!(alert.public_id);
    item["attackType"] = json!(told["policy_type"]);
    item["detectionAttack"] = first_tactic(&told).into();
    item["ruleDescription"] = description(&told, &alert.policy).into();
    item["sensorGeneratedAt"] = times::write(alert.time).into();
    item["suppressed"] = "false".into();
    item["rawData"] = json!({
        "meta_hostname": alert.host,
        "process_path": process["name"],
        "process_cmd_line": command_line(process),
        "sophos_pid": process["sophos_pid"],
        "username": process["user"],
        "alert": told,
    });
    item
}

fn tell_group(newest: &StoredAlert, count: u64, versions: &HashMap<&str, &str>) -> Value {
    let told = Told::read(&newest.json);
    let mut item = common(newest, &told, versions);
    item["count"] = count.into();
    item
}

/// What a detection and a group have alike.
fn common(alert: &StoredAlert, told: &Told<'_>, versions: &HashMap<&str, &str>) -> Value {
    let endpoint = ids::of_endpoint(&alert.sensor);
    json!({
        "detectionRule": rule_of(&alert.policy),
        "severity": alert.severity,
        "type": "Threat",
        "time": times::write_milliseconds(alert.place.raised),
        "sensor": {
            "id": endpoint,
            "type": "endpoint",
            "source": "Sophos",
            "version": versions.get(alert.sensor.as_str()).copied().unwrap_or_default(),
        },
        "device": { "id": endpoint, "type": "server", "entity": alert.host },
        "mitreAttacks": attack::by_tactic(&categories(told)),
    })
}

fn categories<'a>(told: &'a Told<'_>) -> Vec<&'a str> {
    told["categories"].list().unwrap_or_default().iter().filter_map(Told::as_str).collect()
}

/// Empty if the alert names none.
fn first_tactic<'a>(told: &'a Told<'_>) -> &'a str {
    categories(told).into_iter().find_map(attack::technique).map_or("", |technique| technique.tactic)
}
