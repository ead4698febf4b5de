//! What was answered with 2xx is stored once, whatever happens then.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use nix::sys::signal::Signal;
use sensor_proto::v1::Alert;
use tokio::task::JoinSet;

use crate::program::{Central, alert, reply};

/// Batches by their key, and whether they were confirmed.
type Sent = Arc<Mutex<BTreeMap<String, (Vec<Alert>, bool)>>>;

/// Sends batches until the peer is gone; kills it once so many are confirmed.
async fn load(central: Central, sent: &Sent, confirmed_before_the_end: usize) -> Arc<tempfile::TempDir> {
    let central = Arc::new(central);
    let confirmed = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for sender in 0..6 {
        let (central, sent, confirmed) = (Arc::clone(&central), Arc::clone(sent), Arc::clone(&confirmed));
        senders.spawn(async move {
            for number in 0.. {
                let key = format!("{}-{sender}-{number}", central.url);
                let alerts: Vec<_> = (0..=number % 7).map(|_| alert()).collect();
                sent.lock().unwrap().insert(key.clone(), (alerts.clone(), false));
                let body = prost::Message::encode_to_vec(&sensor_proto::v1::AlertBatch { alerts });
                let answer = central.post(sensor_proto::path::ALERTS, &key).body(body).send().await;
                match answer {
                    Ok(response) if response.status() == 200 => {
                        sent.lock().unwrap().get_mut(&key).unwrap().1 = true;
                        if confirmed.fetch_add(1, Ordering::SeqCst) + 1 == confirmed_before_the_end {
                            central.signal(Signal::SIGKILL);
                        }
                    }
                    _ => break,
                }
            }
        });
    }
    senders.join_all().await;
    let central = Arc::into_inner(central).unwrap();
    central.kill()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_load_loses_nothing_that_was_confirmed() {
    let sent = Sent::default();
    let mut dir = Arc::new(tempfile::tempdir().unwrap());
    for confirmed in [1, 40, 150] {
        dir = load(Central::start_in(dir, &[]), &sent, confirmed).await;
    }
    let central = Central::start_in(dir, &[]);
    let batches = std::mem::take(&mut *sent.lock().unwrap());
    let uuids = central.uuids();
    let count = |alert: &Alert| uuids.iter().filter(|uuid| **uuid == alert.uuid).count();
    for (alerts, confirmed) in batches.values() {
        let counts: Vec<_> = alerts.iter().map(count).collect();
        // All of a batch or nothing of it, and never twice.
        assert!(counts.iter().all(|count| *count == counts[0]) && counts[0] <= 1, "{counts:?}");
        assert!(counts[0] == 1 || !confirmed);
    }
    // A sensor sends again what was not confirmed; then everything is there, once.
    let mut all = Vec::new();
    for (key, (alerts, confirmed)) in batches {
        if !confirmed {
            reply(central.send(&key, &alerts).await).await;
        }
        all.extend(alerts.into_iter().map(|alert| alert.uuid));
    }
    all.sort();
    assert_eq!(central.uuids(), all);
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_confirmed_and_keeps_nothing_else_out() {
    let central = Central::start();
    let database = rusqlite::Connection::open(central.dir.path().join("central.db")).unwrap();
    // A batch with one alert that the database refuses, as a full disk would.
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON alerts WHEN NEW.policy = 'refused'
                  BEGIN SELECT RAISE(ABORT, 'no room'); END";
    database.execute_batch(refuse).unwrap();
    let refused = [alert(), Alert { strategy_name: "refused".into(), ..alert() }];
    let mut others = JoinSet::new();
    for number in 0..20 {
        let body = prost::Message::encode_to_vec(&sensor_proto::v1::AlertBatch { alerts: vec![alert()] });
        others.spawn(central.post(sensor_proto::path::ALERTS, &format!("other-{number}")).body(body).send());
    }
    let response = central.send("k", &refused).await;
    assert_eq!(response.headers()["retry-after"], "30");
    assert_eq!(response.status(), 503);
    for response in others.join_all().await {
        assert_eq!(reply(response.unwrap()).await.accepted, 1);
    }
    assert_eq!(central.send("k", &refused).await.status(), 503);
    let health = || async { central.client.get(format!("{}/healthz", central.url)).send().await.unwrap().status() };
    assert_eq!(health().await, 503);
    assert_eq!(central.detections().len(), 20);
    database.execute_batch("DROP TRIGGER refuse").unwrap();
    assert_eq!(reply(central.send("k", &refused).await).await.accepted, 2);
    assert_eq!(health().await, 200);
}
