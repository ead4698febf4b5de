//! What is kept: one SQLite file, one thread that writes, any number that read.
//!
//! Requests wait in a bounded queue. The writer takes as many as there are, puts them into one transaction and
//! answers them once it is on the disk: many sensors share one sync, and nobody is told "stored" before it is so.
//! Whether a batch or an alert is there already is looked up inside the same transaction, so that it also holds for
//! two equal requests at once, and for a second process on the same file.

mod alerts;
mod arrivals;
mod audit;
pub mod backup;
mod clients;
mod clock;
mod detections;
mod entries;
mod fleet;
mod handling;
mod listing;
pub mod password;
mod reader;
mod retention;
mod runs;
mod schema;
mod secret;
mod sessions;
mod tenants;
mod tokens;
mod troubles;
mod users;
mod views;
mod web_sessions;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use sensor_proto::v1::Rejected;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::{config::Retention, event::EventType, metrics::Metrics};

pub use alerts::{AlertFilter, Start};
pub use arrivals::{Place, StoredAlert, StoredEvent};
pub use audit::Entry;
pub use clients::{
    Client, IdType, NewClient, Role, add as add_client, create as create_client, list as list_clients,
    revoke as revoke_client,
};
pub use detections::{Column, DetectionFilter, Group, Order, rule_of};
pub use fleet::{Fleet, Health, Watched};
pub use handling::{Act, Done, Handled};
pub use listing::{Counted, LOOKS, Listed, Listing, Sought};
pub use reader::{Detection, Filter, Reader, Sensor};
pub use runs::Run;
pub use secret::{Secret, hash};
pub use sessions::Use;
pub use tenants::{Tenant, set as set_tenant};
pub use tokens::{AccessToken, NewToken, Token, add as add_token, create as create_token};
pub use troubles::{Trouble, is_tampering};
pub use users::{
    Known, NewUser, User, UserRole, add as add_user, create as create_user, list as list_users, remove as remove_user,
    set_password, user_name,
};
pub use views::{MOST as MOST_VIEWS, View};
pub use web_sessions::Lasting;

/// Requests that may wait for the writer.
const QUEUE: usize = 256;

/// Who sent something: known once token and tenant were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub tenant: Uuid,
    /// `X-Sensor-ID`.
    pub sensor: String,
}

/// A batch, checked and ready to be stored.
#[derive(Debug)]
pub struct Batch {
    pub origin: Origin,
    /// `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the body after decompression: tells a batch sent again from another with the same key.
    pub digest: [u8; 32],
    /// When it came in, nanoseconds since the Unix epoch.
    pub received: i64,
    pub items: Items,
    /// Items that were not fit to be stored.
    pub rejected: Vec<Rejected>,
}

/// The items of a batch.
#[derive(Debug)]
pub enum Items {
    Alerts(Vec<Alert>),
    Rows(Vec<Row>),
}

impl Items {
    /// The name in metrics and in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Alerts(_) => "alerts",
            Self::Rows(_) => "events",
        }
    }

    /// Whether some of them tell that the sensor lost records.
    fn tell_of_losses(&self) -> bool {
        matches!(self, Self::Rows(rows) if rows.iter().any(|row| row.event == Some(EventType::RecordsLost)))
    }
}

/// An alert: what it is looked for by, and the whole.
#[derive(Debug, Default)]
pub struct Alert {
    pub uuid: Uuid,
    /// Its id in the public API.
    pub public_id: Uuid,
    /// Nanoseconds since the Unix epoch, by the sensor's clock.
    pub time: i64,
    pub priority: String,
    pub policy: String,
    pub host: String,
    /// Who ran the process; empty if it is not known, as the next two.
    pub user: String,
    /// The id of the container.
    pub container: String,
    pub incident: String,
    /// Whether it says that somebody meddled with the sensor itself.
    pub is_tampering: bool,
    pub json: String,
}

/// A row: its table, and the whole.
#[derive(Debug)]
pub struct Row {
    pub table: String,
    /// Nanoseconds since the Unix epoch, by the sensor's clock.
    pub time: i64,
    /// What it is in the public API, if it is of note.
    pub event: Option<EventType>,
    pub json: String,
}

/// What a sensor said of itself.
#[derive(Debug)]
pub struct Hello {
    pub origin: Origin,
    pub received: i64,
    pub version: String,
    pub hostname: String,
    /// A JSON object.
    pub metadata: String,
    /// A JSON object of numbers; an empty one leaves those before in place.
    pub statistics: String,
    /// Records that it lost since it started, if it told.
    pub lost: Option<f64>,
    /// Central's clock less the sensor's, nanoseconds.
    pub skew: Option<i64>,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored. The reply is a serialized `BatchReply`.
    Stored { reply: Vec<u8>, replayed: bool },
    /// Another batch came in with the same key.
    KeyReused,
}

