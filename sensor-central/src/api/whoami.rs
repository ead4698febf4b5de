//! `GET /whoami/v1`

use axum::Json;
use serde_json::{Value, json};

use super::access::{Caller, Origin};
use crate::store::IdType;

/// No client may meet a member here that is not published.
pub(super) async fn get(Caller(client): Caller, Origin(origin): Origin) -> Json<Value> {
    let mut hosts = json!({ "global": origin });
    if client.id_type == IdType::Tenant {
        hosts["dataRegion"] = origin.into();
    }
    Json(json!({ "id": client.owner, "idType": client.id_type.name(), "apiHosts": hosts }))
}
