//! Searches for detections: started, looked at, read page by page.

use reqwest::Method;
use sensor_proto::v1::Alert;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Client, members, of_items};
use crate::program::{Central, alert, reply};

const DETECTIONS: &str = "/detections/v1/queries/detections";
const GROUPS: &str = "/detections/v1/queries/detection-groups";

/// Sends an alert of this policy and priority.
async fn send(central: &Central, policy: &str, priority: &str) {
    let alert = Alert {
        priority: priority.into(),
        strategy_name: policy.into(),
        categories: vec![
            "MITRE.Persistence.Kernel Modules and Extensions (T1547.006)".into(),
            "MITRE.Stealth.Rootkit (T1014)".into(),
        ],
        ..alert()
    };
    reply(central.send(&alert.uuid.clone(), &[alert]).await).await;
}

async fn start(client: &Client<'_>, path: &str, body: &Value) -> Value {
    let (status, run) = client.send(Method::POST, path, body).await;
    assert_eq!(status, 201, "{run}");
    run
}

async fn results(client: &Client<'_>, path: &str, body: &Value) -> Value {
    let run = start(client, path, body).await;
    client.got(&format!("{path}/{}/results", run["id"].as_str().unwrap())).await
}

#[tokio::test]
async fn a_search_has_the_published_members_and_does_not_move() {
    let central = Central::start();
    send(&central, "Kernel Module Inserted", "High").await;
    send(&central, "Interactive Shell", "Medium").await;
    let client = central.log_in().await;
    let run = start(&client, DETECTIONS, &json!({})).await;
    let names = ["createdAt", "expiresAt", "finishedAt", "id", "result", "resultCount", "status"];
    assert_eq!(members(&run), names);
    assert_eq!(
        [&run["status"], &run["result"], &run["resultCount"]],
        [&json!("finished"), &json!("succeeded"), &json!(2)]
    );
    let path = format!("{DETECTIONS}/{}", run["id"].as_str().unwrap());
    // What comes in later is not in it.
    send(&central, "Later", "Low").await;
    assert_eq!(client.got(&path).await, run);
    let found = client.got(&format!("{path}/results?pageSize=1&page=2")).await;
    assert_eq!(found["pages"], json!({ "current": 2, "size": 1, "maxSize": 2000, "total": 2, "items": 2 }));
    let item = &found["items"][0];
    let published = [
        "attackType",
        "detectionAttack",
        "detectionRule",
        "device",
        "id",
        "mitreAttacks",
        "rawData",
        "ruleDescription",
        "sensor",
        "sensorGeneratedAt",
        "severity",
        "suppressed",
        "time",
        "type",
    ];
    assert_eq!(members(item), published);
    assert_eq!((&item["detectionRule"], &item["severity"]), (&json!("LNX-KERNEL-MODULE-INSERTED"), &json!(8)));
    assert_eq!((&item["detectionAttack"], &item["suppressed"]), (&json!("Persistence"), &json!("false")));
    assert_eq!(item["mitreAttacks"][1]["tactic"]["techniques"][0]["id"], "T1014");
    assert_eq!(
        (&item["device"]["entity"], &item["rawData"]["process_path"]),
        (&json!("web-1"), &json!("/usr/bin/a\\xff"))
    );
    assert_eq!(item["sensorGeneratedAt"], "2023-11-14T22:13:20.000Z");
    // The ids are those of the alerts; closed ones are detections all the same.
    let id = item["id"].as_str().unwrap();
    client.got(&format!("/common/v1/alerts/{id}")).await;
    let done = json!({ "action": "acknowledge" });
    assert_eq!(client.send(Method::POST, &format!("/common/v1/alerts/{id}/actions"), &done).await.0, 201);
    assert_eq!(client.got(&format!("{path}/results?pageSize=1&page=2")).await, found);
}

#[tokio::test]
async fn what_is_asked_for_is_found_in_that_order() {
    let central = Central::start();
    for (policy, priority) in [("B", "Low"), ("A", "High"), ("B", "Low"), ("C d", "Info")] {
        send(&central, policy, priority).await;
    }
    let client = central.log_in().await;
    let rules = async |path, body: Value| of_items(&results(&client, path, &body).await, "detectionRule");
    assert_eq!(rules(DETECTIONS, json!({})).await, ["LNX-C-D", "LNX-B", "LNX-A", "LNX-B"]);
    let by = |field: &str, direction: &str| json!([{ "field": field, "direction": direction }]);
    assert_eq!(rules(DETECTIONS, json!({ "sort": by("time", "asc") })).await, ["LNX-B", "LNX-A", "LNX-B", "LNX-C-D"]);
    assert_eq!(rules(DETECTIONS, json!({ "sort": by("severity", "desc") })).await[..2], ["LNX-A", "LNX-B"]);
    assert_eq!(rules(DETECTIONS, json!({ "severity": [0, 8] })).await, ["LNX-C-D", "LNX-A"]);
    assert_eq!(rules(DETECTIONS, json!({ "detectionRule": "LNX-C-D" })).await, ["LNX-C-D"]);
    assert_eq!(rules(DETECTIONS, json!({ "from": "PT1H", "to": "PT30M" })).await, [""; 0]);

    let groups = results(&client, GROUPS, &json!({ "sort": by("count", "desc") })).await;
    assert_eq!(of_items(&groups, "detectionRule"), ["LNX-B", "LNX-C-D", "LNX-A"]);
    let published = ["count", "detectionRule", "device", "mitreAttacks", "sensor", "severity", "time", "type"];
    assert_eq!((members(&groups["items"][0]), &groups["items"][0]["count"]), (published.to_vec(), &json!(2)));
    assert_eq!(groups["pages"]["items"], 3);

    let wrong = [
        json!({ "from": "2999-01-01T00:00:00Z" }),
        json!({ "from": "PT1H", "to": "PT2H" }),
        json!({ "severity": [11] }),
        json!({ "severity": ["high"] }),
        json!({ "sort": [{ "field": "json; --" }] }),
        json!({ "sort": [{ "field": "time", "direction": "up" }] }),
        json!({ "sort": "time" }),
        json!([]),
    ];
    for body in wrong {
        let (status, error) = client.send(Method::POST, DETECTIONS, &body).await;
        assert_eq!((status, error["message"].is_string()), (400, true), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_search_is_its_tenants_alone() {
    let central = Central::start();
    send(&central, "Ours", "High").await;
    let client = central.log_in().await;
    let run = start(&client, DETECTIONS, &json!({})).await;
    let path = format!("{DETECTIONS}/{}", run["id"].as_str().unwrap());
    let other = Uuid::new_v4().to_string();
    central.run_command(&["set-tenant", "--tenant", &other, "--name", "Other"]);
    let (id, secret) = central.create_client(&["--tenant", &other]);
    let theirs = central.log_in_as(&id, &secret).await;
    for path in [path.clone(), format!("{path}/results")] {
        let request = theirs.request(Method::GET, &path).header("X-Tenant-ID", &other);
        assert_eq!(super::answer(request).await.0, 404, "{path}");
    }
    let body = json!({}).to_string();
    let request = theirs.request(Method::POST, DETECTIONS).header("content-type", "application/json").body(body);
    assert_eq!(super::answer(request).await.1["resultCount"], 0);
    for wrong in [
        format!("{GROUPS}/{}", run["id"].as_str().unwrap()),
        format!("{DETECTIONS}/x"),
        "/detections/v1/queries/x/y".into(),
    ] {
        assert_eq!(client.get(&wrong).await.0, 404, "{wrong}");
    }
}
