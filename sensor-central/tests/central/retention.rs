//! What is too old or too much goes, rows before alerts.

use std::sync::Arc;

use sensor_central::{
    config::Retention,
    metrics::Metrics,
    store::{Alert, Batch, Filter, Items, Origin, Outcome, Row, Store, StoreError},
};
use uuid::Uuid;

const DAY: i64 = 24 * 3600 * 1_000_000_000;

fn batch(key: String, received: i64, items: Items) -> Batch {
    let origin = Origin { tenant: Uuid::nil(), sensor: "s".into() };
    Batch { origin, key, digest: [0; 32], received, items, rejected: Vec::new() }
}

fn rows(count: usize) -> Items {
    Items::Rows(
        (0..count)
            .map(|_| Row { table: "process_events".into(), time: 1, event: None, json: "x".repeat(500) })
            .collect(),
    )
}

fn alerts(count: usize) -> Items {
    let alert = || Alert {
        public_id: Uuid::new_v4(),
        uuid: Uuid::new_v4(),
        time: 1,
        priority: String::new(),
        policy: String::new(),
        host: String::new(),
        json: "x".repeat(500),
        ..Alert::default()
    };
    Items::Alerts((0..count).map(|_| alert()).collect())
}

/// Makes all that is kept older by some days.
fn pass(dir: &std::path::Path, days: i64) {
    let database = rusqlite::Connection::open(dir.join("central.db")).unwrap();
    for table in ["rows", "alerts", "batches"] {
        database.execute(&format!("UPDATE {table} SET kept = kept - ?"), [days * DAY]).unwrap();
    }
}

async fn expire(store: &Store, retention: Retention) {
    while store.expire(retention).await.unwrap() > 0 {}
}

/// What alerts are found by goes with them: no entry is of one that is not there.
fn lost_entries(dir: &std::path::Path) -> i64 {
    let database = rusqlite::Connection::open(dir.join("central.db")).unwrap();
    let sql = "SELECT count(*) FROM entries WHERE alert NOT IN (SELECT id FROM alerts)";
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until alerts up to this one have their entries.
fn has_entries(dir: &std::path::Path, alert: i64) {
    let database = rusqlite::Connection::open(dir.join("central.db")).unwrap();
    let end = || database.query_row("SELECT alert FROM entries_to", [], |row| row.get::<_, i64>(0)).unwrap();
    while end() < alert {
        std::thread::yield_now();
    }
}

fn left(store: &Store) -> (usize, usize) {
    let reader = store.reader();
    let rows = reader.rows("process_events", 1_000_000).unwrap().len();
    (rows, reader.detections(&Filter { limit: 1_000_000, ..Filter::default() }).unwrap().len())
}

#[tokio::test]
async fn what_is_older_than_its_days_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    let now = sensor_central::now();
    for (days, rows_of_that_age) in [(20, 3_000), (20, 50), (0, 7)] {
        store.batch(batch(format!("r{rows_of_that_age}"), now, rows(rows_of_that_age))).await.unwrap();
        store.batch(batch(format!("a{rows_of_that_age}"), now, alerts(2))).await.unwrap();
        pass(dir.path(), days);
    }
    has_entries(dir.path(), 6);
    expire(&store, Retention { events_days: Some(10), ..Retention::OFF }).await;
    assert_eq!(left(&store), (7, 6));
    expire(&store, Retention { alerts_days: Some(30), batches_days: Some(30), ..Retention::OFF }).await;
    assert_eq!((left(&store), lost_entries(dir.path())), ((7, 4), 0));
    // A batch that was forgotten is a new one; one that is still known is not.
    let outcomes = [
        store.batch(batch("r3000".into(), now, rows(1))).await.unwrap(),
        store.batch(batch("r50".into(), now, rows(1))).await.unwrap(),
    ];
    assert!(matches!(outcomes, [Outcome::Stored { replayed: false, .. }, Outcome::Stored { replayed: true, .. }]));
    store.close(writer).await;
}

/// A clock that is wrong, or is set, is no reason to lose what is kept, nor to keep it for ever.
#[tokio::test]
async fn the_machines_clock_ages_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    let now = sensor_central::now();
    let retention =
        Retention { events_days: Some(10), alerts_days: Some(10), batches_days: Some(10), ..Retention::OFF };
    for (number, received) in [0, now, now + 4_000 * DAY].into_iter().enumerate() {
        store.batch(batch(format!("r{number}"), received, rows(2))).await.unwrap();
        store.batch(batch(format!("a{number}"), received, alerts(1))).await.unwrap();
    }
    expire(&store, retention).await;
    assert_eq!(left(&store), (6, 3));
    store.close(writer).await;
    // The machine starts again, and its clock is years ahead of, then behind what it was.
    for off in [-3_000 * DAY, 6_000 * DAY] {
        let database = rusqlite::Connection::open(dir.path().join("central.db")).unwrap();
        assert_eq!(database.execute("UPDATE clock SET wall = wall + ?", [off]).unwrap(), 1);
        drop(database);
        let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
        expire(&store, retention).await;
        assert_eq!(left(&store), (6, 3), "{off}");
        store.close(writer).await;
    }
    let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    pass(dir.path(), 10);
    expire(&store, retention).await;
    assert_eq!(left(&store), (0, 0));
    store.close(writer).await;
}

#[tokio::test]
async fn rows_go_before_alerts_when_it_is_too_much() {
    let dir = tempfile::tempdir().unwrap();
    let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    store.batch(batch("a".into(), 1, alerts(1_000))).await.unwrap();
    for number in 0..5 {
        store.batch(batch(format!("r{number}"), 1, rows(4_000))).await.unwrap();
    }
    has_entries(dir.path(), 1_000);
    let before = store.reader().bytes().unwrap();
    expire(&store, Retention { max_bytes: Some(before / 2), ..Retention::OFF }).await;
    let (rows, alerts) = left(&store);
    assert!(0 < rows && rows < 12_000, "{rows}");
    assert_eq!(alerts, 1_000);
    assert!(store.reader().bytes().unwrap() < before, "the file shrinks");
    expire(&store, Retention { max_bytes: Some(1), ..Retention::OFF }).await;
    assert_eq!((left(&store), lost_entries(dir.path())), ((0, 0), 0));
    store.close(writer).await;
}

#[test]
fn the_file_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(dir.path().join("central.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = Store::open(dir.path(), Arc::new(Metrics::default()));
    assert!(matches!(refused, Err(StoreError::TooNew { found: 99, .. })), "{refused:?}");
}
