//! Syslog.

use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConnection, StreamOwned};
use sensor_agent::policy::MessageType;
use sensor_tests::until;

use super::super::authority;
use super::{Effect, Place, alert, alert_of, requests, status};

pub(super) const OUTPUT: &[Effect] = &[
    ("address", it_goes_to_the_address),
    ("facility", the_facility_is_that_of_the_message),
    ("protocol", the_protocol_is_how_a_message_begins),
    ("framing", the_framing_tells_messages_apart),
    ("server_name", over_tls_both_are_known),
    ("ca_file", over_tls_both_are_known),
    ("cert_file", over_tls_both_are_known),
    ("key_file", over_tls_both_are_known),
];

/// What an output with these settings sends as a datagram over UDP.
fn datagram(more: &str) -> String {
    let (place, receiver) = (Place::new(), UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let port = receiver.local_addr().expect("its address").port();
    let outputs = place.outputs(&format!("{{type: syslog, address: 'udp://127.0.0.1:{port}', {more}}}"));
    outputs.send(alert());
    let mut message = vec![0; 70_000];
    let length = receiver.recv(&mut message).expect("a datagram");
    // Nobody confirms it, and nothing says so.
    let told = until("it to be counted", || Some(status(&outputs)).filter(|status| status.sent == 1));
    assert_eq!(told.confirmed, None);
    String::from_utf8(message[..length].to_vec()).expect("UTF-8")
}

/// What connections bring.
fn collect(mut stream: impl std::io::Read + Send + 'static, came: &Arc<Mutex<Vec<u8>>>) {
    let came = Arc::clone(came);
    thread::spawn(move || {
        let mut some = [0; 4096];
        while let Ok(count) = stream.read(&mut some)
            && count > 0
        {
            came.lock().expect("it").extend_from_slice(&some[..count]);
        }
    });
}

/// What an output with these settings sends into a stream.
fn stream(alerts: usize, more: &str) -> String {
    let (place, listener) = (Place::new(), TcpListener::bind("127.0.0.1:0").expect("a port"));
    let port = listener.local_addr().expect("its address").port();
    let outputs = place.outputs(&format!("{{type: syslog, address: 'tcp://127.0.0.1:{port}', {more}}}"));
    (0..alerts).for_each(|_| outputs.send(alert()));
    let came = Arc::default();
    collect(listener.accept().expect("a connection").0, &came);
    until("all to be sent", || (status(&outputs).sent == alerts as u64).then_some(()));
    drop(outputs);
    // Sent is in the socket, and not read yet.
    until("it to come", || (!came.lock().expect("it").is_empty()).then_some(()));
    let came = came.lock().expect("it").clone();
    String::from_utf8(came).expect("UTF-8")
}

#[test]
fn it_goes_to_the_address() {
    let place = Place::new();
    let logger = UnixDatagram::bind(place.path("log")).expect("a socket");
    for address in ["@HERE@/log", "unix://@HERE@/log"] {
        let outputs = place.outputs(&format!("{{type: syslog, name: '{address}', address: '{address}'}}"));
        outputs.send(alert_of(MessageType::Alert, 300_000));
        let mut message = vec![0; 1 << 20];
        let length = logger.recv(&mut message).expect("a datagram");
        // As system loggers take it.
        assert!((4_000..=8_000).contains(&length), "{length}");
        let text = String::from_utf8(message[..length].to_vec()).expect("UTF-8");
        let (_, body) = text.split_once("]: ").expect("a tag");
        serde_json::from_str::<serde_json::Value>(body).expect("JSON");
    }
    assert!(datagram("facility: local0").contains("\"strategy_name\":\"Each\""));
    assert!(stream(1, "facility: local0").contains("\"strategy_name\":\"Each\""));
    let long = format!("/{}", "a".repeat(120));
    for address in ["udp://a..b", "tls://h:0", &format!("tcp://{}.example", "a".repeat(64)), &long] {
        let told = place.refused(&format!("{{type: syslog, address: '{address}'}}"));
        assert!(told.contains("main.yaml:"), "{told}");
    }
}

#[test]
fn the_facility_is_that_of_the_message() {
    let number = |text: &str| text[1..].split('>').next().expect("a priority").parse::<u32>().expect("a number") / 8;
    assert_eq!(number(&datagram("facility: local3")), 19);
    assert_eq!(number(&datagram("facility: authpriv")), 10);
}

#[test]
fn the_protocol_is_how_a_message_begins() {
    let behind = |text: String| text.split_once('>').expect("a priority").1.to_owned();
    let tag = format!("sophoslinuxsensor[{}]: {{", std::process::id());
    let new = behind(datagram("facility: local0"));
    assert!(new.starts_with("1 2023-11-1") && new.contains(" alert - {"), "{new}");
    assert_eq!(behind(datagram("protocol: rfc5424"))[..60], new[..60]);
    let old = behind(datagram("protocol: rfc3164"));
    assert!(old.starts_with("Nov 1") && old[16..].starts_with(&format!("host.example {tag}")), "{old}");
    let local = behind(datagram("protocol: local"));
    assert!(local[16..].starts_with(&tag), "{local}");
}

#[test]
fn the_framing_tells_messages_apart() {
    let octets = stream(2, "framing: octets");
    let (length, rest) = octets.split_once(' ').expect("a length");
    let (first, second) = rest.split_at(length.parse().expect("a number"));
    assert!(first.ends_with('}') && second.contains(" <"), "{octets}");
    assert!(!octets.contains(['\n', '\0']));
    for (framing, end) in [("lf", '\n'), ("nul", '\0')] {
        // What ends a message is not within one.
        let sent = stream(2, &format!("framing: {framing}, template: \"a\\nb\""));
        assert!(sent.ends_with(end), "{sent:?}");
        assert_eq!(sent.split_terminator(end).count(), 2, "{sent:?}");
    }
    let told = Place::new().refused("{type: syslog, address: 'udp://h', framing: lf}");
    assert!(told.contains("`framing` has no effect on udp://"), "{told}");

    // As the C library writes to a local stream.
    let place = Place::new();
    let listener = UnixListener::bind(place.path("log")).expect("a socket");
    let outputs = place.outputs("{type: syslog, address: '@HERE@/log'}");
    outputs.send(alert());
    let mut stream = listener.accept().expect("a connection").0;
    let mut message = Vec::new();
    until("the end of the message", || {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).expect("bytes");
        message.extend_from_slice(&some[..count]);
        (message.last() == Some(&0)).then_some(())
    });
    assert!(message.starts_with(b"<"));
}

