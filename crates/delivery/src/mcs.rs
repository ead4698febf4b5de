//! Delivers to Central: alerts and table rows over HTTPS, from a spool.
//!
//! ```text
//! spool ─▶ load ─▶ batches ─▶ client: trust, proxy, zstd ──POST──▶ Central
//!   ▲                │ 400, 413, 422: halves                         │
//!   └── confirm, dead letters ◀──────────── verdict ◀── reply ◀──────┘
//! ```
//!
//! | reply | what follows |
//! | --- | --- |
//! | 2xx that accounts for each message | what was accepted leaves the spool, what was rejected becomes a dead letter |
//! | 400, 413, 422 | the batch is sent in halves; a single message becomes a dead letter |
//! | 415 | the same without compression |
//! | 401, 403, other 3xx and 4xx | nothing leaves the spool; a try every 5 minutes, and it is said |
//! | 408, 425, 429, 5xx, any fault of the network, untrusted | a try after 1 s up to 5 min, not before `Retry-After` |
//!
//! The wire is ours, open and documented in `proto/`. Delivery into another service is this module put in its place:
//! the spool and the trust beneath it know nothing of it.
//!
//! One thread for an output, with a runtime of its own; it shares nothing with the engine but the spool.

mod batch;
mod client;
mod courier;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod proxy;
mod reply;
mod statistics;
mod status;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use reqwest::header::InvalidHeaderValue;
use secrecy::SecretString;
use tokio::sync::{Notify, watch};
use url::Url;
use uuid::Uuid;

use self::client::Client;
pub use self::client::Timeouts;
use self::courier::Courier;
pub use self::proxy::{ProxyError, on_the_way};
pub use self::statistics::publish as publish_statistics;
pub use self::status::{CentralFacts, State, Status};
use crate::backoff::Pace;
use crate::spool::Spool;
use crate::trust::TrustFolder;

/// Where to deliver, as whom, and how.
pub struct McsSettings {
    /// What the output is called in the log.
    pub name: String,
    pub url: Url,
    pub token: SecretString,
    /// The `customer_id`.
    pub tenant: Uuid,
    /// 1 to 128 visible ASCII characters, the same for all that one sensor sends.
    pub sensor_id: String,
    pub trust: TrustFolder,
    /// In place of that of the environment.
    pub proxy: Option<Url>,
    pub hello: Hello,
    pub bounds: Bounds,
    pub pace: Pace,
    pub timeouts: Timeouts,
}

impl McsSettings {
    /// Looks whether these can work, whatever the network does.
    ///
    /// # Errors
    ///
    /// When they cannot.
    pub fn check(self) -> Result<(), StartError> {
        Client::new(self).map(drop)
    }
}

/// How the sensor introduces itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    pub sensor_version: String,
    pub hostname: String,
    /// Facts about the host, as in an alert's `metadata`.
    pub metadata: Vec<(String, String)>,
    /// Whether statistics on the sensor's health may go along, now and then.
    pub statistics: bool,
}

/// The largest batch. What Central says it takes bounds it further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Alerts, or rows.
    pub messages: usize,
    /// Bytes before compression.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { messages: 500, bytes: 1 << 20 }
    }
}

/// Why delivery cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("mcs.url cannot be used: {reason}")]
    Url { reason: &'static str },
    #[error("mcs.token holds characters that a token never has; copy it anew, without quotes and line ends")]
    Token,
    #[error("the sensor's id {id:?} is not 1 to 128 visible ASCII characters")]
    SensorId { id: String },
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    #[error("the thread that delivers could not be started: {0}")]
    Thread(#[from] io::Error),
    #[error("a header could not be made: {0}")]
    Header(#[from] InvalidHeaderValue),
}

/// What became of an item, for those who wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The receiver has it.
    Confirmed,
    /// The receiver will never take it: why.
    Rejected(String),
    /// Not yet: why. It is tried again.
    Retrying(String),
}

/// Is told how delivery goes, on the thread that delivers. A closure hears of single items alone.
pub trait Observer: Send {
    /// What became of an alert, by its uuid.
    fn word(&self, uuid: Uuid, word: &Word);

    /// Central has so many further alerts, or rows.
    fn delivered(&self, _count: usize) {}

    /// A try failed, for this reason; there will be others.
    fn failed(&self, _reason: &str) {}

    /// An alert is too large for Central, for this reason, and is sent in a shorter form.
    fn too_large(&self, _reason: &str) {}

    /// Central has answered as it should.
    fn works(&self, _status: &Status) {}
}

impl<F: Fn(Uuid, &Word) + Send> Observer for F {
    fn word(&self, uuid: Uuid, word: &Word) {
        self(uuid, word);
    }
}

/// Delivery in its thread.
pub struct Mcs {
    status: Arc<Mutex<Status>>,
    hurry: Arc<Notify>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Mcs {
    /// Starts to deliver what is in the spool. Does not wait for the network.
    ///
    /// # Errors
    ///
    /// When the settings cannot work, whatever the network does.
    pub fn start(settings: McsSettings, spool: Spool, observer: Box<dyn Observer>) -> Result<Self, StartError> {
        let (stop, stopped) = watch::channel(false);
        let status = Arc::new(Mutex::new(Status::default()));
        let hurry = Arc::new(Notify::new());
        let courier = Courier::new(settings, spool, observer, Arc::clone(&status), Arc::clone(&hurry), stopped)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("mcs".to_owned()).spawn(move || {
            runtime.block_on(courier.run());
            // A name that is being looked up cannot be called off; nobody waits for it.
            runtime.shutdown_background();
        })?;
        Ok(Self { status, hurry, stop, thread: Some(thread) })
    }

    /// Someone waits: what waits for the next try is tried at once, unless Central asked for the wait.
    pub fn hurry(&self) {
        self.hurry.notify_one();
    }

    #[must_use]
    pub fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends delivery: a request that is under way gets so long to end. What is left waits in the spool.
    pub fn stop(mut self, grace: Duration) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).grace = grace;
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Ends delivery at once.
impl Drop for Mcs {
    fn drop(&mut self) {
        self.end();
    }
}
