//! To receivers of syslog.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read as _},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
    thread,
};

use diagnostic::Report;

use super::*;
use crate::config_ini;

/// What a `config.ini` with these lines sends to a receiver that listens here.
fn ini(home: &mut Home, to: SocketAddr, lines: &str) {
    let text = format!(
        "[login]\nclient_id = a\nclient_secret = b\nfilename = syslog\naddress = {to}\ncompat = yes\nendpoint = all\n{lines}"
    );
    let mut report = Report::default();
    let config = config_ini::read("config.ini", &text, home.folder.path(), &mut report);
    home.outputs = config.unwrap_or_else(|| panic!("{report}")).outputs;
    home.outputs[0].start = Start::Ago(3600);
}

/// What a YAML file with this output sends.
fn yaml(home: &mut Home, output: &str) {
    let path = home.folder.path().join("config.yaml");
    fs::write(&path, format!("central: {{client_id: a, client_secret: b}}\noutputs: [{output}]\n")).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut report = Report::default();
    let config = crate::config::load(&path, &settings::Environment::default(), &mut report);
    home.outputs = config.unwrap_or_else(|| panic!("{report}")).outputs;
    home.outputs[0].name = MAIN.into();
}

/// All that comes by the next connection, once it ends.
fn stream(listener: TcpListener) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Reads so many messages, the length before each; fewer if the stream ends.
fn messages(stream: &mut BufReader<TcpStream>, most: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < most {
        let mut length = Vec::new();
        if stream.read_until(b' ', &mut length).unwrap_or(0) == 0 {
            break;
        }
        let length: usize = String::from_utf8(length).unwrap().trim().parse().unwrap();
        let mut message = vec![0; length];
        stream.read_exact(&mut message).unwrap();
        all.push(String::from_utf8(message).unwrap());
    }
    all
}

/// How often each id came.
fn counts(messages: &[String]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for message in messages {
        let (_, line) = message.split_once(" - {").unwrap_or_else(|| panic!("{message}"));
        *counts.entry(ids(&format!("{{{line}"))[0].clone()).or_default() += 1;
    }
    counts
}

#[test]
fn datagrams_are_those_of_the_script() {
    for &format in Format::ALL {
        for (lines, end) in [("", ""), ("append_nul = true\n", "\0")] {
            let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
            receiver.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let mut home = Home::new();
            ini(&mut home, receiver.local_addr().unwrap(), &format!("format = {}\n{lines}", format.word()));
            assert_eq!(home.round(&server(golden_pages())).refused, 0);
            let wanted = String::from_utf8(golden(&format!("syslog_udp.{}.jsonl", format.word()))).unwrap();
            for line in wanted.lines() {
                let mut got = vec![0; 70_000];
                let length = receiver.recv(&mut got).unwrap();
                let wanted: String = serde_json::from_str(line).unwrap();
                assert_eq!(String::from_utf8_lossy(&got[..length]), wanted + end);
            }
            assert_eq!(wanted.lines().count(), 20);
            receiver.set_nonblocking(true).unwrap();
            assert!(receiver.recv(&mut [0]).is_err(), "nothing more");
        }
    }
}

#[test]
fn connections_are_those_of_the_script() {
    for (lines, name) in [("", "syslog_tcp.json.bin"), ("append_nul = true\n", "syslog_tcp_nul.json.bin")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut home = Home::new();
        ini(&mut home, listener.local_addr().unwrap(), &format!("socktype = tcp\n{lines}"));
        let receiver = stream(listener);
        assert_eq!(home.round(&server(golden_pages())).refused, 0);
        assert!(receiver.join().unwrap() == golden(name), "{name}");
        assert_eq!(home.cursor(Stream::Alerts).as_deref(), Some("a"));
    }
}

