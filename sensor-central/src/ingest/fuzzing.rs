//! What a sensor, or anyone with its token, posts.

use axum::body::Bytes;
use prost::Message as _;
use sensor_proto::v1::HelloRequest;

use super::{Checked, Items, alerts, body, events, items};

/// What a body may grow to here, bytes.
const LIMIT: usize = 1 << 20;
/// What a batch may hold here.
const ITEMS: usize = 500;

/// A body, compressed in one of the ways that are taken.
///
/// # Panics
///
/// If a limit does not hold, or an item is neither taken nor rejected.
pub fn ingest(encoding: u8, sent: &[u8]) {
    let encoding = [body::Encoding::Plain, body::Encoding::Zstd, body::Encoding::Gzip][usize::from(encoding % 3)];
    let Ok(decoded) = body::decompress(encoding, sent, LIMIT) else { return };
    assert!(decoded.len() <= LIMIT);
    if let Ok(hello) = HelloRequest::decode(decoded.clone()) {
        let _ = (serde_json::to_string(&hello.metadata), serde_json::to_string(&hello.statistics));
    }
    let Ok(items) = items::split(decoded, ITEMS) else { return };
    assert!(items.len() <= ITEMS);
    for check in [alerts::check as fn(Vec<Bytes>) -> _, events::check] {
        let count = items.len();
        let Ok(Checked { items, rejected }) = check(items.clone()) else { continue };
        let taken = match items {
            Items::Alerts(alerts) => alerts.len(),
            Items::Rows(rows) => rows.len(),
        };
        assert_eq!(taken + rejected.len(), count);
    }
}
