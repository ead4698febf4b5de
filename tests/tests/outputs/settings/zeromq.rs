//! ZeroMQ, against peers of plain sockets that speak as much of it as they need (RFC 37). Those of libzmq are in
//! [`super::super::zeromq`].

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use prost::Message as _;
use schema::Table;
use sensor_agent::event::{Event, Host, build};
use sensor_agent::output::RowBatch;
use sensor_agent::policy::MessageType;
use sensor_proto::v1;
use sensor_tests::until;
use serde_json::json;

use super::super::free_port;
use super::{Effect, Place, alert, alert_of, rows, status};

pub(super) const OUTPUT: &[Effect] = &[
    ("endpoint", it_listens_at_the_endpoint),
    ("pattern", one_of_those_who_pull_gets_it),
    ("topic", the_topic_is_the_first_frame),
    ("bind", it_connects_to_who_listens),
    ("high_water_mark", what_a_slow_one_has_no_room_for_is_lost),
    ("encoding", alerts_are_messages_of_protobuf),
    ("allow_plaintext", nothing_leaves_the_host_unless_it_is_meant),
];

pub(super) const SINK: &[Effect] = &[
    ("endpoint", rows_go_out_at_the_endpoint),
    ("pattern", one_of_those_who_pull_gets_rows),
    ("bind", rows_go_to_who_listens),
    ("high_water_mark", rows_that_a_slow_one_has_no_room_for_are_lost),
    ("encoding", rows_of_every_table_are_messages_of_protobuf),
    ("allow_plaintext", nothing_leaves_the_host_unless_it_is_meant),
    ("format", rows_are_events_of_a_schema),
];

trait Both: Read + Write + Send + 'static {}
impl<T: Read + Write + Send + 'static> Both for T {}

/// A peer: what came, its handshake included.
struct Peer(Arc<Mutex<Vec<u8>>>);

impl Peer {
    /// Says that it is of this type, and what it subscribes to; takes everything.
    fn new(mut stream: impl Both, kind: &str, topic: Option<&str>) -> Self {
        stream.write_all(&hello(kind, topic)).expect("a connection");
        let came = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&came);
        thread::spawn(move || {
            let mut some = [0; 65_536];
            while let Ok(count) = stream.read(&mut some)
                && count > 0
            {
                all.lock().expect("it").extend_from_slice(&some[..count]);
            }
        });
        Self(came)
    }

    fn has(&self, bytes: &[u8]) -> bool {
        self.0.lock().expect("it").windows(bytes.len()).any(|window| window == bytes)
    }

    /// The bodies behind this topic.
    fn bodies(&self, topic: &str) -> Vec<Vec<u8>> {
        let came = self.0.lock().expect("it").clone();
        let mut frame = vec![1, u8::try_from(topic.len()).expect("short")];
        frame.extend_from_slice(topic.as_bytes());
        let mut bodies = Vec::new();
        for at in (0..came.len()).filter(|at| came[*at..].starts_with(&frame)) {
            let rest = &came[at + frame.len()..];
            let (length, head) = match rest {
                [0, length, ..] => (usize::from(*length), 2),
                [2, more @ ..] if more.len() >= 8 => {
                    (usize::try_from(u64::from_be_bytes(more[..8].try_into().expect("eight"))).expect("short"), 9)
                }
                _ => continue,
            };
            bodies.extend(rest.get(head..head + length).map(<[u8]>::to_vec));
        }
        bodies
    }
}

fn hello(kind: &str, topic: Option<&str>) -> Vec<u8> {
    let mut hello = vec![0; 64];
    hello[0] = 0xff;
    hello[9] = 0x7f;
    hello[10] = 3;
    hello[12..16].copy_from_slice(b"NULL");
    let mut ready = b"\x05READY\x0bSocket-Type\0\0\0".to_vec();
    ready.push(u8::try_from(kind.len()).expect("short"));
    ready.extend_from_slice(kind.as_bytes());
    hello.extend([4, u8::try_from(ready.len()).expect("short")]);
    hello.extend(ready);
    if let Some(topic) = topic {
        hello.extend([0, u8::try_from(topic.len() + 1).expect("short"), 1]);
        hello.extend_from_slice(topic.as_bytes());
    }
    hello
}

