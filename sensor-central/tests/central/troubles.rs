//! Sensors that go silent, lose records or are meddled with: what Central itself tells of them, and when that is over.

use std::sync::Arc;

use prost::Message as _;
use rusqlite::{Connection, params};
use sensor_central::{
    metrics::Metrics,
    store::{Batch, Health, Hello, Items, Origin, Place, Row, Store},
};
use sensor_proto::{header, path, v1::HelloRequest};
use serde_json::Value;
use uuid::Uuid;

use crate::program::{Central, alert, reply};

const HOUR: i64 = 3600 * 1_000_000_000;
const TENANT: Uuid = Uuid::from_u128(7);

async fn hello(store: &Store, sensor: &str, lost: Option<f64>) {
    let origin = Origin { tenant: TENANT, sensor: sensor.into() };
    let (version, hostname) = ("1".to_owned(), format!("host-of-{sensor}"));
    let empty = || "{}".to_owned();
    let received = sensor_central::now();
    let said = Hello { origin, received, version, hostname, metadata: empty(), statistics: empty(), lost, skew: None };
    store.hello(said).await.unwrap();
}

/// Lets time pass, as sensors and Central see it.
fn pass(dir: &std::path::Path, sensor: &str, time: i64) {
    let database = Connection::open(dir.join("central.db")).unwrap();
    let sql = "UPDATE sensors SET heard = heard - ?1, lost_at = lost_at - ?1 WHERE sensor = ?2";
    assert_eq!(database.execute(sql, params![time, sensor]).unwrap(), 1);
}

fn alerts(store: &Store) -> Vec<(String, String)> {
    let found = store.reader().alerts_after(TENANT, Place { raised: 0, row: 0 }, 100).unwrap();
    found.into_iter().map(|alert| (alert.policy, alert.host)).collect()
}

fn open_alerts(store: &Store) -> usize {
    let filter = sensor_central::store::AlertFilter {
        tenant: TENANT,
        from: None,
        to: None,
        severities: Vec::new(),
        policies: Vec::new(),
        ids: Vec::new(),
        newest_first: false,
    };
    store.reader().count_alerts(&filter).unwrap() as usize
}

fn events(store: &Store) -> Vec<String> {
    let (found, _) = store.reader().events_after(TENANT, Place { raised: 0, row: 0 }, &[], 100).unwrap();
    found.into_iter().map(|event| event.event.rsplit("::").next().unwrap().to_owned()).collect()
}

fn health(store: &Store, sensor: &str) -> Health {
    let fleet = store.reader().fleet(TENANT, "", 0, 100, sensor_central::now()).unwrap();
    fleet.sensors.into_iter().find(|watched| watched.sensor.sensor == sensor).unwrap().health
}

#[tokio::test]
async fn silence_is_told_once_and_ends_when_the_sensor_is_heard_of() {
    let dir = tempfile::tempdir().unwrap();
    let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    for sensor in ["a", "b"] {
        hello(&store, sensor, None).await;
    }
    assert_eq!(store.look_after_sensors(Some(2 * HOUR)).await.unwrap(), 0);
    pass(dir.path(), "a", 3 * HOUR);
    assert_eq!(store.look_after_sensors(None).await.unwrap(), 0, "never, if it is not asked for");
    assert_eq!(store.look_after_sensors(Some(4 * HOUR)).await.unwrap(), 0);
    assert_eq!(store.look_after_sensors(Some(2 * HOUR)).await.unwrap(), 1);
    assert_eq!(store.look_after_sensors(Some(2 * HOUR)).await.unwrap(), 0, "once");
    assert_eq!(alerts(&store), [("Sensor Silent".to_owned(), "host-of-a".to_owned())]);
    assert_eq!((open_alerts(&store), events(&store)), (1, vec!["Silent".to_owned()]));
    assert_eq!((health(&store, "a"), health(&store, "b")), (Health::Silent, Health::Good));
    hello(&store, "a", None).await;
    assert_eq!(store.look_after_sensors(Some(2 * HOUR)).await.unwrap(), 1);
    assert_eq!((open_alerts(&store), events(&store)), (0, vec!["Silent".to_owned(), "WellAgain".to_owned()]));
    assert_eq!(health(&store, "a"), Health::Good);
    pass(dir.path(), "a", 3 * HOUR);
    assert_eq!(store.look_after_sensors(Some(2 * HOUR)).await.unwrap(), 1);
    assert_eq!(alerts(&store).len(), 2, "a new one");
    store.close(writer).await;
}

/// Time in which Central did not run is no silence, and neither is what is done to the machine's clock.
#[tokio::test]
async fn a_central_that_was_down_makes_nobody_silent() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
        hello(&store, "a", None).await;
        store.close(writer).await;
        let database = Connection::open(dir.path().join("central.db")).unwrap();
        assert_eq!(database.execute("UPDATE clock SET wall = wall - ?", [72 * HOUR]).unwrap(), 1);
        let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
        assert_eq!(store.look_after_sensors(Some(2 * HOUR)).await.unwrap(), 0);
        store.close(writer).await;
    }
}

