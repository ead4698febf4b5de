//! `GET /endpoint/v1/endpoints`: every sensor that has said something, since alerts point there.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Api, ApiError,
    access::OfTenant,
    paging::{Keyed, only},
    query::Query,
    times,
};
use crate::{
    event::EventType,
    ids,
    sensors::{LATE, SILENT},
    store::{Sensor, Tenant},
};

/// Most endpoints in a page.
const PAGE: u64 = 500;

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let page = Keyed::read(&query, PAGE)?;
    let filter = Filter::read(&query)?;
    let mut found = all(&api, &tenant).await?;
    found.retain(|endpoint| filter.takes(endpoint));
    filter.sort(&mut found);
    let total = found.len() as u64;
    let skip = page.key.map_or((page.page - 1).saturating_mul(page.size), i64::unsigned_abs);
    let next = skip.saturating_add(page.size);
    let on_page = found.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX));
    let on_page = on_page.take(usize::try_from(page.size).unwrap_or(usize::MAX));
    let items = on_page.map(|endpoint| only(&query, endpoint.tell(&tenant))).collect();
    let next = (next < total).then(|| next.cast_signed());
    Ok(Json(page.tell(items, next, page.wants_total.then_some(total))))
}

pub(super) async fn one(
    State(api): State<Arc<Api>>,
    OfTenant { tenant, .. }: OfTenant,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let id = Uuid::parse_str(&id).ok();
    let found = all(&api, &tenant).await?;
    let endpoint = found.iter().find(|endpoint| Some(endpoint.id) == id);
    let endpoint = endpoint.ok_or_else(|| ApiError::not_found("there is no endpoint of this id"))?;
    Ok(Json(only(&query, endpoint.tell(&tenant))))
}

async fn all(api: &Api, tenant: &Tenant) -> Result<Vec<Endpoint>, ApiError> {
    let (tenant, now) = (tenant.id, crate::now());
    let (sensors, lost) = api
        .read(move |reader| {
            let lost = reader.sensors_with(tenant, EventType::RecordsLost, (now - SILENT) / 1_000_000)?;
            Ok((reader.sensors(Some(tenant))?, lost))
        })
        .await?;
    Ok(sensors.into_iter().map(|sensor| Endpoint::new(sensor, &lost, now)).collect())
}

/// A sensor and what follows of it.
struct Endpoint {
    id: Uuid,
    sensor: Sensor,
    metadata: BTreeMap<String, String>,
    addresses: Vec<IpAddr>,
    health: &'static str,
}

impl Endpoint {
    fn new(sensor: Sensor, lost: &BTreeSet<String>, now: i64) -> Self {
        let metadata: BTreeMap<String, String> = serde_json::from_str(&sensor.metadata).unwrap_or_default();
        let interfaces = metadata.iter().filter(|(name, _)| name.starts_with("network_interface."));
        let addresses = interfaces.flat_map(|(_, text)| text.split(',')).filter_map(|text| text.parse().ok()).collect();
        let silent_for = now.saturating_sub(sensor.last_seen);
        let health = match silent_for {
            _ if lost.contains(&sensor.sensor) => "bad",
            time if time >= SILENT => "bad",
            time if time >= LATE => "suspicious",
            // It has sent something, and never greeted.
            _ if sensor.version.is_empty() => "unknown",
            _ => "good",
        };
        Self { id: ids::of_endpoint(&sensor.sensor), sensor, metadata, addresses, health }
    }

    fn is_online(&self) -> bool {
        crate::now().saturating_sub(self.sensor.last_seen) < LATE
    }

    fn of_metadata(&self, name: &str) -> &str {
        self.metadata.get(name).map_or("", String::as_str)
    }

