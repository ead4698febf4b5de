//! The sensor's delivery against the real Central: over TLS and HTTP/2, through faults, restarts of either side.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use delivery::backoff::Pace;
use delivery::mcs::{Bounds, Hello, Mcs, McsSettings, State, Timeouts, Word};
use delivery::spool::{Kind, Limits, NewItem, Spool};
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
        let server = self.runtime.block_on(async { Server::start(&dev.config(self.address), faults) }).unwrap();
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

fn spool(folder: &Path) -> Spool {
    Spool::open(folder, Limits::default()).0
}

fn deliver(settings: McsSettings, spool: &Spool) -> Mcs {
    Mcs::start(settings, spool.clone(), Box::new(|_: Uuid, _: &Word| {})).unwrap()
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
    let spool = spool(folder.path());
    let mcs = deliver(central.settings(), &spool);
    for _ in 0..10 {
        spool.append(alerts(7)).unwrap();
        spool.append(vec![rows(30)]).unwrap();
    }
    until("an empty spool", || !spool.has_items());
    assert_eq!((central.detections(), central.rows()), (70, 300));
    // What is confirmed is counted a moment after it has left the spool.
    until("the count", || mcs.status().delivered == [70, 300]);
    let status = mcs.status();
    assert_eq!(status.state, State::Working);
    let facts = status.central.unwrap();
    assert_eq!(facts.version, sensor_central::VERSION);
    assert!(facts.clock_skew.unwrap().abs() < 60_000_000_000);
    assert_eq!(spool.stats().given_up.sum(), 0);
}

#[test]
fn restarts_of_either_side_lose_nothing_and_repeat_nothing() {
    let mut central = Central::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let mut sent = (0, 0);
    for round in 0..6 {
        let spool = spool(folder.path());
        let mcs = deliver(central.settings(), &spool);
        for _ in 0..20 {
            spool.append(alerts(5)).unwrap();
            spool.append(vec![rows(10)]).unwrap();
            sent = (sent.0 + 5, sent.1 + 10);
        }
        if round % 2 == 0 {
            central.stop();
            drop(mcs);
            central.resume(Crl::Good, &[]);
        } else {
            // At once, in the middle of whatever it is doing.
            drop(mcs);
        }
    }
    let spool = spool(folder.path());
    let mcs = deliver(central.settings(), &spool);
    until("an empty spool", || !spool.has_items());
    assert_eq!((central.detections(), central.rows()), sent);
    drop(mcs);
}

#[test]
fn a_revoked_or_unknown_central_gets_nothing() {
    for crl in [Crl::Revoked, Crl::Stale] {
        let mut central = Central::start(&[]);
        central.stop();
        central.resume(crl, &[]);
        let folder = tempfile::tempdir().unwrap();
        let spool = spool(folder.path());
        spool.append(alerts(3)).unwrap();
        let mcs = deliver(central.settings(), &spool);
        until("a refusal", || mcs.status().state == State::Untrusted);
        assert_eq!((central.detections(), spool.stats().disk[0].items), (0, 3));
        // A good list is found without a restart of the sensor. The server shows a new certificate.
        central.stop();
        central.resume(Crl::Good, &[]);
        until("an empty spool", || !spool.has_items());
        assert_eq!(central.detections(), 3);
    }
}

#[test]
fn a_wrong_token_keeps_everything_until_it_is_right() {
    let central = Central::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(folder.path());
    spool.append(alerts(3)).unwrap();
    let wrong = McsSettings { token: SecretString::from("SLS-wrong"), ..central.settings() };
    let mcs = deliver(wrong, &spool);
    until("a refusal", || mcs.status().state == State::Refused);
    let error = mcs.status().last_error.unwrap();
    assert!(error.contains("mcs.token") && !error.contains("SLS-wrong"), "{error}");
    drop(mcs);
    let mcs = deliver(central.settings(), &spool);
    until("an empty spool", || !spool.has_items());
    // What is confirmed is counted a moment after it has left the spool.
    until("the count", || mcs.status().delivered[0] == 3);
    assert_eq!(central.detections(), 3);
}

#[test]
fn items_that_central_never_takes_become_dead_letters() {
    let central = Central::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(folder.path());
    let nameless = Alert { uuid: "nonsense".to_owned(), ..Alert::default() };
    let mut items = alerts(4);
    items.insert(2, NewItem { body: nameless.encode_to_vec(), ..alerts(1).remove(0) });
    items.insert(4, NewItem { body: b"\xff\xff\xff\xff".to_vec(), ..alerts(1).remove(0) });
    spool.append(items).unwrap();
    let _mcs = deliver(central.settings(), &spool);
    until("an empty spool", || !spool.has_items());
    assert_eq!((central.detections(), spool.stats().dead_letters), (4, 2));
}
