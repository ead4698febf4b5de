//! Sockets that take whole packets, and those of this host that are connected to others.

use std::process::Command;

use sensor_tests::hooks::{alone, assert_accounted, assert_attached_while_asked_for, hook, told_of};
use sensor_tests::{Mark, Sensor, programs};
use serde_json::{Value, json};

const RAW: &str = "Raw Socket";
const CONNECTED: &str = "Socket Connected";

fn sensor(mark: &Mark) -> Sensor {
    let policy = |name, of: &str| {
        format!("{name}:\n  policy: {of}\n  rules:\n    - 'match {}'\n    - default ignore\n", mark.rule())
    };
    Sensor::start(&mark.config_with(&[policy(RAW, "rawSocket"), policy(CONNECTED, "unixConnect")].concat()))
}

fn acts(mark: &Mark, words: &[&str]) -> Command {
    let mut command = Command::new(programs::act());
    command.args(words).arg(mark.word());
    command
}

fn told<const N: usize>(sensor: &Sensor, mark: &Mark, policy: &str, words: &[&str], names: [&str; N]) -> [Value; N] {
    let pid = sensor.finish_saying(&mut acts(mark, words)).0;
    let told = sensor.until(policy, || Some(told_of(sensor, policy, pid)).filter(|told| !told.is_empty()));
    assert_eq!(told.len(), 1, "{words:?}: {told:#?}");
    names.map(|name| told[0].get(name).cloned().unwrap_or(Value::Null))
}

#[test]
fn sockets_that_take_whole_packets_are_told() {
    let _alone = alone();
    let mark = Mark::new("raw");
    let sensor = sensor(&mark);
    let names = ["raw_socket_family", "raw_socket_type", "raw_socket_protocol", "raw_socket_errno"];
    let others = sensor.finish(&mut acts(&mark, &["raw", "others"]));
    for (way, family, kind, protocol, errno) in [
        ("icmp", "ipv4", "raw", "1", Value::Null),
        ("icmp6", "ipv6", "raw", "58", Value::Null),
        ("compat-icmp", "ipv4", "raw", "1", Value::Null),
        ("packet", "packet", "raw", "3", Value::Null),
        ("packet-dgram", "packet", "dgram", "3", Value::Null),
        ("refused", "packet", "raw", "3", json!("1")),
    ] {
        let told = told(&sensor, &mark, RAW, &["raw", way], names);
        assert_eq!(told, [json!(family), json!(kind), json!(protocol), errno], "{way}");
    }
    assert_eq!(told_of(&sensor, RAW, others), [Value::Null; 0]);
    assert_accounted(&hook(&sensor, "raw_socket"));
}

#[test]
fn sockets_of_the_host_are_told_by_the_name_of_who_listens() {
    let _alone = alone();
    let mark = Mark::new("local");
    let folder = tempfile::tempdir().expect("a folder");
    let sensor = sensor(&mark);
    let names = ["socket_path", "is_abstract_socket", "socket_type", "socket_errno"];
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let others = sensor.finish(&mut acts(&mark, &["local", "others", "none"]));
    for (way, is_abstract, kind, errno) in [
        ("stream", "false", "stream", Value::Null),
        ("elsewhere", "false", "stream", Value::Null),
        ("abstract", "true", "stream", Value::Null),
        ("dgram", "false", "dgram", Value::Null),
        ("seqpacket", "false", "seqpacket", Value::Null),
        ("nobody", "false", "stream", json!("2")),
    ] {
        let told = told(&sensor, &mark, CONNECTED, &["local", way, &path(way)], names);
        assert_eq!(told, [json!(path(way)), json!(is_abstract), json!(kind), errno], "{way}");
    }
    assert_eq!(told_of(&sensor, CONNECTED, others), [Value::Null; 0]);
    assert_accounted(&hook(&sensor, "unix_connect"));
}

#[test]
fn nothing_is_attached_for_either_until_a_policy_asks() {
    let _alone = alone();
    let mark = Mark::new("unasked");
    assert_attached_while_asked_for(&sensor(&mark), &mark, &["raw_socket", "unix_connect"]);
}
