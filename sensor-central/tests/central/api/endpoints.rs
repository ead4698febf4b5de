//! Sensors as endpoints.

use prost::Message as _;
use sensor_proto::{header, path, v1::HelloRequest};
use serde_json::json;
use uuid::Uuid;

use super::of_items;
use crate::program::{Central, alert, reply};

/// A sensor says hello.
pub(crate) async fn hello(central: &Central, sensor: &str, hostname: &str, address: &str) {
    let said = HelloRequest {
        sensor_version: "0.1.0".into(),
        hostname: hostname.into(),
        metadata: [
            ("os_name".into(), "Debian GNU/Linux".into()),
            ("os_version".into(), "12".into()),
            ("kernel_release".into(), "6.12.0-amd64".into()),
            ("network_interface.eth0".into(), format!("{address},fe80::1")),
        ]
        .into(),
        ..HelloRequest::default()
    };
    let mut request = central.post(path::HELLO, "k").body(said.encode_to_vec()).build().unwrap();
    request.headers_mut().insert(header::SENSOR_ID, sensor.parse().unwrap());
    assert_eq!(central.client.execute(request).await.unwrap().status(), 200);
}

#[tokio::test]
async fn every_sensor_is_an_endpoint_to_which_its_alerts_point() {
    let central = Central::start();
    let v4 = Uuid::new_v4().to_string();
    hello(&central, &v4, "web-2", "192.0.2.2").await;
    hello(&central, "sensor-1", "web-1", "192.0.2.1").await;
    reply(central.send("k", &[alert()]).await).await;
    let client = central.log_in().await;
    let all = client.got("/endpoint/v1/endpoints?pageTotal=true").await;
    assert_eq!(of_items(&all, "hostname"), ["web-1", "web-2"]);
    assert_eq!(all["pages"], json!({ "size": 50, "maxSize": 500, "total": 1, "items": 2 }));
    let ids = of_items(&all, "id");
    assert_eq!(ids[1], v4);
    let first = &all["items"][0];
    for (name, value) in [
        ("type", json!("server")),
        ("ipv4Addresses", json!(["192.0.2.1"])),
        ("ipv6Addresses", json!(["fe80::1"])),
        ("online", json!(true)),
        ("isolation", json!({ "status": "notIsolated" })),
        ("assignedProducts", json!([{ "code": "coreAgent", "version": "0.1.0", "status": "installed" }])),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    assert_eq!((&first["health"]["overall"], &first["os"]["majorVersion"]), (&json!("good"), &json!(12)));
    let alerts = client.got("/common/v1/alerts").await;
    assert_eq!(alerts["items"][0]["managedAgent"]["id"], ids[0]);
    assert_eq!(client.got(&format!("/endpoint/v1/endpoints/{}", ids[0])).await["hostname"], "web-1");
    assert_eq!(client.get(&format!("/endpoint/v1/endpoints/{}", Uuid::new_v4())).await.0, 404);

    for (query, wanted) in [
        ("hostnameContains=WEB-2", &["web-2"][..]),
        ("ipAddresses=192.0.2.1", &["web-1"]),
        ("search=debian&sort=hostname:desc", &["web-2", "web-1"]),
        ("lastSeenBefore=P30D", &[]),
        ("lastSeenAfter=P30D", &["web-1", "web-2"]),
        ("type=computer", &[]),
        ("healthStatus=good,bad", &["web-1", "web-2"]),
        ("healthStatus=bad", &[]),
        ("pageSize=1&pageFromKey=1", &["web-2"]),
        (&format!("ids={}", v4.to_uppercase()), &["web-2"]),
    ] {
        let found = client.got(&format!("/endpoint/v1/endpoints?{query}")).await;
        assert_eq!(of_items(&found, "hostname"), wanted, "{query}");
    }
    assert_eq!(client.get("/endpoint/v1/endpoints?sort=x").await.0, 400);
}