fn ipc(place: &Place) -> UnixStream {
    until("the socket", || UnixStream::connect(place.path("z")).ok())
}

fn tcp(port: u16) -> TcpStream {
    until("the socket", || TcpStream::connect(("127.0.0.1", port)).ok())
}

/// Sends until it comes.
fn until_it_comes(peer: &Peer, topic: &str, mut send: impl FnMut()) -> Vec<u8> {
    until("a message", || {
        send();
        peer.bodies(topic).pop()
    })
}

fn alert_body(more: &str, topic: &str) -> Vec<u8> {
    let place = Place::new();
    let outputs = place.outputs(&format!("{{type: zeromq, endpoint: 'ipc://@HERE@/z', {more}}}"));
    let peer = Peer::new(ipc(&place), "SUB", Some(""));
    until_it_comes(&peer, topic, || outputs.send(alert()))
}

fn row_body(more: &str) -> Vec<u8> {
    let place = Place::new();
    let sinks = place.sinks(&format!("{{backend: zeromq, endpoint: 'ipc://@HERE@/z', {more}}}"));
    let peer = Peer::new(ipc(&place), "SUB", Some(""));
    until_it_comes(&peer, "process_events", || sinks.send(rows(1)))
}

#[test]
fn it_listens_at_the_endpoint() {
    assert!(alert_body("enabled: true", "alerts").starts_with(b"{"));
    // By the name of an interface too, and at all of them.
    for host in ["lo", "127.0.0.1", "*", "localhost"] {
        let port = free_port();
        let outputs =
            Place::new().outputs(&format!("{{type: zeromq, endpoint: 'tcp://{host}:{port}', allow_plaintext: true}}"));
        let peer = Peer::new(tcp(port), "SUB", Some(""));
        until_it_comes(&peer, "alerts", || outputs.send(alert()));
    }
    let outputs = Place::new().outputs("{type: zeromq, endpoint: 'tcp://nosuch0:5557', allow_plaintext: true}");
    until("it to be told", || {
        let told = status(&outputs).last_error?.message;
        told.contains("no interface and no host of the name nosuch0").then_some(())
    });
    let told = Place::new().refused(&format!("{{type: zeromq, endpoint: 'ipc:///{}'}}", "a".repeat(120)));
    assert!(told.contains("cannot be the path of a socket"), "{told}");
}

#[test]
fn rows_go_out_at_the_endpoint() {
    assert!(row_body("bind: true").starts_with(b"{"));
}

#[test]
fn one_of_those_who_pull_gets_it() {
    let place = Place::new();
    let outputs = place.outputs("{type: zeromq, endpoint: 'ipc://@HERE@/z', pattern: push, bind: true}");
    let peer = Peer::new(ipc(&place), "PULL", None);
    outputs.send(alert());
    until("the alert", || peer.bodies("alerts").pop());
    assert!(peer.has(b"PUSH"));
}

#[test]
fn one_of_those_who_pull_gets_rows() {
    let place = Place::new();
    let sinks = place.sinks("{backend: zeromq, endpoint: 'ipc://@HERE@/z', pattern: push, bind: true}");
    let peer = Peer::new(ipc(&place), "PULL", None);
    sinks.send(rows(1));
    until("the row", || peer.bodies("process_events").pop());
    assert!(peer.has(b"PUSH"));
}

#[test]
fn the_topic_is_the_first_frame() {
    alert_body("topic: other", "other");
}

/// Accepts who connects.
fn accepted(listener: &TcpListener) -> Peer {
    Peer::new(listener.accept().expect("a connection").0, "SUB", Some(""))
}

#[test]
fn it_connects_to_who_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let outputs = Place::new().outputs(&format!("{{type: zeromq, endpoint: 'tcp://127.0.0.1:{port}', bind: false}}"));
    let peer = accepted(&listener);
    until_it_comes(&peer, "alerts", || outputs.send(alert()));
    for (host, words) in [("*", "stands for all interfaces"), ("lo", "is an interface of this host")] {
        let settings = "bind: false, allow_plaintext: true";
        let told = Place::new().refused(&format!("{{type: zeromq, endpoint: 'tcp://{host}:5557', {settings}}}"));
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn rows_go_to_who_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let sinks = Place::new().sinks(&format!("{{backend: zeromq, endpoint: 'tcp://127.0.0.1:{port}', bind: false}}"));
    let peer = accepted(&listener);
    until_it_comes(&peer, "process_events", || sinks.send(rows(1)));
}

