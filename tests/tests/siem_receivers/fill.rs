//! Alerts at Central that no sensor had to raise.

use std::sync::Arc;

use sensor_central::metrics::Metrics;
use sensor_central::store::{Alert, Batch, Items, Origin, Store};
use sensor_tests::Central;
use serde_json::json;
use uuid::Uuid;

/// A batch that Central takes at once.
const BATCH: u128 = 500;

/// Puts alerts with these numbers as uuids where Central has its own, as if they came in now, in this order.
pub(crate) fn fill(central: &Central, from: u128, to: u128) {
    fill_tenant(central, central.tenant().parse().expect("a UUID"), from, to);
}

/// The same where one of several tenants has its own.
pub(crate) fn fill_tenant(central: &Central, tenant: Uuid, from: u128, to: u128) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (store, writer) = Store::open(central.path(), Arc::new(Metrics::default())).expect("its database");
        let mut at = from;
        while at < to {
            let end = (at + BATCH).min(to);
            let batch = Batch {
                origin: Origin { tenant, sensor: "tests".into() },
                key: at.to_string(),
                digest: [0; 32],
                received: time::OffsetDateTime::now_utc().unix_timestamp_nanos().try_into().expect("this century"),
                items: Items::Alerts((at..end).map(alert).collect()),
                rejected: Vec::new(),
            };
            store.batch(batch).await.expect("it takes them");
            at = end;
        }
        store.close(writer).await;
    });
}

fn alert(number: u128) -> Alert {
    let uuid = Uuid::from_u128(number);
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    Alert {
        uuid,
        public_id: uuid,
        time: now.try_into().expect("this century"),
        priority: "High".into(),
        policy: "Marked Program".into(),
        host: "host-a".into(),
        json: json!({"uuid": uuid, "policy_type": "program", "process_info": {"pid": 7, "name": "/bin/true"}})
            .to_string(),
        ..Alert::default()
    }
}

/// The ids of these alerts, as they are in the items.
pub(crate) fn ids(from: u128, to: u128) -> Vec<String> {
    (from..to).map(|number| Uuid::from_u128(number).to_string()).collect()
}
