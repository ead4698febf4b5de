//! What an output that spools keeps while its settings change.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use uuid::Uuid;

use crate::outcome::{Awaited, Outcome};
use crate::spool::{Kind, Limits, Spool, folder_name};

/// Items that someone waits for word of, at most: self checks alone are waited for.
const MOST_EXPECTED: usize = 100;

/// Where spools are, and how much each may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolSettings {
    /// The folder that has a folder for each output.
    pub folder: PathBuf,
    pub limits: Limits,
}

impl Default for SpoolSettings {
    fn default() -> Self {
        Self { folder: PathBuf::from("/var/lib/sophos/spool"), limits: Limits::default() }
    }
}

impl SpoolSettings {
    /// The folder of an output. Of its kind too: what is spooled for one kind is of no use to another.
    #[must_use]
    pub fn folder_of(&self, kind: &str, name: &str) -> PathBuf {
        self.folder.join(folder_name(&format!("{kind}:{name}")))
    }
}

/// The spool, and who waits for what is in it.
pub struct Backlog {
    pub spool: Spool,
    expected: Mutex<Vec<Awaited>>,
    /// The thread that was last started to empty the spool; the next one waits for its end.
    pub last_sender: Mutex<Option<JoinHandle<()>>>,
}

impl Backlog {
    /// Opens the spool of an output, and says in the log what was found.
    pub fn open(settings: &SpoolSettings, kind: &str, output: &str) -> Self {
        let folder = settings.folder_of(kind, output);
        let (spool, report) = Spool::open(&folder, settings.limits);
        let folder = folder.display();
        if let Some(salvage) = report.salvage {
            let (recovered, [alerts, rows]) = (salvage.recovered, salvage.lost);
            tracing::error!(
                output,
                recovered,
                lost_alerts = alerts,
                lost_rows = rows,
                "the spool {folder} was damaged ({}) and is kept in {}",
                salvage.reason,
                salvage.aside.display()
            );
        }
        if let Some(trouble) = report.trouble {
            let reason = trouble.reason;
            tracing::error!(
                output,
                "the spool {folder} cannot be used: {reason}; until it can, alerts wait in memory and do not outlive \
                 the sensor"
            );
        }
        let [alerts, rows] = Kind::ALL.map(|kind| report.waiting[kind as usize].records);
        if alerts + rows > 0 {
            tracing::info!(output, alerts, rows, "what could not be sent earlier waits, and is tried now");
        }
        Self { spool, expected: Mutex::default(), last_sender: Mutex::default() }
    }

    /// Notes whether someone waits for word of it; true if so.
    pub fn expect(&self, item: Option<&Awaited>) -> bool {
        let Some(item) = item else { return false };
        let mut expected = self.expected();
        if expected.len() == MOST_EXPECTED {
            expected.remove(0);
        }
        expected.push(item.clone());
        true
    }

    /// Passes on what became of an item.
    pub fn tell(&self, output: &str, uuid: Uuid, outcome: &Outcome) {
        self.expected().retain(|item| {
            let is_it = item.uuid == uuid;
            if is_it {
                item.tell(output, outcome);
            }
            !is_it || !outcome.is_final()
        });
    }

    /// Passes on what became of something that is not spooled.
    pub fn settle(&self, item: Option<&Awaited>, output: &str, outcome: &Outcome) {
        if let Some(item) = item {
            self.tell(output, item.uuid, outcome);
        }
    }

    /// Tells all who wait that it does not work for now.
    pub fn tell_all(&self, output: &str, outcome: &Outcome) {
        self.expected().iter().for_each(|item| item.tell(output, outcome));
    }

    fn expected(&self) -> MutexGuard<'_, Vec<Awaited>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
