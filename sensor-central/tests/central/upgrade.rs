//! A database that an older version made.

use std::sync::Arc;

use rusqlite::{Connection, params};
use sensor_central::{
    ids,
    metrics::Metrics,
    store::{AlertFilter, Place, Sought, Start, Store},
};
use uuid::Uuid;

#[tokio::test]
async fn alerts_of_before_the_public_api_are_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join("central.db")).unwrap();
    for step in [include_str!("../../src/store/schema/1.sql"), include_str!("../../src/store/schema/2.sql")] {
        old.execute_batch(step).unwrap();
    }
    old.pragma_update(None, "user_version", 2).unwrap();
    let (tenant, uuids) = (Uuid::new_v4(), [Uuid::new_v4(), Uuid::new_v4()]);
    old.execute(
        "INSERT INTO tokens (id, tenant, label, hash, created) VALUES ('t', ?, 'l', x'00', 1)",
        [tenant.to_string()],
    )
    .unwrap();
    // The clock was set back between the two.
    let json = r#"{"process_info":{"uid":7},"location":{"container_id":"c"},"incident_id":"i"}"#;
    for (uuid, received, priority, json) in
        [(uuids[0], 2_000_000_000_i64, "High", json), (uuids[1], 1_000_000_000, "Low", "no JSON")]
    {
        let alert = params![tenant.to_string(), uuid.to_string(), received, priority, json];
        old.execute(
            "INSERT INTO alerts (tenant, uuid, sensor, received, time, priority, policy, host, json)
             VALUES (?, ?, 's', ?, 1, ?, 'p', 'h', ?)",
            alert,
        )
        .unwrap();
    }
    drop(old);
    let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    let found = store.reader().alerts_after(tenant, Place { raised: 0, row: 0 }, 10).unwrap();
    let told: Vec<_> = found.iter().map(|alert| (alert.public_id, alert.place.raised, alert.severity)).collect();
    assert_eq!(told, [(ids::of_alert(uuids[0]), 2000, 8), (ids::of_alert(uuids[1]), 2000, 2)]);
    let filter = AlertFilter {
        tenant,
        from: None,
        to: None,
        severities: vec![2],
        policies: Vec::new(),
        ids: vec![ids::of_alert(uuids[1])],
        newest_first: false,
    };
    assert_eq!(store.reader().alerts(&filter, Start::Skip(0), 10).unwrap().len(), 1);
    // They are found by what the web pages look for, before they have entries for that and then.
    let text = |text: &str| Some(text.to_owned());
    let newest = Place { raised: i64::MAX, row: 0 };
    let database = Connection::open(dir.path().join("central.db")).unwrap();
    let end = || database.query_row("SELECT alert FROM entries_to", [], |row| row.get::<_, i64>(0)).unwrap();
    for has_entries in [false, true] {
        while has_entries && end() < 2 {
            tokio::task::yield_now().await;
        }
        for sought in [
            Sought { user: text("7"), ..Sought::default() },
            Sought { container: text("c"), ..Sought::default() },
            Sought { incident: text("i"), ..Sought::default() },
        ] {
            let found = store.reader().listing(tenant, &sought, newest, 10).unwrap().found;
            assert_eq!(found.len(), 1, "{sought:?}");
            assert_eq!(found[0].alert.public_id, ids::of_alert(uuids[0]));
        }
    }
    assert_eq!(store.reader().tenant(tenant).unwrap().unwrap().name, tenant.to_string());
    store.close(writer).await;
}