/// Why something was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database {} is of version {found}, newer than this program, which knows up to {known}: run the newer program", path.display())]
    TooNew { path: PathBuf, found: i64, known: i64 },
    #[error("cannot open the database {}: {source}", path.display())]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("cannot make the folder {}, which the database is to be in: {source}", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error("cannot make the file of the database {}: {source}", path.display())]
    Create { path: PathBuf, source: std::io::Error },
    #[error("cannot {what} {}: {source}", path.display())]
    File { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot copy the database to {}: {source}", path.display())]
    Copy { path: PathBuf, source: rusqlite::Error },
    #[error("the database is of version {found} and cannot be copied before it is brought forward: {source}\nmake room beside it, or run `sensor-central migrate --without-backup --data-dir {}` once", data_dir.display())]
    NoCopy { found: i64, data_dir: PathBuf, source: Box<StoreError> },
    #[error("{} is there already: name a file that is not", path.display())]
    Exists { path: PathBuf },
    #[error("{} is being written by another `sensor-central`: let it end first", path.display())]
    BeingWritten { path: PathBuf },
    #[error("{} is not a whole database of Central: {}", path.display(), faults.join("; "))]
    Damaged { path: PathBuf, faults: Vec<String> },
    #[error("the database {} is in use: stop Central first (`systemctl stop sensor-central`)", path.display())]
    InUse { path: PathBuf },
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("too many requests are waiting to be stored")]
    Full,
    #[error("the last transaction failed, see the log; nothing of it was stored")]
    Failed,
    #[error("the store is closed")]
    Closed,
    #[error("cannot start the thread that writes the database: {0}")]
    Thread(std::io::Error),
    #[error("the system's random source failed: {0}")]
    Random(getrandom::Error),
    #[error("the password cannot be hashed: {0}")]
    Password(argon2::password_hash::Error),
    #[error("there is a user {0} already: `sensor-central user password` gives another password")]
    UserExists(String),
    #[error("there is no user {0}; `sensor-central user list` lists those there are")]
    NoSuchUser(String),
}

/// The way into the store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    queue: mpsc::Sender<Command>,
    reader: Arc<Reader>,
    /// Whether the last transaction was made durable.
    healthy: Arc<AtomicBool>,
    /// The moment of the last arrival, milliseconds since the Unix epoch.
    arrivals: watch::Receiver<i64>,
}

/// The thread that writes; see [`Store::close`].
#[derive(Debug)]
pub struct Writer(JoinHandle<()>);

#[derive(Debug)]
enum Command {
    Batch(Box<Batch>, oneshot::Sender<Result<Outcome, StoreError>>),
    Hello(Box<Hello>, oneshot::Sender<Result<(), StoreError>>),
    Expire(Retention, oneshot::Sender<Result<usize, StoreError>>),
    /// With how long sensors may be silent, nanoseconds.
    Look(Option<i64>, oneshot::Sender<Result<usize, StoreError>>),
    Change(Change, oneshot::Sender<Result<usize, StoreError>>),
    Close,
}

/// Anything small that is to be written; says how many records it changed. May be called again if the transaction fails.
struct Change(Box<Write>);

type Write = dyn Fn(&rusqlite::Transaction<'_>) -> rusqlite::Result<usize> + Send;

impl std::fmt::Debug for Change {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Change")
    }
}

impl Store {
    /// Opens or makes the database in a folder, and starts its writer.
    ///
    /// # Errors
    /// The folder or the file cannot be made or opened, or a newer program made the file.
    pub fn open(data_dir: &Path, metrics: Arc<Metrics>) -> Result<(Self, Writer), StoreError> {
        let connection = schema::open(data_dir)?;
        let last = writer::last_raised(&connection)?;
        let clock = clock::Clock::load(&connection)?;
        let reader = Arc::new(Reader::open(data_dir)?);
        let healthy = Arc::new(AtomicBool::new(true));
        let (queue, commands) = mpsc::channel(QUEUE);
        let (arrived, arrivals) = watch::channel(last);
        let thread = writer::start(connection, arrived, clock, commands, metrics, Arc::clone(&healthy))
            .map_err(StoreError::Thread)?;
        Ok((Self { queue, reader, healthy, arrivals }, Writer(thread)))
    }

    /// Stores a batch. Once this says [`Outcome::Stored`], it is on the disk.
    ///
    /// # Errors
    /// [`StoreError::Full`] when too much is waiting; otherwise nothing of the batch was stored.
    pub async fn batch(&self, batch: Batch) -> Result<Outcome, StoreError> {
        self.ask(|reply| Command::Batch(Box::new(batch), reply)).await
    }

    /// Stores what a sensor said of itself.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn hello(&self, hello: Hello) -> Result<(), StoreError> {
        self.ask(|reply| Command::Hello(Box::new(hello), reply)).await
    }

    /// Removes some of what is older or more than it may be; says how many records. To be called until it says 0.
    ///
    /// # Errors
    /// As for [`Store::batch`].
    pub async fn expire(&self, retention: Retention) -> Result<usize, StoreError> {
        self.ask(|reply| Command::Expire(retention, reply)).await
    }

    /// Makes a change durable; says how many records it changed.
    async fn change(
        &self,
        change: impl Fn(&rusqlite::Transaction<'_>) -> rusqlite::Result<usize> + Send + 'static,
    ) -> Result<usize, StoreError> {
        self.ask(|reply| Command::Change(Change(Box::new(change)), reply)).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Command,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(command(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Full,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Changes when something has come in, and ends when the store is closed.
    #[must_use]
    pub fn arrivals(&self) -> watch::Receiver<i64> {
        self.arrivals.clone()
    }

    /// The side that reads.
    #[must_use]
    pub const fn reader(&self) -> &Arc<Reader> {
        &self.reader
    }

    /// Whether things can be stored, as far as is known.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed) && !self.queue.is_closed()
    }

    /// Stores what is waiting, then ends the writer.
    pub async fn close(self, writer: Writer) {
        let _ = self.queue.send(Command::Close).await;
        drop(self.queue);
        let ended = tokio::task::spawn_blocking(|| writer.0.join()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::error!("the writer of the database did not end in good order");
        }
    }
}
