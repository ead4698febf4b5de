//! Batches: taken in once, item by item.

use prost::Message;
use sensor_proto::{
    header, path,
    v1::{Alert, AlertBatch, BatchReply, EventBatch, LostRecords, ProcessEvent, Row, row::Table},
};
use serde_json::json;

use crate::program::{Central, alert, refusal, reply};

#[tokio::test]
async fn a_batch_is_stored_whole() {
    let central = Central::start();
    let alerts = [alert(), alert()];
    assert_eq!(reply(central.send("k", &alerts).await).await, BatchReply { accepted: 2, ..BatchReply::default() });
    let stored = central.detections();
    assert_eq!(stored, alerts.iter().map(|alert| serde_json::to_value(alert).unwrap()).collect::<Vec<_>>());
    assert_eq!(stored[0]["process_info"]["name"], "/usr/bin/a\\xff");
}

#[tokio::test]
async fn a_batch_sent_again_gets_the_same_reply_and_is_stored_once() {
    let central = Central::start();
    let alerts = [alert(), Alert { uuid: "no uuid".into(), ..alert() }];
    let first = central.send("k", &alerts).await;
    assert_eq!(first.headers()[header::REPLAYED], "false");
    let first = reply(first).await;
    assert_eq!((first.accepted, first.rejected.len()), (1, 1));
    let second = central.send("k", &alerts).await;
    assert_eq!(second.headers()[header::REPLAYED], "true");
    assert_eq!(reply(second).await, first);
    assert_eq!(central.uuids(), [alerts[0].uuid.clone()]);
}

#[tokio::test]
async fn rows_sent_again_are_stored_once() {
    let central = Central::start();
    let row =
        Row { table: Some(Table::LostRecords(LostRecords { unix_nano_timestamp: Some(1), ..Default::default() })) };
    let body = EventBatch { rows: vec![row] }.encode_to_vec();
    for _ in 0..2 {
        let response = central.post(path::EVENTS, "k").body(body.clone()).send().await.unwrap();
        assert_eq!(reply(response).await.accepted, 1);
    }
    let reader = sensor_central::store::Reader::open(central.dir.path()).unwrap();
    assert_eq!(reader.rows("lost_records", 10).unwrap().len(), 1);
}

#[tokio::test]
async fn equal_requests_at_once_are_one() {
    let central = Central::start();
    let alerts = [alert()];
    let row =
        Row { table: Some(Table::LostRecords(LostRecords { unix_nano_timestamp: Some(1), ..Default::default() })) };
    let rows = EventBatch { rows: vec![row; 3] }.encode_to_vec();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let post = central.post(path::ALERTS, "k").body(AlertBatch { alerts: alerts.to_vec() }.encode_to_vec());
        tasks.spawn(post.send());
        tasks.spawn(central.post(path::EVENTS, "k").body(rows.clone()).send());
    }
    let mut fresh = 0;
    for response in tasks.join_all().await {
        let response = response.unwrap();
        fresh += usize::from(response.headers()[header::REPLAYED] == "false");
        let BatchReply { accepted, duplicates, .. } = reply(response).await;
        assert!([1, 3].contains(&accepted) && duplicates == 0);
    }
    assert_eq!(fresh, 2, "one of the alerts' and one of the events'");
    assert_eq!(central.detections().len(), 1);
    let reader = sensor_central::store::Reader::open(central.dir.path()).unwrap();
    assert_eq!(reader.rows("lost_records", 100).unwrap().len(), 3);
}

#[tokio::test]
async fn an_alert_that_came_in_another_batch_is_stored_once() {
    let central = Central::start();
    let (first, second) = (alert(), alert());
    reply(central.send("k1", std::slice::from_ref(&first)).await).await;
    let again = [first.clone(), second.clone(), second.clone()];
    let reply = reply(central.send("k2", &again).await).await;
    assert_eq!((reply.accepted, reply.duplicates), (3, 2));
    let mut uuids = [first.uuid, second.uuid];
    uuids.sort();
    assert_eq!(central.uuids(), uuids);
}

#[tokio::test]
async fn the_same_key_for_another_batch_is_refused() {
    let central = Central::start();
    reply(central.send("k", &[alert()]).await).await;
    let (status, text) = refusal(central.send("k", &[alert()]).await).await;
    assert_eq!(status, 422);
    assert!(text.contains("Idempotency-Key"), "{text}");
    assert_eq!(central.detections().len(), 1);
}

/// The items of a batch as bytes: what no well-made sensor sends.
#[derive(Clone, PartialEq, Message)]
struct RawBatch {
    #[prost(bytes = "vec", repeated, tag = "1")]
    items: Vec<Vec<u8>>,
}

#[tokio::test]
async fn a_bad_item_is_rejected_alone_and_says_why() {
    let central = Central::start();
    let good = [alert(), alert()];
    let items = vec![
        good[0].encode_to_vec(),
        b"\x0a\xff".to_vec(),
        Alert { uuid: "17".into(), ..alert() }.encode_to_vec(),
        Alert { unix_nano_timestamp: None, ..good[0].clone() }.encode_to_vec(),
        Alert { strategy_name: String::new(), ..good[0].clone() }.encode_to_vec(),
        // A name that is not UTF-8.
        b"\x22\x02\xff\xfe".to_vec(),
        good[1].encode_to_vec(),
    ];
    let response = central.post(path::ALERTS, "k").body(RawBatch { items }.encode_to_vec()).send().await.unwrap();
    let reply = reply(response).await;
    assert_eq!(reply.accepted, 2);
    let reasons: Vec<_> = reply.rejected.iter().map(|item| (item.index, &*item.uuid)).collect();
    assert_eq!(reasons, [(1, ""), (2, "17"), (3, &good[0].uuid), (4, &good[0].uuid), (5, "")]);
    for (item, word) in reply.rejected.iter().zip(["alert", "uuid", "timestamp", "strategy_name", "UTF-8"]) {
        assert!(item.reason.contains(word), "{item:?}");
    }
    let mut uuids = good.map(|alert| alert.uuid);
    uuids.sort();
    assert_eq!(central.uuids(), uuids);
}

#[tokio::test]
async fn rows_are_kept_as_the_sensor_writes_them() {
    let central = Central::start();
    let event = ProcessEvent {
        unix_nano_timestamp: Some(9),
        event_type: "PROCESS_EVENT_TYPE_EXEC".into(),
        uid: Some(0),
        args: vec!["sh".into(), "\\xff".into()],
        ..ProcessEvent::default()
    };
    let rows = vec![Row { table: Some(Table::ProcessEvents(event)) }, Row { table: None }];
    let body = EventBatch { rows }.encode_to_vec();
    let reply = reply(central.post(path::EVENTS, "k").body(body).send().await.unwrap()).await;
    assert_eq!((reply.accepted, reply.rejected[0].index), (1, 1));
    let reader = sensor_central::store::Reader::open(central.dir.path()).unwrap();
    let row: serde_json::Value = serde_json::from_str(&reader.rows("process_events", 10).unwrap()[0]).unwrap();
    let expected = json!({
        "table": "process_events", "unix_nano_timestamp": 9, "event_type": "PROCESS_EVENT_TYPE_EXEC", "uid": 0,
        "args": ["sh", "\\xff"], "parents": [],
    });
    assert_eq!(row, expected);
}
