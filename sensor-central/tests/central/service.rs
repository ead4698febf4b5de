//! The service as its operator sees it: protocols, health, metrics, overload, stopping.

use std::sync::Arc;

use axum::body::Bytes;
use http_body_util::channel::{Channel, Sender};
use nix::sys::signal::Signal;
use prost::Message as _;
use reqwest::{Body, Version, tls};
use sensor_central::dev::{Crl, Dev};
use sensor_proto::{path, v1::AlertBatch};

use crate::program::{Central, alert, refusal, reply};

#[tokio::test]
async fn both_versions_of_http_and_of_tls_are_spoken() {
    let central = Central::start();
    let get = |client: reqwest::Client| client.get(format!("{}/healthz", central.url)).send();
    assert_eq!(get(central.client.clone()).await.unwrap().version(), Version::HTTP_2);
    let old = Central::client_of(central.dir.path(), |builder| builder.http1_only());
    assert_eq!(get(old).await.unwrap().version(), Version::HTTP_11);
    let tls12 = Central::client_of(central.dir.path(), |builder| builder.tls_version_max(tls::Version::TLS_1_2));
    assert_eq!(get(tls12).await.unwrap().text().await.unwrap(), "ok\n");
}

#[tokio::test]
async fn metrics_count_what_came_in() {
    let central = Central::start();
    let again = alert();
    reply(central.send("k1", &[again.clone(), alert()]).await).await;
    let bad = sensor_proto::v1::Alert::default();
    reply(central.send("k2", &[again, bad]).await).await;
    central.client.get(format!("{}/no/such/path", central.url)).send().await.unwrap();
    for (name, value) in [
        ("central_items_total{kind=\"alerts\",outcome=\"stored\"}", 2.0),
        ("central_items_total{kind=\"alerts\",outcome=\"duplicate\"}", 1.0),
        ("central_items_total{kind=\"alerts\",outcome=\"rejected\"}", 1.0),
        ("central_requests_total{endpoint=\"/sensor/v1/alerts\",status=\"200\"}", 2.0),
        ("central_requests_total{endpoint=\"other\",status=\"404\"}", 1.0),
        ("central_commit_seconds_count", 2.0),
        ("central_bodies_in_flight", 0.0),
    ] {
        assert_eq!(central.metric(name).await, Some(value), "{name}");
    }
    assert!(central.metric("central_database_bytes").await.unwrap() > 4096.0);
}

#[tokio::test]
async fn metrics_are_for_those_allowed() {
    let dir = Arc::clone(&Central::start().dir);
    let central = Central::serve(dir, "metrics: {allow: [10.0.0.0/8]}");
    let answer = central.client.get(format!("{}/metrics", central.url)).send().await.unwrap();
    assert_eq!(refusal(answer).await.0, 403);
}

/// A request whose body is still to come, once the service holds a place for it.
async fn begun(central: &Central) -> (Sender<Bytes>, tokio::task::JoinHandle<reqwest::Response>) {
    let (sender, body) = Channel::<Bytes>::new(4);
    let request = central.post(path::ALERTS, "slow").body(Body::wrap(body));
    let response = tokio::spawn(async { request.send().await.unwrap() });
    while central.metric("central_bodies_in_flight").await != Some(1.0) {
        tokio::task::yield_now().await;
    }
    (sender, response)
}

#[tokio::test]
async fn what_exceeds_the_places_is_told_to_come_back() {
    let dir = Arc::clone(&Central::start().dir);
    let central = Central::serve(dir, "limits: {in_flight: 1}");
    let (mut body, first) = begun(&central).await;
    let refused = central.send("k", &[alert()]).await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refusal(refused).await.0, 503);
    let bytes = AlertBatch { alerts: vec![alert()] }.encode_to_vec();
    body.send_data(bytes.into()).await.unwrap();
    drop(body);
    assert_eq!(reply(first.await.unwrap()).await.accepted, 1);
    assert_eq!(reply(central.send("k", &[alert()]).await).await.accepted, 1);
}

#[tokio::test]
async fn sigterm_lets_what_has_begun_come_to_its_end() {
    let mut central = Central::start();
    let (mut body, response) = begun(&central).await;
    central.signal(Signal::SIGTERM);
    // Nobody new is let in; who is in goes on.
    let address: std::net::SocketAddr = central.url.strip_prefix("https://").unwrap().parse().unwrap();
    while std::net::TcpStream::connect(address).is_ok() {
        tokio::task::yield_now().await;
    }
    let last = alert();
    body.send_data(AlertBatch { alerts: vec![last.clone()] }.encode_to_vec().into()).await.unwrap();
    drop(body);
    assert_eq!(reply(response.await.unwrap()).await.accepted, 1);
    assert!(central.wait().success());
    assert_eq!(central.uuids(), [last.uuid]);
}

#[tokio::test]
async fn sighup_takes_a_new_certificate_and_keeps_the_old_one_rather_than_a_bad_one() {
    let dir = Arc::clone(&Central::start().dir);
    let central = Central::serve(Arc::clone(&dir), "");
    // A new certificate, and a list that revokes it: so a client that checks the list tells old from new.
    Dev::prepare(dir.path(), Crl::Revoked).unwrap();
    let list = std::fs::read(dir.path().join("sophosca1.crl")).unwrap();
    let is_old = || async {
        let list = tls::CertificateRevocationList::from_pem(&list).unwrap();
        let client = Central::client_of(dir.path(), |builder| builder.add_crl(list));
        client.get(format!("{}/healthz", central.url)).send().await.is_ok()
    };
    let (key, new) = (dir.path().join("server.key"), dir.path().join("new.key"));
    std::fs::rename(&key, &new).unwrap();
    central.signal(Signal::SIGHUP);
    assert!(is_old().await);
    std::fs::rename(&new, &key).unwrap();
    central.signal(Signal::SIGHUP);
    while is_old().await {
        tokio::task::yield_now().await;
    }
    assert_eq!(central.send("k", &[alert()]).await.status(), 200);
}
