//! The sensor's delivery against the real Central: over TLS and HTTP/2, through faults, restarts of either side.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use delivery::backoff::Pace;
use delivery::ledger::{Ledger, OutputStatus};
use delivery::mcs::{self, Bounds, Hello, McsSettings, Timeouts};
use delivery::spool::{Kind, Limits, NewItem};
use delivery::spooled::backlog::{Backlog, SpoolSettings};
use delivery::spooled::sender::Sender;
use delivery::trust::CrlPolicy;
use delivery::trust::TrustFolder;
use prost::Message as _;
use secrecy::SecretString;
use sensor_central::dev::{Crl, Dev};
use sensor_central::fault::Faults;
use sensor_central::server::Server;
use sensor_central::store::Reader;
use sensor_proto::v1::{Alert, EventBatch, Location, LostRecords, ProcessInfo, Row, row::Table};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Central in this process.
struct Central {
    folder: TempDir,
    runtime: Runtime,
    server: Option<Server>,
    address: SocketAddr,
}

impl Central {
    fn start(faults: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut central = Self {
            folder,
            runtime: Runtime::new().unwrap(),
            server: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        central.resume(Crl::Good, faults);
        central
    }

    /// Starts it, again at the same address if it ran before.
    fn resume(&mut self, crl: Crl, faults: &[&str]) {
        let dev = Dev::prepare(self.folder.path(), crl).unwrap();
        let faults = Faults(faults.iter().map(|fault| fault.parse().unwrap()).collect());
        let server = self
            .runtime
            .block_on(async { Server::start(&dev.config(self.address, Some(([127, 0, 0, 1], 0).into())), faults) })
            .unwrap();
        self.address = server.address();
        self.server = Some(server);
    }

    fn stop(&mut self) {
        let server = self.server.take().unwrap();
        self.runtime.block_on(server.stop());
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap().trim().to_owned()
    }

    fn detections(&self) -> usize {
        let reader = Reader::open(self.folder.path()).unwrap();
        let filter = sensor_central::store::Filter { limit: 1_000_000, ..Default::default() };
        reader.detections(&filter).unwrap().len()
    }

    fn rows(&self) -> usize {
        Reader::open(self.folder.path()).unwrap().rows("lost_records", 1_000_000).unwrap().len()
    }

    fn settings(&self) -> McsSettings {
        let millis = Duration::from_millis;
        McsSettings {
            name: "mcs".to_owned(),
            url: format!("https://{}", self.address).parse().unwrap(),
            token: SecretString::from(self.read("token")),
            tenant: self.read("tenant").parse().unwrap(),
            sensor_id: "sensor-1".to_owned(),
            trust: TrustFolder::new(self.folder.path(), CrlPolicy::Refuse),
            proxy: None,
            hello: Hello {
                sensor_version: "0".to_owned(),
                hostname: "web-1".to_owned(),
                metadata: Vec::new(),
                statistics: false,
            },
            bounds: Bounds { messages: 20, ..Bounds::default() },
            pace: Pace { first: millis(5), most: millis(50), slow: millis(50) },
            timeouts: Timeouts::default(),
        }
    }
}

/// What a sensor has of its delivery to Central.
struct Sensor {
    ledger: Arc<Ledger>,
    backlog: Arc<Backlog>,
    sender: Option<Sender>,
}

impl Sensor {
    /// One with the spool in this folder, which sends nothing yet.
    fn new(folder: &Path) -> Self {
        let ledger = Arc::new(Ledger::new("mcs", "mcs"));
        let backlog = ledger.backlog_in(&SpoolSettings { folder: folder.to_owned(), limits: Limits::default() });
        Self { ledger, backlog, sender: None }
    }

    /// Sends from now on.
    fn delivering(mut self, settings: McsSettings) -> Self {
        let central = Box::new(mcs::Central::new(settings).unwrap());
        self.sender = Some(Sender::start(central, &self.backlog, &self.ledger).unwrap());
        self
    }

    fn append(&self, items: Vec<NewItem>) {
        self.backlog.spool.append(items).unwrap();
        if let Some(sender) = &self.sender {
            sender.wake(false);
        }
    }

    fn status(&self) -> OutputStatus {
        self.ledger.status((0, None))
    }

    fn error(&self) -> String {
        self.status().last_error.map(|error| error.message).unwrap_or_default()
    }

