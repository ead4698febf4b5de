//! The `parquet` sink: rows as Parquet files in a folder or an S3-compatible store, for DuckDB, Athena, Spark, Trino and
//! their like.
//!
//! ```text
//! FOLDER/process_events/date=2026-11-22/hour=2/<uuid>.parquet
//! ```
//!
//! Rows are gathered in memory and written every `roll_interval`, earlier when there are many: each file is there whole
//! or not at all. So a crash of the sensor costs the rows since the last file; an orderly stop writes them. While
//! nothing can be written, as many rows as one file may have are kept, and then the sink's queue fills. A file is also
//! written early when its rows take much memory.
//!
//! With a store, the folder is where files wait for it:
//!
//! ```text
//! rows ─▶ this ─▶ FOLDER/…/ID.parquet ─▶ uploader's thread ─▶ store
//!                        ▲                     │ confirmed: deleted
//!                        └─────────────────────┘ anything else: the same file again, later
//! ```

mod columns;
mod outbox;
mod upload;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use diagnostic::Report;
use jiff::{Timestamp, tz::TimeZone};
use schema::Table;
use secrecy::SecretString;
use settings::{Key, Kind, Variant};
use uuid::Uuid;

use delivery::{
    cause::Cause,
    worker::queue::{Deliver, Delivery, Failure, Load},
    ledger::Ledger,
    receivers::{
        parquet::{self, put_whole},
        s3::{S3Settings, keys as s3},
    },
    tls::TlsSettings,
};
use private_folder::make_private;

use self::{columns::write_rows, outbox::Outbox, upload::Uploader};
use super::{
    Elsewhere, Endpoint, Fault, Given, Opened, Target, Waiting,
    keys::{CA_FILE, CERT_FILE, KEY_FILE, RETRY_MAX, RETRY_MIN},
};
use crate::{
    event::{Event, Host},
    output::{
        rows::{QueuedRows, RowBatch},
        settings::SinkSettings,
    },
};

pub(super) const SINK: Variant = Variant {
    name: "parquet",
    keys: KEYS,
    doc: "Parquet files by table, date and hour; `name` is their folder. With `bucket` they go on to an S3-compatible store, \
          and the folder is where they wait for it.",
};

const KEYS: &[Key] = &[
    Key::new(
        "roll_interval",
        Kind::Duration(100),
        "10m",
        "How long rows are gathered for a file, which there is one of for each table and interval; a crash of the sensor costs as many.",
    ),
    Key::new("bucket", Kind::Text, "", "The bucket that files are moved to. Without it, they stay in the folder."),
    s3::PREFIX,
    s3::ENDPOINT,
    s3::REGION,
    s3::PATH_STYLE,
    s3::ACCESS_KEY_ID,
    s3::SECRET_ACCESS_KEY,
    s3::SECRET_ACCESS_KEY_FILE,
    s3::TIMEOUT,
    RETRY_MIN,
    RETRY_MAX,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
];

/// The key that says something without a store.
const WITHOUT_STORE: &str = "roll_interval";

/// Rows that are gathered at most.
const MOST_ROWS: usize = 65_536;
/// After a failure.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// How long a sink that ends goes on sending files, as long as that works. The rest stays in the folder.
const LAST_TRIES: Duration = Duration::from_secs(3);

/// A `parquet` sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParquetSettings {
    pub folder: PathBuf,
    /// How long rows are gathered for a file.
    pub roll_interval: Duration,
    /// Where the files are moved to.
    pub store: Option<StoreSettings>,
}

/// A store, and how much may wait for it in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreSettings {
    pub s3: S3Settings,
    pub waiting: Waiting,
}

pub(super) fn sink(given: &Given<'_>, elsewhere: &mut Elsewhere, report: &mut Report) -> Option<Arc<dyn Target>> {
    let section = &given.section;
    let folder = given.path("a sink of backend `parquet`", elsewhere, report)?;
    let store = match section.get::<String>("bucket") {
        Some(bucket) => {
            let http = |endpoint: &_, report: &mut _| given.single_requests(endpoint, report);
            let s3 = s3::read(section, bucket, report, http)?;
            Some(StoreSettings { s3, waiting: elsewhere.waiting })
        }
        None => {
            s3::without_bucket(section, KEYS.iter().filter(|key| key.name != WITHOUT_STORE), report);
            None
        }
    };
    Some(Arc::new(ParquetSettings { folder, roll_interval: section.get("roll_interval")?, store }))
}

