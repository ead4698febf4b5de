//! Faults on purpose do what they say: the sensor's tests rely on them.

use prost::Message as _;
use sensor_proto::{header, path, v1::AlertBatch};

use crate::program::{Central, alert, refusal, reply};

#[tokio::test]
async fn a_status_comes_as_often_as_asked_for_and_stores_nothing() {
    let central = Central::start_with(&["--fault", "status=429,retry-after=7,count=2"]);
    let alerts = [alert()];
    for _ in 0..2 {
        let response = central.send("k", &alerts).await;
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(refusal(response).await.0, 429);
        assert!(central.detections().is_empty());
    }
    let response = central.send("k", &alerts).await;
    assert_eq!(response.headers()[header::REPLAYED], "false");
    assert_eq!(reply(response).await.accepted, 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_the_batch_stored() {
    let central = Central::start_with(&["--fault", "cut,after", "--fault", "status=502,after"]);
    let alerts = [alert()];
    let body = AlertBatch { alerts: alerts.to_vec() }.encode_to_vec();
    let cut = async { central.post(path::ALERTS, "k").body(body).send().await?.bytes().await };
    assert!(cut.await.is_err(), "the answer breaks off");
    assert_eq!(refusal(central.send("k", &alerts).await).await.0, 502);
    let response = central.send("k", &alerts).await;
    assert_eq!(response.headers()[header::REPLAYED], "true");
    assert_eq!(reply(response).await.accepted, 1);
    assert_eq!(central.detections().len(), 1);
}
