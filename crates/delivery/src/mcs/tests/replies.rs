//! The table of replies.

use super::*;

#[test]
fn what_is_taken_leaves_the_spool() {
    let peer = Peer::start(good);
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append((1..=40).map(alert).collect());
    sensor.append(vec![rows(100, 30)]);
    sensor.until_empty();
    sensor.until_confirmed(70);
    let status = sensor.status();
    assert_eq!((error(&status), &status.notes[..]), (None, &[][..]));
    assert_eq!(sensor.receipts.iter().take(40).filter(|receipt| receipt.outcome == Outcome::Confirmed).count(), 40);

    let requests = peer.requests.lock().unwrap();
    assert!(requests.iter().all(|request| request.connection == 0), "the connection is kept");
    for request in &*requests {
        assert_eq!(request.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
        assert_eq!(request.header("x-tenant-id"), Some("00000000-0000-0000-0000-00000000004d"));
        assert_eq!(request.header("x-sensor-id"), Some("sensor-1"));
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        assert!(Uuid::parse_str(request.key()).is_ok());
    }
    assert!(requests.iter().any(|request| request.header("content-encoding") == Some("zstd")));
}

#[test]
fn a_batch_keeps_its_key_until_it_is_taken() {
    let mut tries = 0;
    let peer = Peer::start(move |request| {
        if request.path.ends_with("hello") {
            return good(request);
        }
        tries += 1;
        match tries {
            1 => Act::Reply(http(503, "retry-after: 0\r\n", b"busy")),
            2 => Act::Break(Vec::new()),
            3 => Act::Reply(http(429, "", b"")),
            _ => good(request),
        }
    });
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append(vec![alert(1), alert(2)]);
    sensor.until_it_fails("");
    sensor.append(vec![alert(3)]);
    sensor.until_empty();
    let batches = peer.batches();
    assert!(batches.len() > 4);
    assert!(batches[..4].iter().all(|batch| batch.key() == batches[0].key() && batch.alerts() == [1, 2]));
    assert_eq!(batches[4].alerts(), [3]);
    assert_ne!(batches[4].key(), batches[0].key());
    sensor.until_confirmed(3);
    let told: Vec<Outcome> =
        sensor.outcomes().into_iter().filter(|(of, _)| *of == 1).map(|(_, outcome)| outcome).collect();
    assert!(matches!(&told[..], [Outcome::Retrying(why), .., Outcome::Confirmed] if why.contains("busy")), "{told:?}");
}

#[test]
fn rejected_items_become_dead_letters_with_their_reason() {
    let peer = Peer::start(|request| match request.path.as_str() {
        "/sensor/v1/alerts" => taken(request.messages(), &[1]),
        "/sensor/v1/events" => taken(request.messages(), &[0, 4]),
        _ => good(request),
    });
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append(vec![alert(1), alert(2), alert(3), rows(10, 5)]);
    sensor.until_empty();
    sensor.until_confirmed(5);
    let stats = sensor.spool.stats();
    assert_eq!(stats.dead_letters, 3);
    assert_eq!(stats.given_up.count(Kind::Urgent, Cause::Rejected), 1);
    assert_eq!(stats.given_up.count(Kind::Bulk, Cause::Rejected), 2);
    let rejected: Vec<_> = sensor.outcomes().into_iter().filter(|(_, it)| matches!(it, Outcome::Rejected(_))).collect();
    assert_eq!(rejected, [(2, Outcome::Rejected("not that one".to_owned()))]);
}

#[test]
fn a_bad_item_is_found_by_halving() {
    for status in [400, 413, 422] {
        let peer = Peer::start(move |request| {
            if request.path.ends_with("alerts") && request.alerts().contains(&5) {
                return Act::Reply(http(status, "", b"one of them is bad"));
            }
            if request.path.ends_with("events") && request.messages() > 3 {
                return Act::Reply(http(status, "", b"too many rows"));
            }
            good(request)
        });
        let sensor = Sensor::start(&peer, |_| {});
        sensor.append((1..=16).map(alert).chain([rows(50, 10)]).collect());
        sensor.until_empty();
        sensor.until_confirmed(25);
        assert_eq!(sensor.spool.stats().given_up.count(Kind::Urgent, Cause::Rejected), 1);
        let rejected: Vec<_> =
            sensor.outcomes().into_iter().filter(|(_, it)| matches!(it, Outcome::Rejected(_))).collect();
        assert!(matches!(&rejected[..], [(5, Outcome::Rejected(why))] if why.contains("bad")), "{rejected:?}");
        assert_eq!(sensor.status().retried, 0, "halving is no fault");
    }
}

/// A whole and valid alert, down to what identifies it: only what is too large even so becomes a dead letter.
#[test]
fn an_alert_that_is_too_large_goes_in_a_shorter_form() {
    let long = |number: u128| {
        let whole = Alert::decode(&*alert(number).body).unwrap();
        let form = |bytes: usize| Alert { description: "d".repeat(bytes), ..whole.clone() }.encode_to_vec();
        NewItem { body: crate::spool::forms::put(&[20_000, 7_000, 300].map(form)), ..alert(number) }
    };
    for (most, delivered) in [(10_000, 3), (1_000, 3), (600, 2)] {
        let peer = Peer::start(move |request| {
            let is_larger = request.path.ends_with("alerts") && request.body.len() > most;
            if is_larger { Act::Reply(http(413, "", b"too large")) } else { good(request) }
        });
        // Of which the size is what counts here.
        let sensor = Sensor::start(&peer, |_| {});
        let small = NewItem {
            body: Alert { uuid: Uuid::from_u128(1).to_string(), ..Alert::default() }.encode_to_vec(),
            ..alert(1)
        };
        let last = NewItem {
            body: Alert { uuid: Uuid::from_u128(3).to_string(), ..Alert::default() }.encode_to_vec(),
            ..alert(3)
        };
        sensor.append(vec![small, long(2), last]);
        sensor.until_empty();
        sensor.until_confirmed(delivered);
        let rejected = sensor.spool.stats().given_up.count(Kind::Urgent, Cause::Rejected);
        assert_eq!(rejected, 3 - delivered);
        assert_eq!(sensor.status().retried, 0, "shortening is no fault");
        let taken: Vec<u128> =
            peer.batches().iter().filter(|batch| batch.body.len() <= most).flat_map(Request::alerts).collect();
        assert_eq!(taken.len() as u64, delivered, "{taken:?}");
    }
}

#[test]
fn a_receiver_that_refuses_everything_does_not_empty_the_spool() {
    let peer = Peer::start(|request| match request.path.as_str() {
        "/sensor/v1/hello" => good(request),
        _ => Act::Reply(http(400, "", b"no")),
    });
    let sensor = Sensor::start(&peer, |settings| settings.pace.slow = Duration::from_secs(3600));
    sensor.append((1..=30).map(alert).collect());
    sensor.until_it_fails("really the right receiver");
    assert_eq!(sensor.spool.stats().given_up.sum(), 8);
    assert_eq!(sensor.spool.stats().disk[0].items, 22);
}

#[test]
fn who_is_refused_keeps_all_and_tries_on() {
    for (status, word) in [(401, "mcs.token"), (403, "customer_id"), (404, "mcs.url"), (302, "mcs.url")] {
        let mut tries = 0;
        let peer = Peer::start(move |request| {
            tries += 1;
            let reply = format!("you are not {TOKEN}\x1b[31m");
            if tries <= 6 { Act::Reply(http(status, "location: /\r\n", reply.as_bytes())) } else { good(request) }
        });
        let sensor = Sensor::start(&peer, |_| {});
        sensor.append(vec![alert(1), rows(2, 2)]);
        let why = sensor.until_it_fails(word);
        assert!(why.contains("you are not ***") && !why.contains('\x1b'), "{why}");
        assert!(!format!("{:?}", sensor.status()).contains(TOKEN));
        sensor.until_empty();
        assert_eq!(sensor.spool.stats().given_up.sum(), 0);
        sensor.until("recovery", |status| status.last_error.as_ref().is_some_and(|error| error.over));
    }
}

#[test]
fn a_receiver_without_zstd_gets_it_plain() {
    let peer = Peer::start(|request| match request.header("content-encoding") {
        Some(_) => Act::Reply(http(415, "", b"plain, please")),
        None => good(request),
    });
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append((1..=5).map(alert).collect());
    sensor.until_empty();
    sensor.append(vec![alert(6), alert(7)]);
    sensor.until_empty();
    let compressed = peer.batches().iter().filter(|batch| batch.header("content-encoding").is_some()).count();
    assert_eq!((compressed, sensor.status().retried), (1, 0));
}

#[test]
fn alerts_go_although_rows_are_not_taken() {
    let peer = Peer::start(|request| match request.path.as_str() {
        "/sensor/v1/events" => Act::Reply(http(503, "retry-after: 3000\r\n", b"the lake is dry")),
        _ => good(request),
    });
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append(vec![rows(1, 3)]);
    sensor.until_it_fails("the lake is dry");
    sensor.append(vec![alert(2)]);
    sensor.until_confirmed(1);
    assert_eq!(sensor.spool.stats().disk.map(|usage| usage.items), [0, 1]);
}

#[test]
fn a_success_that_is_none_deletes_nothing() {
    let mut tries = 0;
    let peer = Peer::start(move |request| {
        tries += 1;
        match tries {
            1 | 2 => Act::Reply(http(200, "content-type: text/html\r\n", b"<html>please log in</html>")),
            3 => Act::Reply(http(204, "", b"")),
            4 => taken(1, &[]),
            _ => good(request),
        }
    });
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append(vec![alert(1), alert(2)]);
    sensor.until_empty();
    sensor.until_confirmed(2);
    assert!(sensor.status().last_error.is_some());
}

#[test]
fn batches_keep_to_what_central_takes() {
    let peer = Peer::start(|request| match request.path.as_str() {
        "/sensor/v1/hello" => {
            let hello = HelloReply { max_items: 3, max_decoded_bytes: 1500, ..hello() };
            Act::Reply(http(200, "", &hello.encode_to_vec()))
        }
        _ => good(request),
    });
    let sensor = Sensor::start(&peer, |_| {});
    sensor.until("hello", |_| !peer.requests.lock().unwrap().is_empty());
    sensor.append((1..=7).map(alert).chain([rows(100, 8)]).collect());
    sensor.until_empty();
    // Alerts and rows go out side by side.
    let sizes = |path: &str| -> Vec<usize> {
        peer.batches().iter().filter(|batch| batch.path == path).map(Request::messages).collect()
    };
    assert_eq!(sizes("/sensor/v1/alerts"), [3, 3, 1]);
    assert_eq!(sizes("/sensor/v1/events"), [3, 3, 2]);
    assert!(peer.batches().iter().all(|batch| batch.body.len() <= 1500));
}

#[test]
fn an_item_that_is_no_batch_is_given_up() {
    let peer = Peer::start(good);
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append(vec![NewItem { body: b"\xff\xff\xff".to_vec(), ..rows(1, 4) }, rows(2, 2)]);
    sensor.until_empty();
    assert_eq!(sensor.spool.stats().given_up.count(Kind::Bulk, Cause::Rejected), 4);
    sensor.until_confirmed(2);
}

#[test]
fn a_token_is_not_told_wherever_words_are_cut() {
    let mut before = 1170;
    let peer = Peer::start(move |request| {
        if !request.path.ends_with("alerts") || before == 1210 {
            return good(request);
        }
        before += 1;
        Act::Reply(http(401, "", format!("{}{TOKEN}", " ".repeat(before)).as_bytes()))
    });
    let sensor = Sensor::start(&peer, |settings| settings.pace.slow = Duration::from_millis(1));
    sensor.append(vec![alert(1)]);
    sensor.until_confirmed(1);
    let told: Vec<String> = sensor.outcomes().iter().map(|(_, outcome)| format!("{outcome:?}")).collect();
    assert!(told.len() > 40 && told.iter().all(|outcome| !outcome.contains("SLS")), "{told:?}");
}
