//! Alerts at Central that no sensor had to raise.

use std::ops::Range;
use std::sync::Arc;

use sensor_central::event::EventType;
use sensor_central::metrics::Metrics;
use sensor_central::store::{Alert, Batch, Items, Origin, Row, Store};
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
    put(central, tenant, from..to, |numbers| Items::Alerts(numbers.map(alert).collect()));
}

/// Puts so many events where a tenant has its own: logins, as a sensor tells of them.
pub(crate) fn fill_events(central: &Central, tenant: Uuid, count: u128) {
    put(central, tenant, 0..count, |numbers| Items::Rows(numbers.map(login).collect()));
}

fn put(central: &Central, tenant: Uuid, numbers: Range<u128>, items: impl Fn(Range<u128>) -> Items) {
    let Range { start: from, end: to } = numbers;
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
                items: items(at..end),
                rejected: Vec::new(),
            };
            store.batch(batch).await.expect("it takes them");
            at = end;
        }
        store.close(writer).await;
    });
}

fn login(number: u128) -> Row {
    let now = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    Row {
        table: "audit_user_msg".into(),
        time: now.try_into().expect("this century"),
        event: Some(EventType::LoginSucceeded),
        json: json!({"acct": format!("user-{}", number % 1000), "path": "/usr/sbin/sshd", "hostname": "host-a",
            "uid": 0, "result": "success", "message": "op=login"})
        .to_string(),
    }
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
