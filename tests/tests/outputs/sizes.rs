//! Alerts that whoever raises them makes large, at syslog receivers as they come: each arrives whole and valid, and so
//! does what is behind it. Outputs run in this process, as the sensor runs them.

use std::net::UdpSocket;

use sensor_agent::alert::Alert;
use sensor_agent::output::Dispatcher;
use sensor_agent::policy::MessageType;
use sensor_tests::{listens, until};
use serde_json::Value;

use super::free_port;
use super::rsyslog::Rsyslog;
use super::settings::{Place, alert_of, status};
use super::syslog_ng::SyslogNg;

/// Arguments that take six bytes each in JSON: more than a megabyte of them, more than either receiver takes, a few.
const ARGUMENTS: [usize; 3] = [300_000, 4_000, 10];

/// Sends alerts of these sizes, large ones first, and waits for each at the receiver.
fn arrive(outputs: &Dispatcher, texts: impl Fn() -> Vec<String>) {
    let alerts: Vec<_> = ARGUMENTS.iter().map(|count| alert_of(MessageType::Alert, *count)).collect();
    alerts.iter().for_each(|alert| outputs.send(alert.clone()));
    let is_about = |text: &String, alert: &Alert| -> bool {
        // Nothing arrives in pieces.
        let json: Value = serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("{error}: {text}"));
        json["uuid"] == alert.uuid.to_string()
    };
    for alert in &alerts {
        until("an alert to arrive", || texts().iter().any(|text| is_about(text, alert)).then_some(()));
    }
    let told = until("all to be out", || Some(status(outputs)).filter(|status| status.queued == 0));
    assert_eq!((told.lost(), told.confirmed), (0, None), "{told:?}");
}

#[test]
fn rsyslog_takes_each_alert_whole() {
    let (place, tcp, udp) = (Place::new(), free_port(), free_port());
    let socket = place.path("log");
    let inputs = format!(
        "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"{}\")\n\
         module(load=\"imudp\")\ninput(type=\"imudp\" port=\"{udp}\" address=\"127.0.0.1\")\n\
         module(load=\"imtcp\")\ninput(type=\"imtcp\" port=\"{tcp}\" address=\"127.0.0.1\")",
        socket.display()
    );
    let ready = || socket.exists() && UdpSocket::bind(("127.0.0.1", udp)).is_err() && listens(tcp)();
    let rsyslog = Rsyslog::start(&place.path(""), &inputs, ready);
    let texts = || rsyslog.lines().into_iter().map(|line| line[6].clone()).collect();
    for (name, address) in [
        ("socket", "@HERE@/log".to_owned()),
        ("udp", format!("udp://127.0.0.1:{udp}")),
        ("tcp", format!("tcp://127.0.0.1:{tcp}")),
    ] {
        let framing = if name == "tcp" { ", framing: lf" } else { "" };
        arrive(&place.outputs(&format!("{{type: syslog, name: {name}, address: '{address}'}}")), texts);
        // In either framing, and in either form.
        let protocol = if name == "socket" { "local" } else { "rfc3164" };
        let more = format!("protocol: {protocol}{framing}");
        arrive(&place.outputs(&format!("{{type: syslog, name: old-{name}, address: '{address}', {more}}}")), texts);
    }
    assert!(rsyslog.lines().iter().all(|line| line[3] == "sophoslinuxsensor"), "{:?}", rsyslog.lines());
}

#[test]
fn syslog_ng_takes_each_alert_whole() {
    let (place, new, old) = (Place::new(), free_port(), free_port());
    let (datagrams, stream) = (place.path("log"), place.path("stream"));
    let source = format!(
        "unix-dgram(\"{}\"); unix-stream(\"{}\"); syslog(transport(tcp) ip(127.0.0.1) port({new})); \
         network(transport(tcp) ip(127.0.0.1) port({old}));",
        datagrams.display(),
        stream.display()
    );
    let ready = || datagrams.exists() && stream.exists() && listens(new)() && listens(old)();
    let syslog_ng = SyslogNg::start(&place.path(""), &source, ready);
    let texts = || syslog_ng.lines().into_iter().map(|line| line[3].clone()).collect();
    for (name, output) in [
        ("datagrams", "address: '@HERE@/log'".to_owned()),
        ("stream", "address: '@HERE@/stream'".to_owned()),
        ("new", format!("address: 'tcp://127.0.0.1:{new}'")),
        ("old", format!("address: 'tcp://127.0.0.1:{old}', protocol: rfc3164, framing: lf")),
    ] {
        arrive(&place.outputs(&format!("{{type: syslog, name: {name}, {output}}}")), texts);
    }
    // More than it takes (64 KiB): it closes the connection each time, and gets them shorter.
    let output = format!("{{type: syslog, name: larger, address: 'tcp://127.0.0.1:{new}', max_bytes: 200kB}}");
    let outputs = place.outputs(&output);
    arrive(&outputs, texts);
    assert!(status(&outputs).last_error.is_some_and(|error| error.message.contains("closes the connection")));
    assert!(syslog_ng.lines().iter().all(|line| line[2] == "sophoslinuxsensor"));
}