    /// An endpoint in the published members.
    fn tell(&self, tenant: &Tenant) -> Value {
        let mut version = self.of_metadata("os_version").split('.').map(|part| part.parse::<u32>().unwrap_or_default());
        let of_version = |four: bool| -> Vec<_> {
            self.addresses.iter().filter(|address| address.is_ipv4() == four).map(ToString::to_string).collect()
        };
        let name = format!("{} {}", self.of_metadata("os_name"), self.of_metadata("os_version"));
        json!({
            "id": self.id,
            "type": "server",
            "tenant": { "id": tenant.id },
            "hostname": self.sensor.hostname,
            "health": {
                "overall": self.health,
                "threats": { "status": "unknown" },
                "services": {
                    "status": self.health,
                    "serviceDetails": [{
                        "name": "sophoslinuxsensor",
                        "status": if self.is_online() { "running" } else { "stopped" },
                    }],
                },
            },
            "os": {
                "isServer": true,
                "platform": "linux",
                "name": name.trim(),
                "majorVersion": version.next().unwrap_or_default(),
                "minorVersion": version.next().unwrap_or_default(),
            },
            "ipv4Addresses": of_version(true),
            "ipv6Addresses": of_version(false),
            "macAddresses": [],
            "assignedProducts": [{ "code": "coreAgent", "version": self.sensor.version, "status": "installed" }],
            "tamperProtectionEnabled": false,
            "lastSeenAt": times::write(self.sensor.last_seen),
            "online": self.is_online(),
            "isolation": { "status": "notIsolated" },
            "lockdown": { "status": "notInstalled" },
        })
    }
}

/// Which endpoints are asked for, and in which order.
struct Filter {
    ids: Vec<String>,
    types: Vec<String>,
    health: Vec<String>,
    hostname: Option<String>,
    addresses: Vec<String>,
    search: Option<String>,
    before: Option<i64>,
    after: Option<i64>,
    sort: String,
}

impl Filter {
    fn read(query: &Query) -> Result<Self, ApiError> {
        let now = crate::now();
        let lower = |name| query.one(name).map(str::to_lowercase);
        let sort = query.list("sort").first().cloned().unwrap_or_else(|| "hostname".into());
        let field = sort.trim_end_matches(":asc").trim_end_matches(":desc");
        if !["hostname", "lastSeenAt", "id"].contains(&field) {
            return Err(ApiError::bad_request(
                "sort must be by hostname, lastSeenAt or id, with :asc or :desc behind it",
            ));
        }
        Ok(Self {
            ids: query.list("ids").iter().map(|id| id.to_lowercase()).collect(),
            types: query.list("type"),
            health: query.list("healthStatus"),
            hostname: lower("hostnameContains"),
            addresses: query.list("ipAddresses"),
            search: lower("search"),
            before: query.time("lastSeenBefore", now)?,
            after: query.time("lastSeenAfter", now)?,
            sort,
        })
    }

    fn takes(&self, endpoint: &Endpoint) -> bool {
        let is_among = |words: &[String], word: &str| words.is_empty() || words.iter().any(|found| found == word);
        let hostname = endpoint.sensor.hostname.to_lowercase();
        let addresses: Vec<String> = endpoint.addresses.iter().map(ToString::to_string).collect();
        let seen = endpoint.sensor.last_seen / 1_000_000;
        let is_found = |text: &String| {
            let os = endpoint.of_metadata("os_name").to_lowercase();
            hostname.contains(text) || os.contains(text) || addresses.iter().any(|address| address.contains(text))
        };
        is_among(&self.ids, &endpoint.id.to_string())
            && is_among(&self.types, "server")
            && is_among(&self.health, endpoint.health)
            && self.hostname.as_ref().is_none_or(|part| hostname.contains(part))
            && (self.addresses.is_empty() || addresses.iter().any(|address| self.addresses.contains(address)))
            && self.search.as_ref().is_none_or(is_found)
            && self.before.is_none_or(|time| seen < time)
            && self.after.is_none_or(|time| seen >= time)
    }

    fn sort(&self, found: &mut [Endpoint]) {
        let (field, order) = self.sort.split_once(':').unwrap_or((&self.sort, "asc"));
        match field {
            "lastSeenAt" => found.sort_by_key(|endpoint| endpoint.sensor.last_seen),
            "id" => found.sort_by_key(|endpoint| endpoint.id),
            _ => found.sort_by_key(|endpoint| (endpoint.sensor.hostname.clone(), endpoint.id)),
        }
        if order == "desc" {
            found.reverse();
        }
    }
}
