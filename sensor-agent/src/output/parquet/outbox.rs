//! Files that wait in the sink's folder until the store has them: which there are, and that there are not too many.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use uuid::Uuid;

use super::store::StoreSettings;
use crate::{
    clock::{self, SteadyTime},
    delivery::spool::Cause,
    output::metrics::Ledger,
};

/// What a file takes on disk at least, bytes: many small ones count too.
const LEAST_BYTES: u64 = 4096;
/// Without anything to send, the age of files is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Folders below the sink's: table, date, hour.
const DEPTH: usize = 3;

/// A file that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its path below the folder, which is its key in the store.
    pub(super) key: String,
    pub(super) rows: u64,
    bytes: u64,
    /// When it was made, nanoseconds since the Unix epoch.
    made: u64,
}

/// See the module.
pub(super) struct Outbox {
    folder: PathBuf,
    max_bytes: u64,
    max_age: Duration,
    state: Mutex<State>,
    changed: Condvar,
    /// What files are dated by while the sensor runs: setting the time of day makes none older.
    clock: SteadyTime,
    /// Held while a file is made and while empty folders are removed.
    folders: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// By id, so the oldest first.
    files: BTreeMap<Uuid, Waiting>,
    in_hand: Option<Waiting>,
    /// Nothing more is to be sent from then on.
    end: Option<Instant>,
    ended: bool,
}

impl Outbox {
    pub(super) fn new(folder: &Path, store: &StoreSettings) -> Self {
        Self {
            folder: folder.to_owned(),
            max_bytes: store.max_bytes,
            max_age: store.max_age,
            state: Mutex::default(),
            changed: Condvar::new(),
            clock: SteadyTime::now(),
            folders: Mutex::default(),
        }
    }

    /// Makes a file in a folder that nobody removes meanwhile.
    pub(super) fn keep_folders<T>(&self, make: impl FnOnce() -> T) -> T {
        let _kept = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        make()
    }

    /// Takes in a new file, and gives up the oldest if there are too many.
    pub(super) fn add(&self, place: &Path, rows: u64, ledger: &Ledger) {
        let mut state = self.lock();
        if let Some((id, mut file)) = self.waiting(place, |_| Some(rows)) {
            file.made = self.now();
            state.files.insert(id, file);
        }
        ledger.outbox(|outbox| outbox.status.taken_in += rows);
        self.trim(&mut state, ledger);
        drop(state);
        self.changed.notify_all();
    }

    /// Takes in what an earlier run has left.
    pub(super) fn find(&self, ledger: &Ledger) {
        let mut found = Vec::new();
        self.look_in(Path::new(""), DEPTH, &mut found);
        let mut state = self.lock();
        for (id, file) in found {
            if state.in_hand.as_ref().is_none_or(|in_hand| in_hand.key != file.key) {
                state.files.entry(id).or_insert(file);
            }
        }
        self.trim(&mut state, ledger);
    }

    fn look_in(&self, place: &Path, depth: usize, found: &mut Vec<(Uuid, Waiting)>) {
        for entry in fs::read_dir(self.folder.join(place)).into_iter().flatten().flatten() {
            let place = place.join(entry.file_name());
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && depth > 0 {
                self.look_in(&place, depth - 1, found);
            } else if !is_folder && depth == 0 {
                found.extend(self.waiting(&place, rows_in));
            }
        }
    }

    /// None for what is not a file of a sensor's, or not there any more.
    fn waiting(&self, place: &Path, rows: impl FnOnce(&Path) -> Option<u64>) -> Option<(Uuid, Waiting)> {
        let key = place.to_str()?.to_owned();
        let id = Uuid::parse_str(place.file_name()?.to_str()?.strip_suffix(".parquet")?).ok()?;
        let (seconds, nanos) = id.get_timestamp()?.to_unix();
        let path = self.folder.join(place);
        let bytes = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?.len().max(LEAST_BYTES);
        let made = seconds.saturating_mul(1_000_000_000).saturating_add(nanos.into());
        Some((id, Waiting { key, rows: rows(&path)?, bytes, made }))
    }