#[tokio::test]
async fn losses_are_told_by_counts_and_by_rows_until_none_come() {
    let dir = tempfile::tempdir().unwrap();
    let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    let look = async || store.look_after_sensors(Some(48 * HOUR)).await.unwrap();
    hello(&store, "a", Some(0.0)).await;
    hello(&store, "a", Some(0.0)).await;
    assert_eq!(look().await, 0);
    hello(&store, "a", Some(5.0)).await;
    assert_eq!((look().await, look().await), (1, 0));
    assert_eq!(alerts(&store), [("Sensor Losing Records".to_owned(), "host-of-a".to_owned())]);
    assert_eq!(health(&store, "a"), Health::Losing);
    // Nothing more is lost, and it says so two hours later.
    pass(dir.path(), "a", 3 * HOUR);
    assert_eq!(look().await, 0, "of one that is silent nobody knows");
    hello(&store, "a", Some(5.0)).await;
    assert_eq!((look().await, open_alerts(&store)), (1, 0));
    assert_eq!(events(&store), ["LosingRecords", "WellAgain"]);
    // It started anew, and its count with it.
    hello(&store, "a", Some(2.0)).await;
    assert_eq!(look().await, 1);
    pass(dir.path(), "a", 3 * HOUR);
    hello(&store, "a", Some(2.0)).await;
    assert_eq!((look().await, open_alerts(&store)), (1, 0));
    let row = Row {
        table: "lost_records".into(),
        time: 1,
        event: Some(sensor_central::event::EventType::RecordsLost),
        json: r#"{"count":3}"#.into(),
    };
    let batch = Batch {
        origin: Origin { tenant: TENANT, sensor: "a".into() },
        key: "k".into(),
        digest: [0; 32],
        received: sensor_central::now(),
        items: Items::Rows(vec![row]),
        rejected: Vec::new(),
    };
    store.batch(batch).await.unwrap();
    assert_eq!((look().await, open_alerts(&store)), (1, 1));
    store.close(writer).await;
}

async fn say_hello(central: &Central, statistics: &[(&str, f64)]) {
    let statistics = statistics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let said = HelloRequest { hostname: "web-1".into(), sensor_version: "1".into(), statistics, ..Default::default() };
    let mut request = central.post(path::HELLO, "k").body(said.encode_to_vec()).build().unwrap();
    request.headers_mut().insert(header::SENSOR_ID, "sensor-1".parse().unwrap());
    assert_eq!(central.client.execute(request).await.unwrap().status(), 200);
}

fn names(answer: &Value, name: &str) -> Vec<String> {
    answer["items"].as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
}

/// Through the program, where people and SIEMs see it.
#[tokio::test]
async fn what_is_wrong_with_a_sensor_is_a_detection_an_item_and_a_state() {
    let central = Central::start();
    say_hello(&central, &[("sophoslinuxsensor_events_lost_total{stage=\"ring\"}", 7.0)]).await;
    let mut tampered = alert();
    tampered.strategy_name = "Sensor Hook Detached".into();
    tampered.policy_type = "sensor".into();
    tampered.categories = vec!["MITRE.Defense Evasion.Impair Defenses".into()];
    reply(central.send("k", &[tampered]).await).await;
    let dir = central.kill();
    pass(dir.path(), "sensor-1", 30 * HOUR);
    // It looks at once.
    let database = Connection::open(dir.path().join("central.db")).unwrap();
    database.execute("UPDATE sensors SET lost_at = lost_at + ?", [30 * HOUR]).unwrap();
    let central = Central::start_in(dir, &[]);
    let client = central.log_in().await;
    let told = async |path: &str, count: usize| loop {
        let answer = client.got(path).await;
        if answer["items"].as_array().unwrap().len() >= count {
            return answer;
        }
        // A client may not ask more often.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    };
    let found = told("/siem/v1/alerts", 3).await;
    assert_eq!(names(&found, "name"), ["Sensor Hook Detached", "Sensor Silent", "Sensor Losing Records"]);
    assert_eq!(names(&found, "location"), ["web-1"; 3]);
    assert_eq!(names(&found, "severity"), ["high", "high", "medium"]);
    let found = told("/siem/v1/events", 3).await;
    let types = ["TamperedWith", "Silent", "LosingRecords"].map(|name| format!("Event::Endpoint::Sensor::{name}"));
    assert_eq!(names(&found, "type"), types);
    assert_eq!(names(&found, "location"), ["web-1"; 3]);
    assert!(names(&found, "name")[1].contains("Nothing came from the sensor of web-1 for 24 hours"), "{found}");
    let mut browser = central.browse().await;
    let page = browser.get("/sensors").await.text;
    for shown in ["1 tampered with", "alert: tampered", "alert: silent", "alert: losing"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let link = page.split("href=\"/detections/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(browser.get(&format!("/detections/{link}")).await.status, 200);
    // People close what the sensor told of itself; Central what it told.
    let list = browser.get("/detections?policy=Sensor+Hook+Detached").await.text;
    let id = list.split("href=\"/detections/").find_map(|part| Uuid::parse_str(part.get(..36)?).ok()).unwrap();
    browser.get(&format!("/detections/{id}")).await;
    assert_eq!(browser.post(&format!("/detections/{id}/close"), &[("message", "it was us")]).await.status, 303);
    say_hello(&central, &[("sophoslinuxsensor_events_lost_total{stage=\"ring\"}", 7.0)]).await;
    told("/siem/v1/events", 4).await;
    let page = browser.get("/sensors").await.text;
    assert!(page.contains("1 losing records") && !page.contains("alert: silent"), "{page}");
    let open = told("/common/v1/alerts", 1).await;
    assert_eq!(open["items"].as_array().unwrap().len(), 1, "{open}");
}
