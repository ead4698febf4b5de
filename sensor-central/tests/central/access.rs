//! Who gets in.

use std::process::Command;

use prost::Message as _;
use reqwest::{RequestBuilder, header::AUTHORIZATION, tls::CertificateRevocationList};
use sensor_proto::{
    header, path,
    v1::{AlertBatch, HelloReply, HelloRequest},
};
use uuid::Uuid;

use crate::program::{Central, alert, refusal, reply};

#[tokio::test]
async fn only_the_token_of_the_tenant_gets_in() {
    let central = Central::start();
    let body = AlertBatch { alerts: vec![alert()] }.encode_to_vec();
    let other = Uuid::new_v4().to_string();
    let (begin, end) = central.token.split_at(central.token.len() - 1);
    let wrong_end = format!("{begin}{}", if end == "0" { "1" } else { "0" });
    let without = |name: &'static str| {
        let (client, request) = central.post(path::ALERTS, "k").build_split();
        let mut request = request.unwrap();
        request.headers_mut().remove(name);
        RequestBuilder::from_parts(client, request)
    };
    let set = |name: &'static str, value: &str| without(name).header(name, value);
    for (request, status, word) in [
        (without("authorization"), 401, "Bearer"),
        (without("authorization").header(AUTHORIZATION, format!("Basic {}", central.token)), 401, "Bearer"),
        (without("authorization").bearer_auth("SLS-0"), 401, "mcs.token"),
        (without("authorization").bearer_auth(wrong_end), 401, "mcs.token"),
        (set(header::TENANT_ID, &other), 403, "customer_id"),
        (set(header::TENANT_ID, "x"), 403, "customer_id"),
        (without(header::TENANT_ID), 400, header::TENANT_ID),
        (without(header::SENSOR_ID), 400, header::SENSOR_ID),
        (without(header::IDEMPOTENCY_KEY), 400, header::IDEMPOTENCY_KEY),
        (set(header::IDEMPOTENCY_KEY, &"k".repeat(129)), 400, header::IDEMPOTENCY_KEY),
        (set(header::IDEMPOTENCY_KEY, "k k"), 400, header::IDEMPOTENCY_KEY),
    ] {
        let (found, text) = refusal(request.body(body.clone()).send().await.unwrap()).await;
        assert_eq!(found, status, "{text}");
        assert!(text.contains(word), "{text}");
        assert!(!text.contains("SLS-0"), "a token stands in no text: {text}");
    }
    assert!(central.detections().is_empty());
}

#[tokio::test]
async fn a_token_made_while_the_service_runs_works_at_once_and_until_it_expires() {
    let central = Central::start();
    let make = |days: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sensor-central"));
        command.args(["create-token", "--label", "l", "--days", days, "--tenant", &central.tenant, "--data-dir"]);
        let output = command.arg(central.dir.path()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    for (days, status) in [("1", 200), ("0", 401)] {
        let token = make(days);
        assert!(token.starts_with("SLS-"));
        let mut request = central.post(path::ALERTS, days).body(Vec::new()).build().unwrap();
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        assert_eq!(central.client.execute(request).await.unwrap().status(), status, "{days} days");
    }
    let file = std::fs::read(central.dir.path().join("central.db")).unwrap();
    let secret = central.token.as_bytes();
    assert!(!file.windows(secret.len()).any(|bytes| bytes == secret), "the database has no token in clear");
}

#[tokio::test]
async fn hello_tells_the_clocks_apart() {
    let central = Central::start();
    let said = HelloRequest {
        sensor_version: "0.1.0".into(),
        hostname: "web-1".into(),
        unix_nano_timestamp: Some(1_000_000_000),
        ..HelloRequest::default()
    };
    for _ in 0..2 {
        let response = central.post(path::HELLO, "k").body(said.encode_to_vec()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let said = HelloReply::decode(response.bytes().await.unwrap()).unwrap();
        // The sensor lives a second after the epoch.
        assert_eq!(said.clock_skew_nano.unwrap(), said.unix_nano_timestamp.cast_signed() - 1_000_000_000);
        assert!(said.max_items > 0 && said.max_body_bytes > 0 && said.max_decoded_bytes >= said.max_body_bytes);
    }
    let response = central.post(path::HELLO, "k").body("\x0a").send().await.unwrap();
    assert_eq!(refusal(response).await.0, 400);
}

#[tokio::test]
async fn the_revocation_list_is_one_that_clients_can_use() {
    for (crl, trusted) in [("good", true), ("revoked", false)] {
        let central = Central::start_with(&["--crl", crl]);
        let list = std::fs::read(central.dir.path().join("sophosca1.crl")).unwrap();
        let list = CertificateRevocationList::from_pem(&list).unwrap();
        let client = Central::client_of(central.dir.path(), |builder| builder.add_crl(list));
        let answer = client.get(format!("{}/healthz", central.url)).send().await;
        assert_eq!(answer.is_ok(), trusted, "{crl}: {answer:?}");
    }
}

#[tokio::test]
async fn nobody_is_trusted_but_the_ca() {
    let (central, other) = (Central::start(), Central::start());
    let answer = other.client.get(format!("{}/healthz", central.url)).send().await;
    assert!(answer.unwrap_err().is_connect());
    reply(central.send("k", &[alert()]).await).await;
}

/// A client of the API that may deliver, and nothing else; and a sensor's token, which reads nothing.
#[tokio::test]
async fn who_may_only_deliver_delivers_and_reads_nothing() {
    let central = Central::start();
    let (id, secret) = central.create_client(&["--role", "ingest-only", "--tenant", &central.tenant]);
    let client = central.log_in_as(&id, &secret).await;
    let deliver = async |token: &str, tenant: &str| {
        let body = AlertBatch { alerts: vec![alert()] }.encode_to_vec();
        let mut request = central.post(path::ALERTS, &Uuid::new_v4().to_string()).body(body).build().unwrap();
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        request.headers_mut().insert(header::TENANT_ID, tenant.parse().unwrap());
        central.client.execute(request).await.unwrap().status().as_u16()
    };
    assert_eq!(deliver(&client.token, &central.tenant).await, 200);
    assert_eq!(deliver(&client.token, &Uuid::new_v4().to_string()).await, 403);
    assert_eq!(client.got("/whoami/v1").await["id"], central.tenant);
    // Those of other roles are for the API alone.
    for role in ["read-only", "super-admin"] {
        let (id, secret) = central.create_client(&["--role", role, "--tenant", &central.tenant]);
        let other = central.log_in_as(&id, &secret).await;
        assert_eq!(deliver(&other.token, &central.tenant).await, 401, "{role}");
    }
    for path in [
        "/siem/v1/alerts",
        "/siem/v1/events/",
        "/common/v1/alerts",
        "/endpoint/v1/endpoints",
        "/accounts/v1/access-tokens",
        "/detections/v1/queries/detections/x",
        "/partner/v1/tenants",
    ] {
        let (status, told) = client.get(path).await;
        assert_eq!(status, 403, "{path}: {told}");
        let request = central.client.get(format!("{}{path}", central.url)).bearer_auth(&central.token);
        assert_eq!(request.send().await.unwrap().status(), 401, "{path}");
    }
    let (status, _) = client.send(reqwest::Method::POST, "/accounts/v1/access-tokens", &serde_json::json!({})).await;
    assert_eq!(status, 403);
    central.run_command(&["revoke-client", "--id", &id]);
    assert_eq!(deliver(&client.token, &central.tenant).await, 401);
}
