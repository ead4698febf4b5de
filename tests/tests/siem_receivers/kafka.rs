//! Kafka, against the brokers and the consumer of librdkafka.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use sensor_tests::{Central, Siem, free_port, until};
use serde_json::Value;

use super::fill::{fill, ids};
use super::python::python;
use super::receiver::Receiver;
use super::zeromq_peer::base64;
use super::{authority, counted, fine};

const CONFIG: [&str; 2] = ["-c", "config.yaml"];

/// Brokers with a topic, and who reads it.
struct Cluster(Receiver);

/// A record as it was read.
struct Record {
    partition: String,
    key: String,
    id: String,
    item: Value,
}

impl Cluster {
    fn start(topic: &str) -> Self {
        Self::with(&[topic])
    }

    /// Behind TLS that asks for a certificate of the authority there, for this user.
    fn start_guarded(topic: &str, folder: &Path, user: &str, password: &str) -> Self {
        Self::with(&[topic, folder.to_str().expect("UTF-8"), user, password])
    }

    fn with(arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/siem_receivers/kafka.py");
        Self(Receiver::start(Command::new(python()).arg(script).args(arguments).stdin(Stdio::piped())))
    }

    /// Where the brokers are, and how many partitions the topic has.
    fn brokers(&self) -> (String, usize) {
        let line = until("the brokers to be told", || self.0.lines().into_iter().next());
        let (brokers, partitions) = line.split_once(' ').expect("two words");
        (brokers.to_owned(), partitions.parse().expect("a number"))
    }

    fn records(&self) -> Vec<Record> {
        let text = |word: &str| String::from_utf8(base64(word)).expect("text");
        let record = |line: String| match line.split(' ').collect::<Vec<_>>()[..] {
            [partition, key, id, value] => Record {
                partition: partition.to_owned(),
                key: text(key),
                id: text(id),
                item: serde_json::from_str(&text(value)).expect("JSON"),
            },
            _ => panic!("{line}"),
        };
        self.0.lines().into_iter().skip(1).map(record).collect()
    }
}

#[test]
fn brokers_have_each_item_under_its_key() {
    let central = Central::start();
    fill(&central, 0, 1500);
    let cluster = Cluster::start("siem");
    let (brokers, partitions) = cluster.brokers();
    let output = |name: &str, more: &str| {
        format!("  - {{type: kafka, name: {name}, brokers: [{brokers}], tls: false, topic: siem, {more}}}\n")
    };
    let siem = Siem::with_outputs(&central, &output("by-tenant", "gzip: false"));
    fine(&siem.run(&["-c", "config.yaml", "check"]));
    fine(&siem.run(&CONFIG));
    let records = until("all to arrive", || Some(cluster.records()).filter(|records| records.len() >= 1500));
    assert_eq!(records.len(), 1500, "each once");
    assert!(records.iter().all(|record| record.key == central.tenant()));
    let used: BTreeSet<_> = records.iter().map(|record| &record.partition).collect();
    assert_eq!(used.len(), 1, "a tenant's stay in order");
    let order: Vec<&str> = records.iter().map(|record| record.item["id"].as_str().expect("an id")).collect();
    assert_eq!(order, ids(0, 1500));
    let uuids: BTreeSet<_> = records.iter().map(|record| &record.id).collect();
    assert_eq!(uuids.len(), 1500);

    // Another output, by id and compressed: the same items under the same ids.
    let siem = Siem::with_outputs(&central, &output("by-id", "key: id"));
    fine(&siem.run(&CONFIG));
    let records = until("all to arrive", || Some(cluster.records()).filter(|records| records.len() >= 3000));
    let by_id = &records[1500..];
    assert!(by_id.iter().all(|record| record.key == record.item["id"]));
    let mut per_partition = BTreeMap::new();
    by_id.iter().for_each(|record| *per_partition.entry(&record.partition).or_insert(0) += 1);
    assert_eq!(per_partition.len(), partitions, "spread over all: {per_partition:?}");
    assert!(counted(by_id.iter().map(|record| &record.item)).values().all(|count| *count == 1));
    assert_eq!(
        by_id.iter().map(|record| &record.id).collect::<BTreeSet<_>>(),
        records[..1500].iter().map(|record| &record.id).collect()
    );
    let status = siem.run(&["-c", "config.yaml", "status"]);
    assert!(!status.stdout.contains("what is handed over is"), "it is confirmed: {}", status.stdout);
}

