//! Open alerts: listed, searched, acknowledged.

use reqwest::Method;
use sensor_proto::v1::Alert;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{members, of_items};
use crate::program::{Central, alert, reply};

/// Sends alerts of these priorities, each in a batch of its own.
async fn send(central: &Central, priorities: &[&str]) {
    for priority in priorities {
        let alert = Alert { priority: (*priority).into(), strategy_name: format!("Policy {priority}"), ..alert() };
        reply(central.send(&alert.uuid.clone(), &[alert]).await).await;
    }
}

#[tokio::test]
async fn open_alerts_are_listed_oldest_first_page_by_page() {
    let central = Central::start();
    send(&central, &["High", "Medium", "Low", "Info", "Unheard-of"]).await;
    let client = central.log_in().await;
    let all = client.got("/common/v1/alerts?pageTotal=True").await;
    assert_eq!(of_items(&all, "severity"), ["high", "medium", "low", "low", "high"]);
    assert_eq!(all["pages"], json!({ "size": 50, "maxSize": 1000, "total": 1, "items": 5 }));
    let times = of_items(&all, "raisedAt");
    assert!(times.is_sorted_by(|one, next| one < next), "each came in later: {times:?}");
    let published = [
        "allowedActions",
        "category",
        "description",
        "groupKey",
        "id",
        "managedAgent",
        "product",
        "raisedAt",
        "severity",
        "tenant",
        "type",
    ];
    let first = &all["items"][0];
    assert_eq!(members(first), published);
    assert_eq!(first["managedAgent"]["name"], "web-1");

    // By key, with a number that rides along.
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let page = client.got(&format!("/common/v1/alerts?pageSize=2&page=1{next}")).await;
        found.extend(of_items(&page, "id"));
        assert!(page["pages"].get("current").is_none());
        let Some(key) = page["pages"].get("nextKey") else { break };
        assert!(key.as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()));
        next = format!("&pageFromKey={}", key.as_str().unwrap());
    }
    assert_eq!(found, of_items(&all, "id"));
    let second = client.got("/common/v1/alerts?pageSize=2&page=2").await;
    assert_eq!(of_items(&second, "id"), found[2..4]);
    let newest = client.got("/common/v1/alerts?sort=raisedAt:desc&pageSize=1").await;
    assert_eq!(of_items(&newest, "id"), found[4..]);

    // A poller goes on from the last one it has seen.
    let on = client.got(&format!("/common/v1/alerts?from={}&to={}", times[1], times[3])).await;
    assert_eq!(of_items(&on, "id"), found[1..3]);
}

#[tokio::test]
async fn what_is_asked_for_is_what_is_listed_in_a_query_or_an_object() {
    let central = Central::start();
    send(&central, &["High", "Medium", "Low"]).await;
    let client = central.log_in().await;
    let all = client.got("/common/v1/alerts").await;
    let (ids, keys) = (of_items(&all, "id"), of_items(&all, "groupKey"));
    for (query, object, wanted) in [
        ("severity=high,low".to_owned(), json!({ "severity": ["high", "low"] }), vec![0, 2]),
        ("severity=high&severity=medium".into(), json!({ "severity": "high,medium" }), vec![0, 1]),
        (format!("ids={},{}", ids[2], ids[1]), json!({ "ids": [ids[2], ids[1]] }), vec![1, 2]),
        (format!("groupKey={}", keys[1]), json!({ "groupKey": keys[1] }), vec![1]),
        ("groupKey=***".into(), json!({ "groupKey": "***" }), vec![]),
        ("product=endpoint".into(), json!({ "product": ["endpoint"] }), vec![]),
        ("product=endpoint,server&category=runtimeDetections".into(), json!({ "product": ["server"] }), vec![0, 1, 2]),
        ("category=malware".into(), json!({ "category": ["malware"] }), vec![]),
        ("from=PT1H&unknown=x".into(), json!({ "from": "PT1H", "sort": ["raisedAt:asc"] }), vec![0, 1, 2]),
        ("to=2020-01-01 08:00:00".into(), json!({ "to": "2020-01-01T08:00:00+02:00" }), vec![]),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(|index: usize| ids[index].clone()).collect();
        let listed = client.got(&format!("/common/v1/alerts?{query}")).await;
        assert_eq!(of_items(&listed, "id"), wanted, "{query}");
        let (status, found) = client.send(Method::POST, "/common/v1/alerts/search", &object).await;
        assert_eq!((status, of_items(&found, "id")), (200, wanted), "{object}");
    }
    let some = client.got("/common/v1/alerts?fields=severity&fields=product").await;
    assert_eq!(members(&some["items"][0]), ["id", "product", "severity"]);
    for wrong in
        ["severity=critical", "ids=x", "from=x", "from=2999-01-01", "sort=name", "pageFromKey=x", "pageTotal=x"]
    {
        assert_eq!(client.get(&format!("/common/v1/alerts?{wrong}")).await.0, 400, "{wrong}");
    }
    assert_eq!(client.send(Method::POST, "/common/v1/alerts/search", &json!([])).await.0, 400);
}

#[tokio::test]
async fn an_alert_that_is_acknowledged_is_open_no_longer() {
    let central = Central::start();
    send(&central, &["High", "Low"]).await;
    let client = central.log_in().await;
    let ids = of_items(&client.got("/common/v1/alerts").await, "id");
    let path = format!("/common/v1/alerts/{}", ids[0]);
    assert_eq!(client.got(&path).await["id"], ids[0]);
    let act = async |body: &Value| client.send(Method::POST, &format!("{path}/actions"), body).await;

    let (id, secret) = central.create_client(&["--tenant", &central.tenant, "--role", "read-only"]);
    let reader = central.log_in_as(&id, &secret).await;
    let acknowledge = json!({ "action": "acknowledge", "message": "seen" });
    assert_eq!(reader.send(Method::POST, &format!("{path}/actions"), &acknowledge).await.0, 403);
    assert_eq!(act(&json!({ "action": "cleanPua" })).await.0, 400);

    let (status, done) = act(&acknowledge).await;
    assert_eq!((status, &done["alertId"], &done["status"]), (201, &json!(ids[0]), &json!("completed")));
    let published = ["action", "alertId", "completedAt", "id", "requestedAt", "result", "startedAt", "status"];
    assert_eq!(members(&done), published);
    assert_eq!(of_items(&client.got("/common/v1/alerts").await, "id"), ids[1..]);
    assert_eq!(client.get(&path).await.0, 404);
    assert_eq!(act(&acknowledge).await.0, 404);
    assert_eq!(client.get(&format!("/common/v1/alerts/{}", Uuid::new_v4())).await.0, 404);
    // An exporter that comes later still has it.
    assert_eq!(of_items(&client.got("/siem/v1/alerts").await, "id"), ids);
}
