//! Alerts as a fleet of 1,000 hosts sends them.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use sensor_central::{
    ids,
    metrics::Metrics,
    store::{Alert, Batch, Items, Origin, Store, Writer},
};
use tokio::task::JoinSet;
use uuid::Uuid;

pub(crate) const TENANT: Uuid = Uuid::from_u128(0x0b1f_6c3e_84a7_4d52_9c0d_2f71_e6a8_b953);

/// Alerts in a batch.
const BATCH: usize = 100;
/// Sensors that send at the same time.
const SENDERS: usize = 16;

/// An alert of this number, with JSON of about this size: 1 in 3 begins an incident, 1 in 5 is of a container.
pub(crate) fn alert(number: usize, json_bytes: usize) -> Alert {
    let uuid = Uuid::now_v7();
    // The same for three that follow each other, and in the order of their time.
    let incident = Uuid::from_u128(Uuid::now_v7().as_u128() >> 64 << 64 | 0x8000_0000_0000_0000 | (number / 3) as u128);
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    let filler = "/usr/lib/a/path/of/some/length --with an-argument ".repeat(json_bytes.saturating_sub(100) / 50);
    Alert {
        uuid,
        public_id: ids::of_alert(uuid),
        time: sensor_central::now(),
        priority: ["High", "Medium", "Medium", "Low", "Info", "Info"][spread % 6].to_owned(),
        policy: format!("Policy Number {}", spread % 41),
        host: format!("host-{}.example.com", spread % 1_009),
        user: format!("user{}", spread % 53),
        container: if spread.is_multiple_of(5) { format!("{:064x}", spread % 499) } else { String::new() },
        incident: incident.to_string(),
        is_tampering: false,
        json: format!(
            "{{\"number\":\"n{number}\",\"categories\":[\"MITRE.Execution.Unix Shell (T1059.004)\"],\"a\":\"{filler}\"}}"
        ),
    }
}

/// A store in a folder.
pub(crate) struct Filled {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) store: Store,
    pub(crate) writer: Writer,
    pub(crate) count: usize,
}

impl Filled {
    pub(crate) fn open() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (store, writer) = Store::open(dir.path(), Arc::new(Metrics::default())).expect("a database");
        Self { dir, store, writer, count: 0 }
    }

    pub(crate) fn database(&self) -> Connection {
        open(self.dir.path())
    }

    /// Has so many more alerts confirmed.
    pub(crate) async fn take_in(&mut self, count: usize, json_bytes: usize) {
        let mut senders = JoinSet::new();
        let from = self.count;
        for sender in 0..SENDERS {
            let store = self.store.clone();
            senders.spawn(async move {
                for begin in (from..from + count).step_by(BATCH).skip(sender).step_by(SENDERS) {
                    let end = (begin + BATCH).min(from + count);
                    let batch = Batch {
                        origin: Origin { tenant: TENANT, sensor: format!("sensor-{sender}") },
                        key: begin.to_string(),
                        digest: [0; 32],
                        received: sensor_central::now(),
                        items: Items::Alerts((begin..end).map(|number| alert(number, json_bytes)).collect()),
                        rejected: Vec::new(),
                    };
                    store.batch(batch).await.expect("room on the disk");
                }
            });
        }
        senders.join_all().await;
        self.count += count;
    }
}

pub(crate) fn open(dir: &Path) -> Connection {
    let database = Connection::open(dir.join("central.db")).expect("the database");
    database.busy_timeout(std::time::Duration::from_secs(60)).expect("a setting");
    database
}

/// Waits until all alerts have their entries.
pub(crate) fn settle(database: &Connection) {
    let is_behind = "SELECT (SELECT max(id) FROM alerts) > (SELECT alert FROM entries_to)";
    while database.query_row(is_behind, [], |row| row.get::<_, bool>(0)).expect("an answer") {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