#[test]
fn what_nobody_takes_is_not_handed_over_and_holds_up_no_other_output() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let others = home.outputs.clone();
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    yaml(&mut home, &format!("{{type: syslog, address: 'udp://{free}'}}"));
    home.outputs[0].name = "syslog".into();
    home.outputs.extend(others);
    let summary = home.round(&server([page(&items(0, 3), false, "e")]));
    assert_eq!((summary.events, summary.refused), (3, 1));
    assert_eq!((ids(&home.text()), home.cursor(Stream::Events).as_deref()), (numbers(0, 3), Some("e")));
    let store = home.store();
    assert!(store.position("syslog", TENANT, Stream::Events).is_none());
    let told = &store.output("syslog").unwrap().faults[&None].reason;
    assert!(told.contains("udp://127.0.0.1") && told.contains("the cursor stays"), "{told}");
    drop(store);
    // It catches up by itself.
    let receiver = UdpSocket::bind(free).unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    home.round(&Server::start([token("t"), whoami(), page(&items(0, 3), false, "e"), page(&items(0, 3), false, "e")]));
    let got: Vec<String> = (0..3)
        .map(|_| {
            let mut got = vec![0; 9000];
            let length = receiver.recv(&mut got).unwrap();
            String::from_utf8_lossy(&got[..length]).into_owned()
        })
        .collect();
    assert_eq!(counts(&got).len(), 3);
}

#[test]
fn an_item_that_fits_no_datagram_is_set_aside() {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    yaml(&mut home, &format!("{{type: syslog, address: 'udp://{}'}}", receiver.local_addr().unwrap()));
    let long = format!(r#"{{"id": "9", "a": "{}"}}"#, "x".repeat(70_000));
    let summary = home.round(&server([page(&format!("{}, {long}, {}", items(0, 1), items(1, 2)), false, "e")]));
    assert_eq!((summary.events, summary.dead_letters, summary.refused), (3, 1, 0));
    let dead: serde_json::Value =
        serde_json::from_slice(&fs::read(home.folder.path().join("dead.jsonl")).unwrap()).unwrap();
    assert!(dead["reason"].as_str().unwrap().contains("do not fit a datagram"), "{}", dead["reason"]);
    assert_eq!(home.cursor(Stream::Events).as_deref(), Some("e"));
}

/// Items of which the kernel's buffers hold no page.
fn long_items(from: u32, to: u32) -> String {
    let text = "x".repeat(7000);
    (from..to).map(|id| format!(r#"{{"id": "{id}", "a": "{text}"}}"#)).collect::<Vec<_>>().join(", ")
}

/// A receiver that takes `most` messages and is gone then, and one that comes back in its place.
fn dies_and_comes_back(home: &mut Home, most: usize) -> (mpsc::Sender<()>, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    home.streams = vec![Stream::Events];
    yaml(home, &format!("{{type: syslog, address: 'tcp://{at}'}}"));
    let (back, comes_back) = mpsc::channel();
    let receiver = thread::spawn(move || {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        drop(listener);
        let mut all = messages(&mut stream, most);
        drop(stream);
        comes_back.recv().unwrap();
        let listener = TcpListener::bind(at).unwrap();
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        all.extend(messages(&mut stream, usize::MAX));
        all
    });
    (back, receiver)
}

#[test]
fn a_receiver_that_dies_within_a_page_and_comes_back_gets_all_from_a_new_process() {
    let mut home = Home::new();
    let (back, receiver) = dies_and_comes_back(&mut home, 150);
    let summary = home.round(&server([page(&long_items(0, 1000), false, "e")]));
    assert_eq!((summary.refused, home.cursor(Stream::Events)), (1, None));
    back.send(()).unwrap();
    let summary = home.round(&server([page(&long_items(0, 1000), true, "e"), page(&items(1000, 1050), false, "f")]));
    assert_eq!(summary.refused, 0);
    let counts = counts(&receiver.join().unwrap());
    assert_eq!(counts.len(), 1050, "nothing is lost");
    assert!(counts.values().all(|count| *count <= 2), "{counts:?}");
    assert_eq!(home.cursor(Stream::Events).as_deref(), Some("f"));
}