#[test]
fn over_tls_both_are_known() {
    let (place, folder) = (Place::new(), tempfile::tempdir().expect("a folder"));
    authority::certificates(folder.path());
    requests::private(folder.path());
    let config = authority::server(folder.path());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let came = Arc::default();
    let all = Arc::clone(&came);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            collect(StreamOwned::new(connection, stream), &all);
        }
    });
    let at = folder.path().display();
    let known = format!("ca_file: {at}/ca.pem, cert_file: {at}/client.pem, key_file: {at}/client.key");
    let output = |name: &str, host: &str, files: &str| {
        format!("{{type: syslog, name: {name}, address: 'tls://{host}:{port}', {files}}}")
    };
    // The certificate is for localhost.
    let outputs = place.outputs(&output("named", "127.0.0.1", &format!("server_name: localhost, {known}")));
    outputs.send(alert());
    until("the alert", || (status(&outputs).sent == 1).then_some(()));
    until("its bytes", || (!came.lock().expect("it").is_empty()).then_some(()));
    for (name, host, files, words) in [
        ("address", "127.0.0.1", known.clone(), "not valid for name"),
        ("authority", "localhost", format!("cert_file: {at}/client.pem, key_file: {at}/client.key"), "certificate"),
    ] {
        let outputs = place.outputs(&output(name, host, &files));
        outputs.send(alert());
        until(words, || status(&outputs).last_error.is_some_and(|error| error.message.contains(words)).then_some(()));
    }
    requests::wrong_files(|files| output("files", "localhost", files));
    for (address, scheme) in [("udp://h", "udp://"), ("tcp://h", "tcp://"), ("/dev/log", "unix://")] {
        for key in [format!("ca_file: {at}/ca.pem"), "server_name: localhost".to_owned()] {
            let told = place.refused(&format!("{{type: syslog, address: '{address}', {key}}}"));
            assert!(told.contains("has no effect") && told.contains(scheme), "{told}");
        }
    }
    let told = place.refused("{type: syslog, address: 'tls://h', server_name: a..b}");
    assert!(told.contains("cannot be a name in a certificate"), "{told}");
}

#[test]
fn what_is_no_socket_is_called_so() {
    let place = Place::new();
    std::fs::write(place.path("log"), "").expect("a file");
    for address in ["@HERE@/log", "@HERE@"] {
        let outputs = place.outputs(&format!("{{type: syslog, address: '{address}'}}"));
        outputs.send(alert());
        let error = until("a setback", || status(&outputs).last_error);
        assert!(error.message.contains("not a socket"), "{error:?}");
    }
}

/// What is known without a listener is told: the alert waits.
#[test]
fn udp_that_nobody_takes_is_not_confirmed() {
    let free = UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
    let outputs = Place::new().outputs(&format!("{{type: syslog, address: 'udp://127.0.0.1:{free}'}}"));
    outputs.send(alert());
    let told = until("a setback", || Some(status(&outputs)).filter(|status| status.retried > 0));
    assert_eq!((told.sent, told.confirmed, told.queued), (0, None, 1), "{told:?}");
}