impl Target for ParquetSettings {
    fn kind(&self) -> &'static str {
        SINK.name
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }

    fn tls(&self) -> Option<&TlsSettings> {
        Some(&self.store.as_ref()?.s3.http.tls)
    }

    fn fault(&self) -> Option<Fault> {
        let store = self.store.as_ref()?;
        let unreachable = |reason| Fault { label: "cannot be reached as this says", ..Fault::of_all(reason) };
        Fault::of_tls(&store.s3.http.tls).or_else(|| store.s3.check().err().map(unreachable))
    }

    fn check(&self) -> io::Result<()> {
        parquet::check(&self.folder)
    }

    fn form(&self) -> Option<&'static str> {
        Some(SINK.name)
    }

    fn folder(&self) -> Option<super::Folder<'_>> {
        Some(super::Folder { path: &self.folder, is_own: true })
    }

    fn endpoint(&self) -> Option<Endpoint<'_>> {
        Some(Endpoint::Url(&self.store.as_ref()?.s3.endpoint))
    }

    fn secrets(&self) -> Vec<&SecretString> {
        self.store.iter().flat_map(|store| &store.s3.access_key).map(|key| &key.secret).collect()
    }

    fn rows(&self, _: &SinkSettings) -> Opened<QueuedRows> {
        Ok(Box::new(ParquetFiles::open(self)?))
    }
}

/// Gathers rows.
struct ParquetFiles {
    settings: ParquetSettings,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    uploader: Option<Uploader>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    batches: Vec<Arc<RowBatch>>,
    rows: usize,
    bytes: usize,
    /// Since when the first of them waits.
    since: Option<Instant>,
    /// Why the last try failed.
    failure: Option<String>,
    /// It is written now, whatever `roll_interval` says.
    flush: bool,
    ending: bool,
}

impl ParquetFiles {
    /// Makes the folder.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or others could put files of their own there, which would go to the store with the others.
    fn open(settings: &ParquetSettings) -> io::Result<Self> {
        make_private(&settings.folder)?;
        Ok(Self { settings: settings.clone(), shared: Arc::default(), thread: None, uploader: None })
    }
}

impl Deliver<QueuedRows> for ParquetFiles {
    fn deliver(&mut self, items: &mut [QueuedRows], ledger: &Ledger) -> Delivery {
        let mut state = self.shared.lock();
        for (done, rows) in items.iter().enumerate() {
            let is_full = |state: &State| state.is_full(ledger);
            if let Some(reason) = state.failure.clone().filter(|_| is_full(&state)) {
                return Delivery { done, failure: Some(Failure::Retry(reason)) };
            }
            while is_full(&state) && state.failure.is_none() {
                // They are being written.
                self.shared.changed.notify_all();
                state = self.shared.wait(state, TRY_AGAIN);
            }
            state.batches.push(Arc::clone(&rows.batch));
            state.rows += rows.weight();
            state.bytes += rows.size();
            state.since.get_or_insert_with(Instant::now);
            ledger.spooled(rows.weight());
        }
        if self.settings.store.is_some() {
            note_gathered(state.rows, ledger);
        }
        drop(state);
        self.shared.changed.notify_all();
        Delivery { done: items.len(), failure: None }
    }

    fn reset(&mut self) {}

    fn start(&mut self, ledger: &Arc<Ledger>) {
        if let Err(reason) = self.start_threads(ledger) {
            self.shared.lock().failure = Some(reason);
        }
    }

    fn flush(&mut self) {
        self.shared.lock().flush = true;
        self.shared.changed.notify_all();
    }

    fn finish(&mut self, _: &Ledger) {
        self.write_all();
        if let Some(uploader) = self.uploader.take() {
            uploader.finish(LAST_TRIES);
        }
    }
}

impl ParquetFiles {
    fn start_threads(&mut self, ledger: &Arc<Ledger>) -> Result<(), String> {
        ledger.set_confirms(self.settings.store.is_some());
        if let Some(store) = &self.settings.store {
            let uploader = Uploader::start(&self.settings.folder, store, ledger);
            self.uploader = Some(uploader.map_err(|error| format!("the upload cannot be started: {error}"))?);
        }
        let outbox = self.uploader.as_ref().map(Uploader::outbox);
        let (settings, shared, ledger) = (self.settings.clone(), Arc::clone(&self.shared), Arc::clone(ledger));
        let writer =
            move || shared.run(&Folder { path: &settings.folder, outbox: outbox.as_deref() }, &settings, &ledger);
        let spawned = std::thread::Builder::new().name("parquet".to_owned()).spawn(writer);
        self.thread = Some(spawned.map_err(|error| format!("no thread could be started: {error}"))?);
        Ok(())
    }

