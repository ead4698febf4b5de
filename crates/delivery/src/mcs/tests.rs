//! The client against a TLS server that replies, or misbehaves, by a script.

mod faults;
mod greetings;
mod proxied;
mod replies;
mod server;

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender as Report, channel},
    },
    time::Duration,
};

use prost::Message as _;
use sensor_proto::v1::{Alert, AlertBatch, BatchReply, EventBatch, HelloReply, LostRecords, Rejected, Row, row::Table};
use tempfile::TempDir;

use self::server::{Act, Peer, Request, http};
use super::*;
use crate::{
    ledger::{Ledger, OutputStatus},
    outcome::{Awaited, Outcome, Receipt},
    spool::{Cause, Limits, NewItem, Spool},
    spooled::{
        backlog::{Backlog, SpoolSettings},
        sender::Sender,
    },
    test_authority::{Authority, Folder},
    trust::CrlPolicy,
};

/// A token that must not appear anywhere.
const TOKEN: &str = "SLS-hunter2hunter2";

/// A sensor's delivery with everything around it.
struct Sensor {
    sender: Sender,
    ledger: Arc<Ledger>,
    backlog: Arc<Backlog>,
    spool: Spool,
    report: Report<Receipt>,
    receipts: Receiver<Receipt>,
    _folder: TempDir,
}

impl Sensor {
    fn start(peer: &Peer, change: impl FnOnce(&mut McsSettings)) -> Self {
        let mut settings = settings(peer);
        change(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let ledger = Arc::new(Ledger::new("mcs", "mcs"));
        let spools = SpoolSettings { folder: folder.path().into(), limits: Limits::default() };
        let backlog = ledger.backlog_in(&spools);
        let sender = Sender::start(Box::new(Central::new(settings).unwrap()), &backlog, &ledger).unwrap();
        let (report, receipts) = channel();
        Self { sender, ledger, spool: backlog.spool.clone(), backlog, report, receipts, _folder: folder }
    }

    fn status(&self) -> OutputStatus {
        self.ledger.status((0, None))
    }

    /// Waits for something that comes sooner or later.
    fn until(&self, what: &str, condition: impl Fn(&OutputStatus) -> bool) -> OutputStatus {
        let began = Instant::now();
        loop {
            let status = self.status();
            if condition(&status) {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "waited in vain for {what}: {status:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it does not work out, and yields why.
    fn until_it_fails(&self, how: &str) -> String {
        let fails = |status: &OutputStatus| error(status).is_some_and(|error| error.contains(how));
        error(&self.until(how, fails)).unwrap().to_owned()
    }

    fn until_empty(&self) {
        self.until("an empty spool", |_| !self.spool.has_items());
    }

    /// An item leaves the spool first; what became of it is told then, and counted as delivered last of all.
    fn until_confirmed(&self, messages: u64) {
        self.until("all that is confirmed", |status| status.confirmed == Some(messages));
    }

    fn append(&self, items: Vec<NewItem>) {
        for item in items.iter().filter(|item| item.kind == Kind::Urgent) {
            let watchers = vec![self.report.clone()];
            self.backlog.expect(Some(&Awaited { uuid: item.uuid, since: Instant::now(), watchers }));
        }
        self.spool.append(items).unwrap();
        self.sender.wake(false);
    }

    /// What was told of alerts so far.
    fn outcomes(&self) -> Vec<(u128, Outcome)> {
        self.receipts.try_iter().map(|receipt| (receipt.uuid.as_u128(), receipt.outcome)).collect()
    }
}

/// Why it last did not work out.
fn error(status: &OutputStatus) -> Option<&str> {
    status.last_error.as_ref().map(|error| error.message.as_str())
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
