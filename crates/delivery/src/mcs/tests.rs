//! The client against a TLS server that replies, or misbehaves, by a script.

mod faults;
mod proxied;
mod replies;
mod server;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use prost::Message as _;
use sensor_proto::v1::{Alert, AlertBatch, BatchReply, EventBatch, HelloReply, LostRecords, Rejected, Row, row::Table};
use tempfile::TempDir;

use self::server::{Act, Peer, Request, http};
use super::*;
use crate::spool::{Cause, Kind, Limits, NewItem};
use crate::test_authority::{Authority, Folder};
use crate::trust::CrlPolicy;

/// A token that must not appear anywhere.
const TOKEN: &str = "SLS-hunter2hunter2";

/// A sensor's delivery with everything around it.
struct Sensor {
    mcs: Mcs,
    spool: Spool,
    words: Receiver<(Uuid, Word)>,
    _folder: TempDir,
}

impl Sensor {
    fn start(peer: &Peer, change: impl FnOnce(&mut McsSettings)) -> Self {
        let mut settings = settings(peer);
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = Spool::open(folder.path(), Limits::default());
        let (sender, words): (Sender<(Uuid, Word)>, _) = channel();
        let watch = Box::new(move |uuid: Uuid, word: &Word| drop(sender.send((uuid, word.clone()))));
        let mcs = Mcs::start(settings, spool.clone(), watch).unwrap();
        Self { mcs, spool, words, _folder: folder }
    }

    /// Waits for something that comes sooner or later.
    fn until(&self, what: &str, condition: impl Fn(&Status) -> bool) -> Status {
        let began = Instant::now();
        loop {
            let status = self.mcs.status();
            if condition(&status) {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "waited in vain for {what}: {status:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn until_empty(&self) {
        self.until("an empty spool", |_| !self.spool.has_items());
    }

    /// An item leaves the spool first; what became of it is told then, and counted as delivered last of all.
    fn until_told(&self, delivered: [u64; 2]) {
        self.until("all that is told", |status| status.delivered == delivered);
    }

    fn append(&self, items: Vec<NewItem>) {
        self.spool.append(items).unwrap();
    }
}

fn settings(peer: &Peer) -> McsSettings {
    let millis = Duration::from_millis;
    McsSettings {
        name: "mcs".to_owned(),
        url: peer.url(),
        token: SecretString::from(TOKEN),
        tenant: Uuid::from_u128(77),
        sensor_id: "sensor-1".to_owned(),
        trust: TrustFolder::new(peer.folder.0.path(), CrlPolicy::Refuse),
        proxy: None,
        hello: Hello {
            sensor_version: "1.2".to_owned(),
            hostname: "web-1".to_owned(),
            metadata: Vec::new(),
            statistics: false,
        },
        bounds: Bounds::default(),
        pace: Pace { first: millis(1), most: millis(20), slow: millis(30) },
        timeouts: Timeouts { connect: Duration::from_secs(20), request: Duration::from_secs(20) },
    }
}

fn alert(number: u128) -> NewItem {
    let uuid = Uuid::from_u128(number);
    let alert = Alert { uuid: uuid.to_string(), strategy_name: "s".repeat(400), ..Alert::default() };
    NewItem { kind: Kind::Urgent, uuid, records: 1, body: alert.encode_to_vec() }
}

fn rows(number: u128, rows: u32) -> NewItem {
    let row = |count: u32| {
        let table = Table::LostRecords(LostRecords { count: Some(count.into()), ..LostRecords::default() });
        Row { table: Some(table) }
    };
    let body = EventBatch { rows: (0..rows).map(row).collect() }.encode_to_vec();
    NewItem { kind: Kind::Bulk, uuid: Uuid::from_u128(number), records: rows, body }
}

/// What a good Central replies.
fn good(request: &Request) -> Act {
    match request.path.as_str() {
        "/sensor/v1/hello" => Act::Reply(http(200, "", &hello().encode_to_vec())),
        _ => taken(request.messages(), &[]),
    }
}

fn hello() -> HelloReply {
    HelloReply {
        central_version: "9.9".to_owned(),
        unix_nano_timestamp: 1,
        clock_skew_nano: Some(-5),
        max_body_bytes: 1 << 20,
        max_decoded_bytes: 1 << 20,
        max_items: 1000,
    }
}

fn taken(messages: usize, rejected: &[usize]) -> Act {
    let reply = BatchReply {
        accepted: (messages - rejected.len()) as u64,
        duplicates: 0,
        rejected: rejected
            .iter()
            .map(|index| Rejected { index: *index as u64, uuid: String::new(), reason: "not that one".to_owned() })
            .collect(),
    };
    Act::Reply(http(200, "", &reply.encode_to_vec()))
}