#[test]
fn what_no_broker_has_acknowledged_stays() {
    let central = Central::start();
    fill(&central, 0, 20);
    let cluster = Cluster::start("siem");
    let (brokers, _) = cluster.brokers();
    let output = |name: &str, brokers: &str, topic: &str| {
        format!("  - {{type: kafka, name: {name}, brokers: [{brokers}], tls: false, topic: {topic}, timeout: 2s}}\n")
    };
    let nobody = format!("127.0.0.1:{}", free_port());
    let outputs =
        [output("away", &nobody, "siem"), output("missing", &brokers, "other"), output("right", &brokers, "siem")];
    let siem = Siem::with_outputs(&central, &outputs.concat());
    let checked = siem.run(&["-c", "config.yaml", "check"]);
    assert_eq!(checked.code, Some(1), "{}", checked.stdout);
    assert!(checked.stdout.contains("the cluster has no such topic; create it"), "{}", checked.stdout);
    let said = siem.run(&CONFIG);
    assert_eq!(said.code, Some(1), "{}", said.stderr);
    for (name, what) in [("away", "cannot send to the topic siem at"), ("missing", "no such topic")] {
        let told = said.stderr.lines().find(|line| line.contains(&format!("output {name}: "))).unwrap_or_default();
        assert!(told.contains(what), "{name}: {}", said.stderr);
    }
    until("the others to arrive", || (cluster.records().len() == 20).then_some(()));
    let status = siem.run(&["-c", "config.yaml", "status", "--json"]);
    let status: Vec<Value> = serde_json::from_str(&status.stdout).expect("JSON");
    assert!(status.iter().filter(|row| row["output"] != "right").all(|row| row["last_item"].is_null()), "{status:?}");
}

#[test]
fn over_tls_brokers_let_in_who_has_a_certificate_and_the_password() {
    const PASSWORD: &str = "hunter2/ with, odd=characters";
    let central = Central::start();
    fill(&central, 0, 30);
    let (folder, stranger) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    authority::certificates(folder.path());
    authority::certificates(stranger.path());
    let cluster = Cluster::start_guarded("siem", folder.path(), "exporter", PASSWORD);
    let (brokers, _) = cluster.brokers();
    let own = folder.path().display();
    let certificate = format!("cert_file: {own}/client.pem, key_file: {own}/client.key");
    let output = |name: &str, ca: &Path, mechanism: &str, password: &str, more: &str| {
        format!(
            "  - {{type: kafka, name: {name}, brokers: [{brokers}], topic: siem, ca_file: {}/ca.pem, \
             sasl_mechanism: {mechanism}, sasl_username: exporter, sasl_password: \"{password}\"{more}}}\n",
            ca.display()
        )
    };
    let with = format!(", {certificate}");
    let right = ["plain", "scram-sha-256", "scram-sha-512"];
    let outputs: String =
        right.iter().map(|mechanism| output(mechanism, folder.path(), mechanism, PASSWORD, &with)).collect();
    let siem = Siem::with_outputs(&central, &outputs);
    fine(&siem.run(&["-c", "config.yaml", "check"]));
    fine(&siem.run(&CONFIG));
    let records = until("all to arrive", || Some(cluster.records()).filter(|records| records.len() >= 90));
    let counts = counted(records.iter().map(|record| &record.item));
    assert_eq!(counts.keys().cloned().collect::<Vec<_>>(), ids(0, 30));
    assert!(counts.values().all(|count| *count == right.len()), "{counts:?}");

    // Each that is wrong in one thing is told of it, and never the password.
    for (name, output, words) in [
        (
            "password",
            output("password", folder.path(), "scram-sha-256", "other-words", &with),
            "check the `sasl_` keys",
        ),
        ("plain", output("plain", folder.path(), "plain", "other-words", &with), "check the `sasl_` keys"),
        (
            "nobody",
            format!(
                "  - {{type: kafka, name: nobody, brokers: [{brokers}], topic: siem, ca_file: {own}/ca.pem, {certificate}}}\n"
            ),
            "`sasl_mechanism`",
        ),
        ("authority", output("authority", stranger.path(), "plain", PASSWORD, &with), "invalid peer certificate"),
        ("certificate", output("certificate", folder.path(), "plain", PASSWORD, ""), "`cert_file`"),
    ] {
        let siem = Siem::with_outputs(&central, &output.replace("}\n", ", timeout: 2m}\n"));
        let said = siem.run(&["-d", "-c", "config.yaml"]);
        assert_eq!(said.code, Some(1), "{name}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{name}: {}", said.stderr);
        assert!(!said.stderr.contains("other-words") && !said.stderr.contains("hunter2"), "{name}: {}", said.stderr);
    }
    assert_eq!(cluster.records().len(), 90, "nothing came of them");
}