/// A peer that reads nothing; returned so that it stays.
fn stuck(place: &Place) -> UnixStream {
    let mut stream = ipc(place);
    stream.write_all(&hello("SUB", Some(""))).expect("a connection");
    stream
}

#[test]
fn what_a_slow_one_has_no_room_for_is_lost() {
    // More than the system holds on the way, fewer than the default.
    const COUNT: u64 = 20;
    for (setting, is_lost) in [("high_water_mark: 1", true), ("bind: true", false)] {
        let place = Place::new();
        let outputs = place.outputs(&format!("{{type: zeromq, endpoint: 'ipc://@HERE@/z', {setting}}}"));
        let _stuck = stuck(&place);
        until("it to have subscribed", || {
            outputs.send(alert());
            (status(&outputs).sent > 0).then_some(())
        });
        let before = status(&outputs);
        (0..COUNT).for_each(|_| outputs.send(alert_of(MessageType::Alert, 10_000)));
        let count = |status: &delivery::ledger::OutputStatus| {
            status.sent + status.dropped.values().sum::<u64>() + status.queued
        };
        until("all to be dealt with", || {
            let status = status(&outputs);
            (status.queued == 0 && count(&status) >= count(&before) + COUNT).then_some(())
        });
        assert_eq!(status(&outputs).dropped.contains_key("high_water"), is_lost, "{:?}", status(&outputs));
    }
}

#[test]
fn rows_that_a_slow_one_has_no_room_for_are_lost() {
    for (setting, is_lost) in [("high_water_mark: 1", true), ("high_water_mark: 1000000", false)] {
        let place = Place::new();
        let sinks = place.sinks(&format!("{{backend: zeromq, endpoint: 'ipc://@HERE@/z', {setting}}}"));
        let _stuck = stuck(&place);
        until("it to have subscribed", || {
            sinks.send(rows(1));
            (sinks.status()[0].sent > 0).then_some(())
        });
        sinks.send(rows(3_000));
        until("all to be dealt with", || {
            let status = &sinks.status()[0];
            (status.queued == 0 && status.sent + status.dropped.values().sum::<u64>() > 3_000).then_some(())
        });
        assert_eq!(sinks.status()[0].dropped.contains_key("high_water"), is_lost, "{:?}", sinks.status()[0]);
    }
}

#[test]
fn alerts_are_messages_of_protobuf() {
    let alert = v1::Alert::decode(&*alert_body("encoding: protobuf", "alerts")).expect("an alert");
    assert_eq!(alert.strategy_name, "Each");
    for key in ["format: cef", "template: x"] {
        let told = Place::new().refused(&format!("{{type: zeromq, endpoint: 'ipc:///z', encoding: protobuf, {key}}}"));
        assert!(told.contains("exclude each other"), "{told}");
    }
}

/// An event of each table that has rows.
fn of_each_table() -> Vec<(&'static str, Event, Host)> {
    let process = json!({"eventType": "PROCESS_EVENT_TYPE_EXEC", "time": 5, "sophosPid": "7:5", "programName": "/a"});
    let lost = json!({"eventType": "LOST_RECORDS", "time": 5, "stage": "ring", "eventClass": "process", "cause": "ring_full", "count": 1});
    let started = json!({"eventType": "SENSOR_STARTED", "time": 5, "sensorId": "s", "sensorPid": 7});
    let event = |map| build::build(map).unwrap_or_else(|errors| panic!("{errors:?}"));
    [("process_events", &process), ("lost_records", &lost), ("sensors", &started)]
        .into_iter()
        .map(|(table, map)| (table, event(map).0, event(map).1))
        .collect()
}

