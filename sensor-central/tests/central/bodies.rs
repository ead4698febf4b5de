//! Bodies: compressed or not, too large, and such as no sensor sends.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use proptest::{prelude::*, test_runner::TestRunner};
use prost::Message as _;
use sensor_proto::{
    path,
    v1::{Alert, AlertBatch, EventBatch, Row},
};

use crate::program::{Central, alert, refusal, reply};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zstd(plain: &[u8]) -> Vec<u8> {
    zstd::encode_all(plain, 3).unwrap()
}

#[tokio::test]
async fn every_encoding_carries_the_same() {
    let central = Central::start();
    let alerts: Vec<_> = (0..50).map(|_| alert()).collect();
    let plain = AlertBatch { alerts: alerts.clone() }.encode_to_vec();
    // One key: that the first is replayed shows that all three are one batch.
    for (encoding, body, replayed) in
        [("identity", plain.clone(), "false"), ("gzip", gzip(&plain), "true"), ("zstd", zstd(&plain), "true")]
    {
        let request = central.post(path::ALERTS, "k").header("content-encoding", encoding).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["idempotency-replayed"], replayed, "{encoding}");
        assert_eq!(reply(response).await.accepted, 50);
    }
    assert_eq!(central.detections().len(), 50);
}

#[tokio::test]
async fn what_is_too_large_or_not_understood_is_refused_with_its_reason() {
    let central = Central::start();
    let bomb = vec![0; (32 << 20) + 1];
    let cut = |mut body: Vec<u8>| {
        body.truncate(body.len() - 5);
        body
    };
    let plain = AlertBatch { alerts: vec![alert(); 20] }.encode_to_vec();
    let items = EventBatch { rows: vec![Row::default(); 50_001] }.encode_to_vec();
    for (encoding, body, status) in [
        ("identity", vec![0; (4 << 20) + 1], 413),
        ("gzip", gzip(&bomb), 413),
        ("zstd", zstd(&bomb), 413),
        ("zstd", zstd(&items), 413),
        ("gzip", cut(gzip(&plain)), 400),
        ("zstd", cut(zstd(&plain)), 400),
        ("gzip", plain.clone(), 400),
        ("identity", cut(plain.clone()), 400),
        ("br", plain.clone(), 415),
        ("gzip, zstd", plain.clone(), 415),
    ] {
        let request = central.post(path::EVENTS, "k").header("content-encoding", encoding).body(body);
        let (found, text) = refusal(request.send().await.unwrap()).await;
        assert_eq!(found, status, "{encoding}: {text}");
    }
    // Over HTTP/1.1 the refusal must reach a client that is still sending.
    let old = Central::client_of(central.dir.path(), |builder| builder.http1_only());
    for bytes in [(4 << 20) + 1, 6 << 20] {
        let request = central.post(path::ALERTS, "k").body(vec![0; bytes]).build().unwrap();
        assert_eq!(old.execute(request).await.unwrap().status(), 413, "{bytes}");
    }
    let mut request = central.post(path::ALERTS, "k").body(plain).build().unwrap();
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    assert_eq!(refusal(central.client.execute(request).await.unwrap()).await.0, 415);
    assert!(central.detections().is_empty());
}

/// Bytes of no kind, and batches in which some bytes are wrong.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let batch = AlertBatch { alerts: vec![alert(), Alert::default()] }.encode_to_vec();
    let spoiled = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6).prop_map(move |changes| {
        let mut batch = batch.clone();
        for (at, byte) in changes {
            let at = at.index(batch.len());
            batch[at] = byte;
        }
        batch
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..300), spoiled]
}

#[test]
fn garbage_is_refused_and_the_service_stays() {
    let central = Central::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let encodings = prop::sample::select(vec!["identity", "gzip", "zstd"]);
    let paths = prop::sample::select(vec![path::ALERTS, path::EVENTS, path::HELLO]);
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) });
    runner
        .run(&(broken(), encodings, any::<bool>(), paths), |(body, encoding, wrapped, path)| {
            let body = match encoding {
                "gzip" if wrapped => gzip(&body),
                "zstd" if wrapped => zstd(&body),
                _ => body,
            };
            let key = uuid::Uuid::new_v4().to_string();
            let request = central.post(path, &key).header("content-encoding", encoding).body(body);
            let status = runtime.block_on(request.send()).unwrap().status();
            prop_assert!([200, 400].contains(&status.as_u16()), "{status}");
            Ok(())
        })
        .unwrap();
    let health = central.client.get(format!("{}/healthz", central.url)).send();
    assert_eq!(runtime.block_on(health).unwrap().status(), 200);
}
