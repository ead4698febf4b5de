//! Whoever connects, listens or takes a connection is told, with both ends and how it ended, in every way that there is.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};

use sensor_tests::hooks::{assert_accounted, assert_attached_while_asked_for, hook};
use sensor_tests::{Mark, Sensor, of_kind, of_pid, programs};
use serde_json::{Value, json};

/// A sensor that keeps the connections of the marked processes.
fn sensor(mark: &Mark) -> Sensor {
    let rule = mark.rule();
    let more = format!(
        "Connected:\n  policy: connect\n  rules:\n    - 'match {rule}'\n    - default ignore\n\
         Service:\n  policy: networkService\n  rules:\n    - 'match {rule}'\n    - default ignore\n"
    );
    let table = format!(
        "      - name: connections\n        rows: 20000\n        filter:\n          - 'match {rule}'\n          - default ignore\n"
    );
    Sensor::start(
        &mark.config_with(&more).replace("      - name: sensors\n", &format!("{table}      - name: sensors\n")),
    )
}

fn acts(mark: &Mark, way: &str, at: SocketAddr, more: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.args(["network", way]).arg(at.to_string()).args(more).arg(mark.word()).stderr(Stdio::null());
    command
}

/// One that listens, and where.
fn takes(mark: &Mark, at: &str, count: u32) -> (Child, SocketAddr) {
    let mut command = acts(mark, "take", at.parse().expect("an address"), &[&count.to_string()]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    (child, line.trim().parse().expect("where it listens"))
}

/// Where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}

/// The connections of a process, once there are so many.
#[track_caller]
fn connections(sensor: &Sensor, pid: u32, count: usize) -> Vec<Value> {
    let rows = sensor.until(&format!("{count} connections of process {pid}"), || {
        let rows = of_pid(&sensor.rows("connections"), pid);
        (rows.len() >= count).then_some(rows)
    });
    assert_eq!(rows.len(), count, "{rows:#?}");
    rows
}

#[track_caller]
fn assert_told(row: &Value, expected: &Value) {
    for (column, value) in expected.as_object().expect("a map") {
        assert_eq!(&row[column], value, "{column} of {row:#}");
    }
}

#[test]
fn every_way_to_connect_is_told_with_both_ends_and_its_result() {
    let mark = Mark::new("connect");
    let sensor = sensor(&mark);
    for (at, family, ways) in [
        ("127.0.0.1:0", "ipv4", &["connect", "later", "multipath", "fast-open", "ring", "mapped"][..]),
        ("[::1]:0", "ipv6", &["connect", "later", "ring"]),
        // A listener of IPv6 takes connections of IPv4.
        ("[::]:0", "ipv4", &["connect"]),
    ] {
        let (mut listener, at) = takes(&mark, at, ways.len().try_into().expect("few"));
        let to = if at.ip().is_unspecified() { SocketAddr::new([127, 0, 0, 1].into(), at.port()) } else { at };
        let ends = json!({
            "dst_addr": to.ip().to_string(), "dst_port": to.port(), "family": family, "protocol": "tcp", "direction": "outbound",
        });
        let mut ports = Vec::new();
        for way in ways {
            let pid = sensor.finish(&mut acts(&mark, way, to, &[]));
            let rows = connections(&sensor, pid, 2);
            let (attempt, result) = (&of_kind(&rows, "_CONNECT_ATTEMPT")[0], &of_kind(&rows, "_CONNECT_RESULT")[0]);
            for row in [attempt, result] {
                assert_told(row, &ends);
                assert_eq!(row["src_addr"], to.ip().to_string(), "{way}: {row:#}");
            }
            assert_told(result, &json!({"network_result": "success", "network_errno": null}));
            assert_ne!(result["src_port"], Value::Null, "{way}: {result:#}");
            ports.push(result["src_port"].clone());
        }
        listener.wait().expect("it ends");
        let rows = connections(&sensor, listener.id(), 1 + ways.len());
        let listens = &of_kind(&rows, "_LISTEN")[0];
        assert_told(listens, &json!({"dst_addr": at.ip().to_string(), "dst_port": at.port(), "direction": "inbound"}));
        assert_told(listens, &json!({"src_addr": null, "src_port": null}));
        let accepted = of_kind(&rows, "_ACCEPT");
        for row in &accepted {
            assert_told(row, &json!({"dst_addr": to.ip().to_string(), "dst_port": to.port(), "family": family}));
            assert_told(row, &json!({"src_addr": to.ip().to_string(), "direction": "inbound"}));
        }
        assert_eq!(accepted.iter().map(|row| row["src_port"].clone()).collect::<Vec<_>>(), ports);
    }
}

#[test]
fn what_does_not_come_about_is_told_with_its_error() {
    let mark = Mark::new("refused");
    let sensor = sensor(&mark);
    for (way, errno) in [
        ("connect", json!(libc::ECONNREFUSED)),
        ("later", json!(libc::ECONNREFUSED)),
        ("ring", json!(libc::ECONNREFUSED)),
        ("fast-open", json!(libc::ECONNREFUSED)),
    ] {
        let to = nobody();
        let pid = sensor.finish(&mut acts(&mark, way, to, &[]));
        let rows = connections(&sensor, pid, 2);
        let result = &of_kind(&rows, "_CONNECT_RESULT")[0];
        assert_told(result, &json!({"dst_port": to.port(), "network_result": "failed", "network_errno": errno}));
    }
    // Both ends are one socket: nobody took it.
    let pid = sensor.finish(&mut acts(&mark, "self", "127.0.0.1:0".parse().expect("an address"), &[]));
    let rows = connections(&sensor, pid, 2);
    let result = &of_kind(&rows, "_CONNECT_RESULT")[0];
    assert_told(result, &json!({"network_result": "success"}));
    assert_eq!(result["src_port"], result["dst_port"], "{result:#}");
}

#[test]
fn whoever_listened_before_the_sensor_is_told_what_it_takes() {
    let mark = Mark::new("before");
    let (mut listener, at) = takes(&mark, "127.0.0.1:0", 1);
    let sensor = sensor(&mark);
    let pid = sensor.finish(&mut acts(&mark, "connect", at, &[]));
    listener.wait().expect("it ends");
    let from = &of_kind(&connections(&sensor, pid, 2), "_CONNECT_RESULT")[0]["src_port"];
    let row = &connections(&sensor, listener.id(), 1)[0];
    assert_told(row, &json!({"event_type": "NETWORK_EVENT_TYPE_ACCEPT", "dst_port": at.port(), "src_port": from}));
}

#[test]
fn what_a_child_takes_is_told_of_the_child_where_functions_can_be_hooked() {
    let mark = Mark::new("child");
    let sensor = sensor(&mark);
    let (listener, said) =
        sensor.finish_saying(&mut acts(&mark, "take-by-child", "127.0.0.1:0".parse().expect("an address"), &[]));
    let taker = match hook(&sensor, "accept")["rung"].as_u64() {
        Some(1) => said.trim().parse().expect("the child"),
        _ => listener,
    };
    let accepted =
        sensor.until("the connection", || of_kind(&of_pid(&sensor.rows("connections"), taker), "_ACCEPT").pop());
    let listens = &of_kind(&of_pid(&sensor.rows("connections"), listener), "_LISTEN")[0];
    assert_eq!(accepted["dst_port"], listens["dst_port"], "{accepted:#}");
}

#[test]
fn every_way_to_send_is_told_once_with_where_it_goes() {
    let mark = Mark::new("send");
    let sensor = sensor(&mark);
    let four = ["send", "send-often", "send-connected", "send-message", "send-messages", "send-mapped", "send-ring"];
    let six = ["send", "send-often", "send-connected", "send-message", "send-messages", "send-ring"];
    for (at, family, ways) in [("127.0.0.1:0", "ipv4", &four[..]), ("[::1]:0", "ipv6", &six)] {
        let receiver = UdpSocket::bind(at).expect("a socket");
        let to = receiver.local_addr().expect("its address");
        let ends = json!({
            "dst_addr": to.ip().to_string(), "dst_port": to.port(), "family": family, "protocol": "udp", "direction": "outbound",
        });
        for way in ways {
            let pid = sensor.finish(&mut acts(&mark, way, to, &[]));
            let rows = connections(&sensor, pid, 1);
            let sent = &of_kind(&rows, "_SENDTO")[0];
            assert_told(sent, &ends);
            assert_told(sent, &json!({"network_result": "success", "is_cloud_metadata": false}));
            assert_ne!(sent["src_port"], Value::Null, "{way}: {sent:#}");
        }
    }
}

#[test]
fn what_goes_to_a_clouds_metadata_is_seen_by_a_type_of_its_own() {
    let mark = Mark::new("cloud");
    let rule = mark.rule();
    let sensor = Sensor::start(&mark.config_with(&format!(
        "Metadata:\n  policy: cloudMetadata\n  rules:\n    - 'match {rule}'\n    - default ignore\n"
    )));
    let elsewhere = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
    let other = sensor.finish(&mut acts(&mark, "send", elsewhere, &[]));
    // Nothing leaves this host: in a network namespace of its own there is no way there.
    let there = sensor.finish(
        Command::new("unshare")
            .args(["--net", "sh", "-c", "ip link set lo up; ip addr add 169.254.169.254/32 dev lo; exec \"$@\"", "sh"])
            .arg(programs::act())
            .args(["network", "send", "169.254.169.254:80", mark.word()]),
    );
    let of = |pid: u32| {
        let is_one = |alert: &Value| alert["strategy_name"] == "Metadata" && alert["process_info"]["pid"] == pid;
        sensor.alerts().into_iter().filter(is_one).collect::<Vec<_>>()
    };
    let alerts = sensor.until("the alert", || Some(of(there)).filter(|alerts| !alerts.is_empty()));
    let parts = &alerts[0]["notifications"][0]["message_fields"];
    assert_told(parts, &json!({"dst_addr": "169.254.169.254", "dst_port": "80"}));
    assert_eq!(of(other), [Value::Null; 0]);
}

#[test]
fn policies_see_connections_and_services_and_nothing_is_attached_without_one() {
    let mark = Mark::new("policies");
    let sensor = sensor(&mark);
    let (mut listener, at) = takes(&mark, "127.0.0.1:0", 1);
    let pid = sensor.finish(&mut acts(&mark, "connect", at, &[]));
    listener.wait().expect("it ends");
    let alert = sensor.until("the alerts", || {
        let alerts = sensor.alerts();
        let of = |policy: &str, pid: u32| {
            let is_one = |alert: &&Value| alert["strategy_name"] == policy && alert["process_info"]["pid"] == pid;
            alerts.iter().filter(is_one).cloned().collect::<Vec<_>>()
        };
        let (connects, services) = (of("Connected", pid), of("Service", listener.id()));
        // It listens and takes one; before that its socket is given its address, which not every kernel lets see.
        let count = if hook(&sensor, "bind")["attached"] == true { 3 } else { 2 };
        (connects.len() == 1 && services.len() == count).then(|| connects[0].clone())
    });
    let parts = &alert["notifications"][0]["message_fields"];
    assert_told(parts, &json!({"dst_addr": "127.0.0.1", "dst_port": at.port().to_string(), "protocol": "tcp"}));
    // Which socket is given which address is told by functions alone, which not every kernel lets programs at.
    let log = sensor.log();
    let mut unseen = log.lines().filter(|line| line.contains("although a policy or a table asks"));
    assert!(unseen.all(|line| line.contains("that are given an address")), "{log}");
    for name in ["connection", "accept", "datagram"] {
        let hook = hook(&sensor, name);
        assert_eq!(hook["attached"], true, "{hook:#}");
        assert_accounted(&hook);
    }
    assert_attached_while_asked_for(&sensor, &mark, &["connection", "accept", "datagram", "route", "route6"]);
}
