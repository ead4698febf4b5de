//! Tokens that let sensors in, made over the API.

use reqwest::{Method, header::AUTHORIZATION};
use sensor_proto::path;
use serde_json::json;
use uuid::Uuid;

use super::of_items;
use crate::program::Central;

const PATH: &str = "/accounts/v1/access-tokens";

#[tokio::test]
async fn a_token_is_made_lets_a_sensor_in_and_is_taken_back() {
    let central = Central::start();
    let client = central.log_in().await;
    let asked = json!({ "label": "first", "type": "sophosLinuxSensor", "expiresAt": "2099-01-01T00:00:00Z" });
    let (status, made) = client.send(Method::POST, PATH, &asked).await;
    assert_eq!((status, &made["label"], &made["url"]), (201, &json!("first"), &json!(central.url)), "{made}");
    assert_eq!(made["expiresAt"], "2099-01-01T00:00:00.000Z");
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("SLS-"));
    let deliver = async || {
        let mut request = central.post(path::ALERTS, &Uuid::new_v4().to_string()).body(Vec::new()).build().unwrap();
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        central.client.execute(request).await.unwrap().status()
    };
    assert_eq!(deliver().await, 200);

    let listed = client.got(PATH).await;
    assert_eq!(of_items(&listed, "label"), ["dev", "first"]);
    assert!(of_items(&listed, "token").iter().all(|shown| shown == "SLS-****"), "it is shown once");
    let one = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let (status, changed) = client.send(Method::PATCH, &one, &json!({ "label": "second" })).await;
    assert_eq!((status, &changed["label"]), (200, &json!("second")));
    assert_eq!(client.got(&one).await, changed);
    assert_eq!(client.send(Method::DELETE, &one, &json!({})).await, (200, json!({ "deleted": true })));
    assert_eq!(deliver().await, 401);
    assert_eq!(client.send(Method::DELETE, &one, &json!({})).await.0, 404);

    for wrong in [
        json!({ "label": "", "type": "sls" }),
        json!({ "label": "x".repeat(51), "type": "sls" }),
        json!({ "label": "x", "type": "other" }),
        json!({ "label": "x", "type": "sls", "expiresAt": "2020-01-01T00:00:00Z" }),
        json!({ "label": "x", "type": "sls", "expiresAt": "soon" }),
    ] {
        assert_eq!(client.send(Method::POST, PATH, &wrong).await.0, 400, "{wrong}");
    }
    let (id, secret) = central.create_client(&["--tenant", &central.tenant, "--role", "read-only"]);
    let reader = central.log_in_as(&id, &secret).await;
    assert_eq!(reader.send(Method::POST, PATH, &asked).await.0, 403);
    assert_eq!(of_items(&reader.got(PATH).await, "label"), ["dev"]);
}
