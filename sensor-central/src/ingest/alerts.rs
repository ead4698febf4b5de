//! `POST /sensor/v1/alerts`

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use prost::Message as _;
use sensor_proto::v1::{Alert, Rejected};
use uuid::Uuid;

use super::{Checked, Failure, Ingest, items, take};
use crate::{ids, store};

pub(super) async fn post(State(ingest): State<Arc<Ingest>>, request: Request) -> Result<Response, Failure> {
    take(&ingest, request, check).await
}

pub(super) fn check(items: Vec<Bytes>) -> Result<Checked, Failure> {
    let (mut alerts, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in (0..).zip(items) {
        match Alert::decode(item) {
            Ok(alert) => match judge(&alert) {
                Ok(alert) => alerts.push(alert),
                Err(reason) => rejected.push(Rejected { index, uuid: alert.uuid, reason }),
            },
            Err(fault) => {
                rejected.push(Rejected { index, uuid: String::new(), reason: format!("not an alert: {fault}") })
            }
        }
    }
    Ok(Checked { items: store::Items::Alerts(alerts), rejected })
}

/// What must be there is what the alert is told apart and found by. Words that are not known are taken: they may be
/// of a newer sensor.
pub(crate) fn judge(alert: &Alert) -> Result<store::Alert, String> {
    let uuid = Uuid::parse_str(&alert.uuid).map_err(|fault| format!("uuid: {fault}"))?;
    let time = items::time(alert.unix_nano_timestamp, alert.timestamp)
        .ok_or("neither unix_nano_timestamp nor timestamp tells a time that can be kept")?;
    if alert.strategy_name.is_empty() {
        return Err("strategy_name is empty".into());
    }
    let process = alert.process_info.as_ref();
    let user = process.map(|process| process.user.clone()).filter(|user| !user.is_empty());
    let uid = || process.and_then(|process| process.uid).map(|uid| uid.to_string());
    Ok(store::Alert {
        uuid,
        public_id: ids::of_alert(uuid),
        time,
        priority: alert.priority.clone(),
        policy: alert.strategy_name.clone(),
        host: alert.location.as_ref().map_or_else(String::new, |location| location.node_name.clone()),
        user: user.or_else(uid).unwrap_or_default(),
        container: alert.location.as_ref().map_or_else(String::new, |location| location.container_id.clone()),
        incident: alert.incident_id.clone(),
        is_tampering: store::is_tampering(&alert.policy_type, &alert.categories),
        json: serde_json::to_string(alert).map_err(|fault| format!("cannot be written as JSON: {fault}"))?,
    })
}
