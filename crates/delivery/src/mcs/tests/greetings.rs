//! How the sensor introduces itself.

use super::*;

/// A sensor that greets this peer, and nothing else.
fn greeter(peer: &Peer) -> Central {
    let mut settings = settings(peer);
    settings.pace.slow = Duration::from_secs(3600);
    Central::new(settings).unwrap()
}

/// How long until it greets again, seconds.
fn again(central: &Central) -> u64 {
    central.greets_at().unwrap().saturating_duration_since(Instant::now()).as_secs()
}

fn replying(status: u16, headers: &'static str) -> Peer {
    Peer::start(move |_| Act::Reply(http(status, headers, b"\x01soon")))
}

#[test]
fn what_central_says_of_itself_counts_from_then_on() {
    let peer = Peer::start(|_| {
        let hello =
            HelloReply { max_items: 3, max_decoded_bytes: 1600, clock_skew_nano: Some(90_000_000_000), ..hello() };
        Act::Reply(http(200, "", &hello.encode_to_vec()))
    });
    let mut central = greeter(&peer);
    assert_eq!(central.bounds(), (500, 1 << 20));
    assert_eq!(central.greet(), Ok(true));
    assert_eq!((central.bounds(), central.greets_at()), ((3, 1500), None));
    assert_eq!(central.notes(), ["this host's clock is 90 s behind Central's"]);
}

#[test]
fn it_is_tried_again_soon_after_what_may_pass() {
    for status in [408, 425, 429, 500, 503, 200] {
        let peer = replying(status, "");
        let mut central = greeter(&peer);
        let setback = central.greet().unwrap_err();
        assert!(!setback.lasting && again(&central) < 2, "{status}: {setback:?}");
    }
}

#[test]
fn it_waits_as_long_as_it_is_asked_to() {
    for status in [429, 503] {
        let peer = replying(status, "retry-after: 3000\r\n");
        let mut central = greeter(&peer);
        let setback = central.greet().unwrap_err();
        assert!(setback.wait == Some(Duration::from_secs(3000)) && again(&central) >= 2990, "{status}: {setback:?}");
    }
}

#[test]
fn it_is_tried_again_slowly_where_it_is_refused() {
    let peer = replying(401, "");
    let mut central = greeter(&peer);
    let setback = central.greet().unwrap_err();
    assert!(setback.lasting && setback.reason.contains("mcs.token") && again(&central) > 3000, "{setback:?}");
}

#[test]
fn a_central_without_greetings_is_not_greeted_again() {
    for status in [400, 404, 405, 413, 415, 422] {
        let peer = replying(status, "");
        let mut central = greeter(&peer);
        assert_eq!((central.greet(), central.greets_at()), (Ok(false), None), "{status}");
    }
}

#[test]
fn alerts_are_tried_while_a_greeting_waits() {
    let peer = Peer::start(|request| match request.path.as_str() {
        "/sensor/v1/hello" => Act::Reply(http(503, "retry-after: 3000\r\n", b"later")),
        _ => good(request),
    });
    let sensor = Sensor::start(&peer, |_| {});
    sensor.until_it_fails("later");
    sensor.append(vec![alert(1)]);
    sensor.until_empty();
    assert_eq!(peer.requests.lock().unwrap().iter().filter(|request| request.path.ends_with("hello")).count(), 1);
}

#[test]
fn alerts_are_tried_at_once_when_a_greeting_works_out_but_not_before_they_are_asked_to() {
    for (status, headers, batches) in [(401, "", 2), (429, "retry-after: 3000\r\n", 1)] {
        let mut alerts = 0;
        let peer = Peer::start(move |request| match request.path.as_str() {
            "/sensor/v1/hello" if alerts == 0 => Act::Reply(http(503, "", b"")),
            "/sensor/v1/alerts" if alerts == 0 => {
                alerts = 1;
                Act::Reply(http(status, headers, b"not now"))
            }
            _ => good(request),
        });
        let sensor = Sensor::start(&peer, |settings| {
            let hour = Duration::from_secs(3600);
            settings.pace = Pace { first: Duration::from_millis(50), most: hour, slow: hour };
        });
        sensor.append(vec![alert(1)]);
        sensor.until("the greeting", |status| status.last_error.as_ref().is_some_and(|error| error.over));
        if batches == 2 {
            sensor.until_empty();
        }
        assert_eq!(peer.batches().len(), batches, "{headers}");
    }
}