    fn until_empty(&self) {
        until("an empty spool", || !self.backlog.spool.has_items());
    }
}

/// Ends at once, in the middle of whatever it is doing.
impl Drop for Sensor {
    fn drop(&mut self) {
        self.sender = None;
        let thread = self.backlog.last_sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            thread.join().unwrap();
        }
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn alerts(count: usize) -> Vec<NewItem> {
    let alert = |_| {
        let uuid = Uuid::new_v4();
        let alert = Alert {
            uuid: uuid.to_string(),
            unix_nano_timestamp: Some(1_700_000_000_000_000_000),
            strategy_name: "Suspicious Interactive Shell".to_owned(),
            priority: "High".to_owned(),
            process_info: Some(ProcessInfo { name: "/bin/sh".to_owned(), ..ProcessInfo::default() }),
            location: Some(Location { node_name: "web-1".to_owned(), ..Location::default() }),
            ..Alert::default()
        };
        NewItem { kind: Kind::Urgent, uuid, records: 1, body: alert.encode_to_vec() }
    };
    (0..count).map(alert).collect()
}

fn rows(count: u32) -> NewItem {
    let row = |count: u32| {
        let time = Some(1_700_000_000_000_000_000);
        let row = LostRecords { unix_nano_timestamp: time, count: Some(count.into()), ..LostRecords::default() };
        Row { table: Some(Table::LostRecords(row)) }
    };
    let body = EventBatch { rows: (0..count).map(row).collect() }.encode_to_vec();
    NewItem { kind: Kind::Bulk, uuid: Uuid::new_v4(), records: count, body }
}

#[test]
fn everything_arrives_once_through_every_fault() {
    // "after": Central has stored it, and the sensor does not learn of that.
    let central = Central::start(&[
        "cut,after,count=2",
        "status=503,retry-after=0,count=2",
        "cut,after,endpoint=events,count=2",
        "status=500,after,endpoint=alerts",
        "status=429",
        "cut",
        "status=408,after",
    ]);
    let folder = tempfile::tempdir().unwrap();
    let sensor = Sensor::new(folder.path()).delivering(central.settings());
    for _ in 0..10 {
        sensor.append(alerts(7));
        sensor.append(vec![rows(30)]);
    }
    sensor.until_empty();
    assert_eq!((central.detections(), central.rows()), (70, 300));
    // What is confirmed is counted a moment after it has left the spool.
    until("the count", || sensor.status().confirmed == Some(370));
    let status = sensor.status();
    assert!(status.notes.is_empty() && status.last_error.is_none_or(|error| error.over));
    assert_eq!(status.spool.unwrap().given_up.values().sum::<u64>(), 0);
}

#[test]
fn restarts_of_either_side_lose_nothing_and_repeat_nothing() {
    let mut central = Central::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut sent = (0, 0);
    for round in 0..6 {
        let sensor = Sensor::new(folder.path()).delivering(central.settings());
        for _ in 0..20 {
            sensor.append(alerts(5));
            sensor.append(vec![rows(10)]);
            sent = (sent.0 + 5, sent.1 + 10);
        }
        if round % 2 == 0 {
            central.stop();
            drop(sensor);
            central.resume(Crl::Good, &[]);
        }
    }
    let sensor = Sensor::new(folder.path()).delivering(central.settings());
    sensor.until_empty();
    assert_eq!((central.detections(), central.rows()), sent);
}

#[test]
fn a_revoked_or_unknown_central_gets_nothing() {
    for (crl, why) in [(Crl::Revoked, "revoked"), (Crl::Stale, "is stale since")] {
        let mut central = Central::start(&[]);
        central.stop();
        central.resume(crl, &[]);
        let folder = tempfile::tempdir().unwrap();
        let sensor = Sensor::new(folder.path());
        sensor.append(alerts(3));
        let sensor = sensor.delivering(central.settings());
        until(why, || sensor.error().contains(why));
        assert_eq!((central.detections(), sensor.backlog.spool.stats().disk[0].items), (0, 3));
        // A good list is found without a restart of the sensor. The server shows a new certificate.
        central.stop();
        central.resume(Crl::Good, &[]);
        sensor.until_empty();
        assert_eq!(central.detections(), 3);
    }
}

#[test]
fn a_wrong_token_keeps_everything_until_it_is_right() {
    let central = Central::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let sensor = Sensor::new(folder.path());
    sensor.append(alerts(3));
    let wrong = McsSettings { token: SecretString::from("SLS-wrong"), ..central.settings() };
    let sensor = sensor.delivering(wrong);
    until("a refusal", || sensor.error().contains("mcs.token"));
    assert!(!sensor.error().contains("SLS-wrong"), "{}", sensor.error());
    drop(sensor);
    let sensor = Sensor::new(folder.path()).delivering(central.settings());
    sensor.until_empty();
    // What is confirmed is counted a moment after it has left the spool.
    until("the count", || sensor.status().confirmed == Some(3));
    assert_eq!(central.detections(), 3);
}

#[test]
fn items_that_central_never_takes_become_dead_letters() {
    let central = Central::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let nameless = Alert { uuid: "nonsense".to_owned(), ..Alert::default() };
    let mut items = alerts(4);
    items.insert(2, NewItem { body: nameless.encode_to_vec(), ..alerts(1).remove(0) });
    items.insert(4, NewItem { body: b"\xff\xff\xff\xff".to_vec(), ..alerts(1).remove(0) });
    let sensor = Sensor::new(folder.path());
    sensor.append(items);
    let sensor = sensor.delivering(central.settings());
    sensor.until_empty();
    assert_eq!((central.detections(), sensor.backlog.spool.stats().dead_letters), (4, 2));
}