#[test]
fn rows_of_every_table_are_messages_of_protobuf() {
    for (name, event, host) in of_each_table() {
        let place = Place::new();
        let sinks = place.sinks("{backend: zeromq, endpoint: 'ipc://@HERE@/z', encoding: protobuf}");
        let peer = Peer::new(ipc(&place), "SUB", Some(""));
        let (table, host) = (Table::by_name(name).expect("a table"), Arc::new(host));
        let batch = || RowBatch { table, events: vec![event.clone()], host: Arc::clone(&host) };
        let body = until_it_comes(&peer, name, || sinks.send(batch()));
        let row = v1::Row::decode(&*body).expect("a row");
        assert_eq!(row.table.map(|table| table.name()), Some(name));
        assert!(!sinks.status()[0].dropped.contains_key("unfit"));
    }
    let (_, report) =
        Place::new().plan(&super::sinks("{backend: zeromq, endpoint: 'ipc:///z', encoding: protobuf, format: ocsf}"));
    assert!(report.to_string().contains("exclude each other"), "{report}");
}

#[test]
fn nothing_leaves_the_host_unless_it_is_meant() {
    let told = Place::new().refused("{type: zeromq, endpoint: 'tcp://*:5557'}");
    assert!(told.contains("unencrypted TCP off this host"), "{told}");
    let (_, report) = Place::new().plan(&super::sinks("{backend: zeromq, endpoint: 'tcp://10.0.0.1:5557'}"));
    assert!(report.to_string().contains("unencrypted TCP off this host"), "{report}");
    for list in [
        super::outputs("{type: zeromq, endpoint: 'tcp://*:5557', allow_plaintext: true}"),
        super::sinks("{backend: zeromq, endpoint: 'tcp://*:5557', allow_plaintext: true}"),
    ] {
        let (_, report) = Place::new().plan(&list);
        assert!(!report.has_errors(), "{report}");
    }
}

#[test]
fn rows_are_events_of_a_schema() {
    let body = String::from_utf8(row_body("format: ocsf")).expect("text");
    assert!(body.contains("\"class_uid\":1007"), "{body}");
}

/// Who shares a socket cannot want it different.
#[test]
fn sockets_that_are_one_are_set_the_same() {
    for more in ["high_water_mark: 5", "pattern: push", "bind: false"] {
        let list =
            format!("{{type: zeromq, name: a, endpoint: 'ipc:///z'}}, {{type: zeromq, endpoint: 'ipc:///z', {more}}}");
        let told = Place::new().refused(&list);
        assert!(told.contains("share its socket"), "{told}");
    }
}

/// What cannot be a receiver is told at once: in the status, counted, and why.
#[test]
fn one_that_cannot_be_served_is_told_at_once() {
    let mut curve = hello("SUB", None);
    curve[12..17].copy_from_slice(b"CURVE");
    // An older one waits for what it understands before it says more.
    let mut old = vec![0; 11];
    (old[0], old[9], old[10]) = (0xff, 0x7f, 1);
    for (said, stays, words) in [
        (curve, true, "wants the security mechanism CURVE"),
        (old, true, "an older version of the protocol"),
        (b"\x01\x00".to_vec(), true, "does not speak ZeroMQ"),
        (b"GET / HTTP/1.1\r\n".to_vec(), true, "does not speak ZeroMQ"),
        (hello("PULL", None), true, "does not go with PUB"),
        (hello("SUB", None)[..40].to_vec(), false, "left while both said who they are"),
    ] {
        let place = Place::new();
        let outputs = place.outputs("{type: zeromq, endpoint: 'ipc://@HERE@/z'}");
        let mut stream = ipc(&place);
        stream.write_all(&said).expect("a connection");
        if !stays {
            stream.shutdown(std::net::Shutdown::Write).expect("its end");
        }
        let told = until(words, || {
            let status = status(&outputs);
            let error = status.last_error.clone()?;
            error.message.contains(words).then_some((status, error))
        });
        assert_eq!((told.0.turned_away, told.1.over), (1, false), "{told:?}");
    }
    // One that only looks whether somebody listens is nothing to speak of.
    let place = Place::new();
    let outputs = place.outputs("{type: zeromq, endpoint: 'ipc://@HERE@/z'}");
    drop(ipc(&place));
    let peer = Peer::new(ipc(&place), "SUB", Some(""));
    until_it_comes(&peer, "alerts", || outputs.send(alert()));
    thread::sleep(Duration::from_millis(50));
    assert_eq!(status(&outputs).turned_away, 0);
}