    /// Waits for the next file to send, the oldest. None at the end.
    pub(super) fn next(&self, ledger: &Ledger) -> Option<Waiting> {
        let mut state = self.lock();
        loop {
            self.trim(&mut state, ledger);
            if state.end.is_some_and(|end| end <= Instant::now()) {
                return None;
            }
            if let Some((_, file)) = state.files.pop_first() {
                state.in_hand = Some(file.clone());
                return Some(file);
            }
            if state.end.is_some() {
                return None;
            }
            state = self.changed.wait_timeout(state, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What the file holds.
    pub(super) fn read(&self, file: &Waiting) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(&file.key))
    }

    /// The file that was taken last is to be taken again. Whether that makes sense, or it is the end.
    pub(super) fn put_back(&self, ledger: &Ledger) -> bool {
        let mut state = self.lock();
        if let Some(file) = state.in_hand.take()
            && let Some((id, mut there)) = self.waiting(Path::new(&file.key), |_| Some(file.rows))
        {
            there.made = file.made;
            let file = there;
            state.files.insert(id, file);
        }
        self.trim(&mut state, ledger);
        state.end.is_none()
    }

    /// The file that was taken last need not be kept any more.
    pub(super) fn done(&self, file: &Waiting, ledger: &Ledger) -> io::Result<()> {
        let removed = self.remove(file);
        let mut state = self.lock();
        state.in_hand = None;
        self.tell(&state, ledger);
        removed
    }

    /// Waits for so long, or until the end.
    pub(super) fn pause(&self, time: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), time, |state| state.end.is_none()));
    }

    /// Nothing more is to be sent from then on.
    pub(super) fn end(&self, at: Instant) {
        self.lock().end = Some(at);
        self.changed.notify_all();
    }

    /// Nothing more is sent.
    pub(super) fn ended(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    pub(super) fn wait_ended(&self, most: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), most, |state| !state.ended));
    }

    /// Gives up the oldest while there are too many, and those that are too old. The last one may have any size.
    fn trim(&self, state: &mut State, ledger: &Ledger) {
        let oldest = self.now().saturating_sub(u64::try_from(self.max_age.as_nanos()).unwrap_or(u64::MAX));
        let mut bytes: u64 = state.files.values().chain(&state.in_hand).map(|file| file.bytes).sum();
        while let Some(entry) = state.files.first_entry() {
            let cause = match entry.get() {
                file if file.made < oldest => Cause::Expired,
                _ if bytes > self.max_bytes => Cause::Full,
                _ => break,
            };
            if cause == Cause::Full && state.files.len() == 1 {
                break;
            }
            let Some((_, file)) = state.files.pop_first() else { break };
            bytes -= file.bytes;
            let mut reason = format!("{} waited too long, or too much waited with it", file.key);
            if let Err(error) = self.remove(&file) {
                reason = format!("{reason}; it cannot be deleted: {error}");
            }
            ledger.gave_up_files(cause.name(), file.rows, &reason);
        }
        self.tell(state, ledger);
    }

    fn tell(&self, state: &State, ledger: &Ledger) {
        let files = || state.files.values().chain(&state.in_hand);
        ledger.outbox(|outbox| {
            outbox.status.stored = files().map(|file| file.rows).sum();
            outbox.status.bytes = files().map(|file| file.bytes).sum();
            outbox.oldest = files().map(|file| file.made).min();
            outbox.dated_by = self.clock;
        });
    }

    /// Deletes the file, and the folders of its hour and date if nothing else is in them.
    fn remove(&self, file: &Waiting) -> io::Result<()> {
        let path = self.folder.join(&file.key);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.keep_folders(|| {
            for folder in path.ancestors().skip(1).take(2) {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        });
        Ok(())
    }

    fn now(&self) -> u64 {
        self.clock.unix(clock::boot_now())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows of a file; none if it is no Parquet file.
fn rows_in(path: &Path) -> Option<u64> {
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    u64::try_from(reader.metadata().file_metadata().num_rows()).ok()
}
