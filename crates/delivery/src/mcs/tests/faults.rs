//! Networks and peers at their worst: every exchange ends in time, and everything is delivered in the end.

use super::*;

/// Delivers two alerts and some rows to a peer that first does this to a few requests.
fn survives(act: impl Fn() -> Act + Send + 'static, timeout: Duration) -> String {
    let mut tries = 0;
    let peer = Peer::start(move |request| {
        tries += 1;
        if tries <= 3 { act() } else { good(request) }
    });
    let sensor = Sensor::start(&peer, |settings| settings.timeouts.request = timeout);
    sensor.append(vec![alert(1), alert(2), rows(3, 3)]);
    let failed = sensor.until_it_fails("");
    sensor.until_empty();
    sensor.until_confirmed(5);
    assert_eq!(sensor.spool.stats().given_up.sum(), 0);
    failed
}

const SHORT: Duration = Duration::from_millis(1500);
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_peer_that_hangs() {
    let error = survives(|| Act::Hang, SHORT);
    assert!(error.contains("did not reply in time"), "{error}");
}

#[test]
fn a_peer_that_replies_byte_by_byte() {
    let error = survives(|| Act::Drip, SHORT);
    assert!(error.contains("did not reply in time"), "{error}");
}

#[test]
fn a_peer_that_breaks_off() {
    let whole = http(200, "", &BatchReply { accepted: 2, ..BatchReply::default() }.encode_to_vec());
    let without_end = http(200, "", &[0; 50]);
    for bytes in [Vec::new(), b"HTTP/1.1 2".to_vec(), whole[..whole.len() - 1].to_vec(), without_end[..60].to_vec()] {
        let error = survives(move || Act::Break(bytes.clone()), LONG);
        assert!(error.contains("broke off"), "{error}");
    }
}

#[test]
fn a_peer_that_floods() {
    let error = survives(|| Act::Flood, LONG);
    assert!(error.contains("longer than"), "{error}");
}

#[test]
fn a_peer_that_talks_nonsense() {
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"HTTP/1.1 999999 X\r\n\r\n",
        b"\0\0\0\0",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    ] {
        survives(move || Act::Break(bytes.to_vec()), LONG);
    }
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    survives(move || Act::Break(endless.clone().into_bytes()), LONG);
}

#[test]
fn nobody_there() {
    let peer = Peer::start(good);
    let sensor = Sensor::start(&peer, |settings| settings.url = Url::parse("https://localhost:1/base/").unwrap());
    sensor.append(vec![alert(1)]);
    let error = sensor.until_it_fails("");
    assert!(error.contains("localhost:1 cannot be reached") && error.contains("refused"), "{error}");
    assert_eq!(sensor.spool.stats().disk[0].items, 1);
}

#[test]
fn a_peer_that_never_gets_to_tls() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let peer = Peer::start(good);
    let sensor = Sensor::start(&peer, |settings| {
        settings.url = Url::parse(&format!("https://localhost:{port}")).unwrap();
        settings.timeouts.connect = Duration::from_millis(200);
    });
    sensor.append(vec![alert(1)]);
    let error = sensor.until_it_fails("");
    assert!(error.contains("in time"), "{error}");
}

#[test]
fn trust_is_looked_at_for_each_request() {
    let peer = Peer::start(good);
    let sensor = Sensor::start(&peer, |_| {});
    sensor.append(vec![alert(1)]);
    sensor.until_empty();
    // The connection that stands is not used any more once its certificate is revoked.
    peer.folder.put("sophosca1.crl", peer.authority.crl(&[7]).der());
    sensor.append(vec![alert(2)]);
    sensor.until_it_fails("revoked");
    std::fs::remove_file(peer.folder.0.path().join("sophosca1.crl")).unwrap();
    sensor.until_it_fails("no sophosca*.crl");
    assert_eq!(sensor.spool.stats().disk[0].items, 1);
    peer.folder.put("sophosca1.crl", peer.authority.crl(&[]).der());
    sensor.until_empty();
}

#[test]
fn stopping_does_not_wait_for_a_peer_that_hangs() {
    let peer = Peer::start(|_| Act::Hang);
    let mut sensor = Sensor::start(&peer, |settings| settings.timeouts.request = Duration::from_secs(3600));
    sensor.append(vec![alert(1)]);
    sensor.until("a request", |_| !peer.requests.lock().unwrap().is_empty());
    sensor.sender.finish(Duration::from_millis(10));
    // The thread ends, and with it the request.
    let thread = sensor.backlog.last_sender.lock().unwrap().take().unwrap();
    thread.join().unwrap();
    assert_eq!(sensor.spool.stats().disk[0].items, 1);
}

#[test]
fn settings_that_cannot_work_are_told_at_the_start() {
    let peer = Peer::start(good);
    let start = |change: fn(&mut McsSettings)| {
        let mut settings = settings(&peer);
        change(&mut settings);
        match Central::new(settings) {
            Ok(_) => panic!("started"),
            Err(error) => error.to_string(),
        }
    };
    assert!(start(|settings| settings.url = Url::parse("http://central").unwrap()).contains("https"));
    let with_password = start(|settings| settings.url = Url::parse("https://u:hunter2@central").unwrap());
    assert!(with_password.contains("mcs.token") && !with_password.contains("hunter2"));
    let token = start(|settings| settings.token = SecretString::from("SLS-hunter2\n"));
    assert!(token.contains("mcs.token") && !token.contains("hunter2"));
    assert!(start(|settings| settings.sensor_id = "a b".to_owned()).contains("a b"));
    assert!(start(|settings| settings.proxy = Some(Url::parse("https://proxy").unwrap())).contains("mcs.proxy"));
}