    fn write_all(&mut self) {
        self.shared.lock().ending = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Under other settings the same folder has one uploader alone: dropping the uploader waits for what it has in hand.
impl Drop for ParquetFiles {
    fn drop(&mut self) {
        self.write_all();
    }
}

/// Where files go.
struct Folder<'a> {
    path: &'a Path,
    /// Set if they wait there for a store.
    outbox: Option<&'a Outbox>,
}

impl State {
    /// Whether a file is due whatever the time.
    fn is_full(&self, ledger: &Ledger) -> bool {
        self.rows >= MOST_ROWS || self.bytes >= ledger.budget().piece()
    }
}

impl Shared {
    /// The thread that writes.
    fn run(&self, folder: &Folder<'_>, settings: &ParquetSettings, ledger: &Ledger) {
        loop {
            let mut state = self.lock();
            loop {
                let due =
                    state.since.map(|since| (since + settings.roll_interval).saturating_duration_since(Instant::now()));
                match due {
                    _ if state.ending => break,
                    Some(_) if state.flush => break,
                    Some(left) if left.is_zero() || state.is_full(ledger) => break,
                    left => state = self.wait(state, left.unwrap_or(Duration::from_secs(3600))),
                }
            }
            state.flush = false;
            let (batches, ending) = (std::mem::take(&mut state.batches), state.ending);
            drop(state);
            let failed = write_files(folder, &batches, ledger);
            let mut state = self.lock();
            state.failure = failed.as_ref().map(|(_, reason)| reason.clone());
            let left: Vec<_> = failed.map(|(left, _)| left).unwrap_or_default();
            state.batches.splice(0..0, left.into_iter().map(Arc::new));
            state.rows = state.batches.iter().map(|batch| batch.events.len()).sum();
            state.bytes = state.batches.iter().map(|batch| batch.size()).sum();
            state.since = (state.rows > 0).then(Instant::now);
            if settings.store.is_some() {
                note_gathered(state.rows, ledger);
            }
            self.changed.notify_all();
            match &state.failure {
                Some(reason) if ending => {
                    ledger.dropped(Cause::Stopped, state.rows, reason);
                    return;
                }
                Some(reason) => {
                    ledger.failed(reason);
                    drop(self.wait(state, TRY_AGAIN));
                }
                None if ending => return,
                None => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Rows that wait in memory, for the status.
fn note_gathered(rows: usize, ledger: &Ledger) {
    ledger.outbox(|outbox| outbox.status.in_memory = rows as u64);
}

/// Rows of one file.
struct Part<'a> {
    table: &'static Table,
    host: &'a Arc<Host>,
    events: Vec<&'a Event>,
}

/// Writes files of all of it. If that fails, what is left, and why.
fn write_files(folder: &Folder<'_>, batches: &[Arc<RowBatch>], ledger: &Ledger) -> Option<(Vec<RowBatch>, String)> {
    // By place, and by host, which a reload can change.
    let mut parts: BTreeMap<(PathBuf, *const Host), Part<'_>> = BTreeMap::new();
    for batch in batches {
        for event in &batch.events {
            let place = (Path::new(batch.table.name).join(partition(event.time)), Arc::as_ptr(&batch.host));
            let part = parts.entry(place);
            part.or_insert_with(|| Part { table: batch.table, host: &batch.host, events: Vec::new() })
                .events
                .push(event);
        }
    }
    let mut left = Vec::new();
    let mut failure = None;
    for ((place, _), Part { table, host, events }) in parts {
        match failure.is_none().then(|| folder.write(&place, table, host, &events, ledger)) {
            Some(Ok(())) => {}
            outcome => {
                if let Some(Err(error)) = outcome {
                    failure = Some(format!("cannot write below {}: {error}", folder.path.join(&place).display()));
                }
                let events = events.into_iter().cloned().collect();
                left.push(RowBatch { table, events, host: Arc::clone(host) });
            }
        }
    }
    failure.map(|reason| (left, reason))
}

impl Folder<'_> {
    fn write(&self, place: &Path, table: &Table, host: &Host, events: &[&Event], ledger: &Ledger) -> io::Result<()> {
        let Some(outbox) = self.outbox else {
            write_file(&self.path.join(place), table, host, events)?;
            // Here, on this host: nobody confirms.
            ledger.handed_over(events.len());
            return Ok(());
        };
        let name = outbox.keep_folders(|| write_file(&self.path.join(place), table, host, events))?;
        outbox.add(&place.join(name), events.len() as u64, ledger);
        Ok(())
    }
}

/// Writes a file that is there whole or not at all. Returns its name.
fn write_file(folder: &Path, table: &Table, host: &Host, events: &[&Event]) -> io::Result<String> {
    let name = format!("{}.parquet", Uuid::now_v7());
    put_whole(folder, &name, |file| write_rows(file, table, host, events))?;
    Ok(name)
}

/// Date and hour, in UTC, as engines that know partitions read them. The hour has no zero before it: `06` is a text to
/// DuckDB and `16` a number, so that a column's type would come with the time of day.
fn partition(time: u64) -> String {
    let time = Timestamp::from_nanosecond(time.into()).unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC);
    format!("date={}/hour={}", time.date(), time.hour())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_by_hour_in_utc() {
        assert_eq!(partition(1_700_000_000_000_000_000), "date=2023-11-14/hour=22");
        assert_eq!(partition(0), "date=1970-01-01/hour=0");
    }
}
