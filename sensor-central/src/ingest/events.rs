//! `POST /sensor/v1/events`

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Request, State},
    response::Response,
};
use prost::Message as _;
use sensor_proto::v1::{Rejected, Row};

use super::{Checked, Failure, Ingest, items, take};
use crate::{event::EventType, store};

pub(super) async fn post(State(ingest): State<Arc<Ingest>>, request: Request) -> Result<Response, Failure> {
    take(&ingest, request, check).await
}

pub(super) fn check(items: Vec<Bytes>) -> Result<Checked, Failure> {
    let (mut rows, mut rejected) = (Vec::with_capacity(items.len()), Vec::new());
    for (index, item) in (0..).zip(items) {
        match Row::decode(item).map_err(|fault| format!("not a row: {fault}")).and_then(|row| judge(&row)) {
            Ok(row) => rows.push(row),
            Err(reason) => rejected.push(Rejected { index, uuid: String::new(), reason }),
        }
    }
    Ok(Checked { items: store::Items::Rows(rows), rejected })
}

fn judge(row: &Row) -> Result<store::Row, String> {
    let table = row.table.as_ref().ok_or("a row of no table that this version knows: bring Central up to date")?;
    let time = items::time(table.unix_nano_timestamp(), table.time())
        .ok_or("unix_nano_timestamp tells no time that can be kept")?;
    let json = serde_json::to_string(row).map_err(|fault| format!("cannot be written as JSON: {fault}"))?;
    Ok(store::Row { table: table.name().to_owned(), time, event: EventType::of(table), json })
}
