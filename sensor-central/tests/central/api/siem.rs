//! Alerts and events for SIEMs: nothing twice, nothing missed.

use prost::Message as _;
use sensor_proto::{
    path,
    v1::{
        Alert, AuditUserMessage, EventBatch, HelloRequest, LostRecords, ProcessEvent, ProcessInfo, Row, SensorStart,
        row::Table,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::program::{Central, alert, reply};

/// Sends rows in a batch of this key.
async fn send_rows(central: &Central, key: &str, rows: impl IntoIterator<Item = Table>) {
    let rows = rows.into_iter().map(|table| Row { table: Some(table) }).collect();
    let response = central.post(path::EVENTS, key).body(EventBatch { rows }.encode_to_vec()).send().await.unwrap();
    assert!(reply(response).await.rejected.is_empty());
}

fn ids(reply: &Value) -> Vec<String> {
    reply["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn cursor(reply: &Value) -> &str {
    reply["next_cursor"].as_str().unwrap()
}

#[tokio::test]
async fn an_alert_is_told_in_the_published_fields() {
    let central = Central::start();
    let sent = Alert {
        uuid: "0192f0c1-2b3c-7def-8a1b-c0ffee000001".into(),
        description: "A shell was started".into(),
        matched_rule: "match programName == \"sh\"".into(),
        process_info: Some(ProcessInfo {
            uid: Some(33),
            user: "www-data".into(),
            name: "/usr/bin/sh".into(),
            args: vec!["sh".into(), "-c".into(), "id".into()],
            ..ProcessInfo::default()
        }),
        metadata: [("network_interface.eth0".into(), "fe80::1,192.0.2.7".into()), ("os_name".into(), "Debian".into())]
            .into(),
        ..alert()
    };
    reply(central.send("k", std::slice::from_ref(&sent)).await).await;
    let client = central.log_in().await;
    let found = client.got("/siem/v1/alerts").await;
    assert_eq!(found["has_more"], false);
    let item = &found["items"][0];
    let id = Uuid::parse_str(item["id"].as_str().unwrap()).unwrap();
    assert_eq!(id.get_version_num(), 5, "clients know no newer version");
    for (name, value) in [
        ("customer_id", json!(central.tenant)),
        ("endpoint_type", json!("server")),
        ("severity", json!("high")),
        ("type", json!("Event::Endpoint::CoreDetection")),
        ("name", json!("Suspicious Interactive Shell")),
        ("description", json!("A shell was started")),
        ("location", json!("web-1")),
        ("source", json!("www-data")),
        ("source_info", json!({ "ip": "192.0.2.7" })),
        ("when", json!("2023-11-14T22:13:20.000Z")),
        ("event_service_event_id", item["id"].clone()),
    ] {
        assert_eq!(item[name], value, "{name}");
    }
    assert_eq!(item["data"]["uuid"], sent.uuid);
    assert_eq!(item["data"]["process"]["cmdline"], "sh -c id");
    assert_eq!(item["created_at"].as_str().unwrap().len(), "2026-11-29T08:00:00.000Z".len());
}

#[tokio::test]
async fn a_client_that_goes_on_from_its_cursor_has_each_alert_once() {
    let central = Central::start();
    let mut sent: Vec<String> = Vec::new();
    for batch in 0..5 {
        let alerts: Vec<Alert> = (0..7).map(|_| alert()).collect();
        sent.extend(alerts.iter().map(|alert| alert.uuid.clone()));
        reply(central.send(&format!("k{batch}"), &alerts).await).await;
    }
    let central = {
        let client = central.log_in().await;
        let first = client.got("/siem/v1/alerts?limit=3&pageSize=50&page=1&unknown=x").await;
        assert_eq!((ids(&first).len(), &first["has_more"]), (3, &json!(true)));
        let mut found: Vec<Value> = first["items"].as_array().unwrap().clone();
        let mut next = cursor(&first).to_owned();
        drop(client);
        // A restart in between changes nothing.
        let central = Central::start_in(central.kill(), &[]);
        let client = central.log_in().await;
        loop {
            assert!(next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{next}");
            let reply = client.got(&format!("/siem/v1/alerts?limit=4&cursor={next}")).await;
            found.extend(reply["items"].as_array().unwrap().clone());
            next = cursor(&reply).to_owned();
            if reply["has_more"] == false {
                break;
            }
        }
        let uuids: Vec<_> = found.iter().map(|item| item["data"]["uuid"].as_str().unwrap()).collect();
        assert_eq!(uuids, sent, "in order of arrival");
        let times: Vec<_> = found.iter().map(|item| item["created_at"].as_str().unwrap()).collect();
        assert!(times.is_sorted());

        // Nothing new: nothing is told, and the new cursor is good too.
        let nothing = client.got(&format!("/siem/v1/alerts?cursor={next}")).await;
        assert_eq!((ids(&nothing).len(), &nothing["has_more"]), (0, &json!(false)));
        let late = Alert { unix_nano_timestamp: Some(1), ..alert() };
        reply(central.send("late", std::slice::from_ref(&late)).await).await;
        let new = client.got(&format!("/siem/v1/alerts?cursor={}", cursor(&nothing))).await;
        assert_eq!(new["items"][0]["data"]["uuid"], late.uuid, "however old it is by its own clock");
        assert_eq!(ids(&new).len(), 1);
        drop(client);
        central
    };
    assert_eq!(central.detections().len(), 36);
}

#[tokio::test]
async fn parameters_that_are_wrong_are_refused_and_others_let_pass() {
    let central = Central::start();
    reply(central.send("k", &[alert()]).await).await;
    let client = central.log_in().await;
    let now = sensor_central::now() / 1_000_000_000;
    for (query, status) in [
        ("limit=0", 400),
        ("limit=x", 400),
        ("cursor=x", 400),
        ("from_date=x", 400),
        (&format!("from_date={}", now + 3600), 400),
        (&format!("from_date={}", now - 60), 200),
        // Further back than a day is a day.
        (&format!("from_date={}", now - 100_000), 200),
        ("limit=5000", 200),
        ("cursor=", 200),
    ] {
        let (found, reply) = client.get(&format!("/siem/v1/alerts?{query}")).await;
        assert_eq!(found, status, "{query}: {reply}");
        if status == 200 {
            assert_eq!(ids(&reply).len(), 1, "{query}");
        }
    }
    let events = client.got("/siem/v1/events").await;
    let (status, _) = client.get(&format!("/siem/v1/alerts?cursor={}", cursor(&events))).await;
    assert_eq!(status, 400, "a cursor of events is none of alerts");
}

#[tokio::test]
async fn rows_of_note_are_events() {
    let central = Central::start();
    let hello = HelloRequest { hostname: "web-1".into(), ..HelloRequest::default() };
    central.post(path::HELLO, "k").body(hello.encode_to_vec()).send().await.unwrap();
    let at = Some(1_700_000_000_000_000_000);
    let said = |type_name: &str, result: &str| {
        Table::AuditUserMsg(AuditUserMessage {
            unix_nano_timestamp: at,
            type_name: type_name.into(),
            result: result.into(),
            acct: "root".into(),
            path: "/usr/sbin/sshd".into(),
            address: "192.0.2.9".into(),
            ..AuditUserMessage::default()
        })
    };
    let rows = [
        Table::Sensors(SensorStart { unix_nano_timestamp: at, hostname: "web-1".into(), ..SensorStart::default() }),
        Table::ProcessEvents(ProcessEvent { unix_nano_timestamp: at, ..ProcessEvent::default() }),
        said("USER_LOGIN", "success"),
        said("USER_LOGIN", "failed"),
        said("USER_START", "success"),
        said("USER_AUTH", "success"),
        said("USER_AUTH", "failed"),
        said("ADD_USER", "success"),
        Table::LostRecords(LostRecords {
            unix_nano_timestamp: at,
            stage: "ring".into(),
            cause: "ring_full".into(),
            count: Some(7),
            ..LostRecords::default()
        }),
    ];
    send_rows(&central, "k", rows).await;
    let client = central.log_in().await;
    let all = client.got("/siem/v1/events").await;
    let of = |name: &str| -> Vec<String> {
        all["items"].as_array().unwrap().iter().map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    let types = [
        "Sensor::Started",
        "Login::Succeeded",
        "Login::Failed",
        "Authentication::Failed",
        "Account::Changed",
        "Sensor::RecordsLost",
    ];
    assert_eq!(of("type"), types.map(|name| format!("Event::Endpoint::{name}")));
    assert_eq!(of("severity"), ["none", "none", "low", "low", "low", "medium"]);
    assert!(of("location").iter().all(|host| host == "web-1"));
    let failed = &all["items"][2];
    assert_eq!(failed["name"], "Login of 'root' failed from 192.0.2.9 by '/usr/sbin/sshd'");
    assert_eq!((&failed["source"], &failed["source_info"]["ip"]), (&json!("root"), &json!("192.0.2.9")));
    assert_eq!(of("name")[5], "The sensor lost 7 records (ring, unknown: ring_full)");

    let without = "Event::Endpoint::Login::Succeeded,Event::Endpoint::Login::Failed";
    let some = client
        .got(&format!("/siem/v1/events?exclude_types={without}&exclude_types=Event::Endpoint::Sensor::Started&limit=2"))
        .await;
    assert_eq!((ids(&some), &some["has_more"]), (ids(&all)[3..5].to_vec(), &json!(true)));
    let rest = client.got(&format!("/siem/v1/events?cursor={}", cursor(&some))).await;
    assert_eq!(ids(&rest), ids(&all)[5..]);
    // What is left out is not looked at again.
    let none = client.got(&format!("/siem/v1/events?exclude_types={}", of("type").join(","))).await;
    assert_eq!((ids(&none).len(), &none["has_more"]), (0, &json!(false)));
    let later = client.got(&format!("/siem/v1/events?cursor={}", cursor(&none))).await;
    assert_eq!(ids(&later).len(), 0);
}
