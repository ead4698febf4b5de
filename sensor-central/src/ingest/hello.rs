//! `POST /sensor/v1/hello`

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::request::Parts,
    response::Response,
};
use prost::Message as _;
use sensor_proto::v1::{HelloReply, HelloRequest};

use super::{Failure, Ingest, auth, blocking, body, linger, reply};
use crate::store::Hello;

pub(super) async fn post(State(ingest): State<Arc<Ingest>>, request: Request) -> Result<Response, Failure> {
    let (head, mut body) = request.into_parts();
    let taken = take(&ingest, &head, &mut body).await;
    if taken.is_err() {
        linger(&head, &mut body).await;
    }
    taken
}

/// Records that a sensor lost since it started, by its own count, whatever the place and the cause.
fn lost(statistics: &BTreeMap<String, f64>) -> Option<f64> {
    let counts = statistics.iter().filter_map(|(name, count)| {
        let name = name.split('{').next().unwrap_or_default();
        let name = name.trim_start_matches("sophoslinuxsensor_").trim_end_matches("_total");
        (name == "events_lost" && count.is_finite()).then_some(count)
    });
    let counts: Vec<_> = counts.collect();
    (!counts.is_empty()).then(|| counts.into_iter().sum())
}

async fn take(ingest: &Ingest, head: &Parts, body: &mut Body) -> Result<Response, Failure> {
    let received = crate::now();
    let origin = auth::authenticate(&ingest.store, &head.headers).await?;
    let _place = ingest.place()?;
    let body = body::read(ingest, &head.headers, body).await?;
    let malformed = |format, fault: String| Failure::Malformed { format, fault };
    let (said, metadata, statistics) = blocking(move || {
        let said = HelloRequest::decode(body).map_err(|fault| malformed("a protobuf hello", fault.to_string()))?;
        let text = |map: serde_json::Result<String>| map.map_err(|fault| malformed("fit for JSON", fault.to_string()));
        let (metadata, statistics) =
            (text(serde_json::to_string(&said.metadata))?, text(serde_json::to_string(&said.statistics))?);
        Ok((said, metadata, statistics))
    })
    .await?;
    let skew = said.unix_nano_timestamp.and_then(|theirs| received.checked_sub_unsigned(theirs));
    tracing::info!(sensor = ?origin.sensor, host = ?said.hostname, version = ?said.sensor_version, over = ?head.version, "a sensor said hello");
    let lost = lost(&said.statistics);
    let (version, hostname) = (said.sensor_version, said.hostname);
    ingest.store.hello(Hello { origin, received, version, hostname, metadata, statistics, lost, skew }).await?;
    Ok(reply(&HelloReply {
        central_version: crate::VERSION.into(),
        unix_nano_timestamp: received.unsigned_abs(),
        clock_skew_nano: skew,
        max_body_bytes: ingest.limits.body_bytes as u64,
        max_decoded_bytes: ingest.limits.decoded_bytes as u64,
        max_items: ingest.limits.items as u64,
    }))
}
