//! Files that wait in the sink's folder until the store has them: which there are, and that there are not too many.
//!
//! How old a file is goes by the time of its last change, which is set here: a time of day that is set ages nothing. While
//! the sensor runs, files are dated by a clock that only goes forward; once the time of day was set, they are dated anew,
//! for it was the clock that was wrong. What they are dated by is kept beside them, so that the next run of the same boot
//! can do so too.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use clock::SteadyTime;
use delivery::{ledger::Ledger, receivers::parquet::rows_in, spool::Cause};
use uuid::Uuid;

/// What a file takes on disk at least, bytes: many small ones count too.
const LEAST_BYTES: u64 = 4096;
/// Without anything to send, the age of files is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Folders below the sink's: table, date, hour.
const DEPTH: usize = 3;
/// The boot in which files were last dated, and the difference of the clocks then. Readers pass over names that begin
/// with a dot.
const DATED_BY: &str = ".dated_by";

/// A file that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its path below the folder, which is its key in the store.
    pub(super) key: String,
    pub(super) rows: u64,
    bytes: u64,
    /// When it was made, nanoseconds since the Unix epoch.
    made: u64,
    id: Uuid,
}

impl Waiting {
    /// What they stand in order by.
    const fn place(&self) -> (u64, Uuid) {
        (self.made, self.id)
    }
}

/// See the module.
pub(super) struct Outbox {
    folder: PathBuf,
    max_bytes: u64,
    max_age: Duration,
    state: Mutex<State>,
    changed: Condvar,
    /// How the clocks are read.
    clocks: fn() -> SteadyTime,
    /// Held while a file is made and while empty folders are removed.
    folders: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The oldest first.
    files: BTreeMap<(u64, Uuid), Waiting>,
    in_hand: Option<Waiting>,
    /// What files are dated by.
    clock: SteadyTime,
    /// Nothing more is to be sent from then on.
    end: Option<Instant>,
    ended: bool,
}

impl Outbox {
    /// For a folder that may hold so many bytes, each file for so long.
    pub(super) fn new(folder: &Path, max_bytes: u64, max_age: Duration) -> Self {
        Self::with_clocks(folder, max_bytes, max_age, SteadyTime::now)
    }

    fn with_clocks(folder: &Path, max_bytes: u64, max_age: Duration, clocks: fn() -> SteadyTime) -> Self {
        Self {
            folder: folder.to_owned(),
            max_bytes,
            max_age,
            state: Mutex::new(State { clock: clocks(), ..State::default() }),
            changed: Condvar::new(),
            clocks,
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
        if let Some(mut file) = self.waiting(place, |_| Some(rows)) {
            self.date(&mut file, state.clock.unix((self.clocks)().boot()));
            state.files.insert(file.place(), file);
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
        let known: HashSet<Uuid> = state.files.values().chain(&state.in_hand).map(|file| file.id).collect();
        found.retain(|file| !known.contains(&file.id));
        if let Some(before) = self.dated_by() {
            let step = state.clock.offset().saturating_sub(before);
            if step.unsigned_abs() >= u64::try_from(clock::STEP.as_nanos()).unwrap_or(u64::MAX) {
                self.date_anew(found.iter_mut(), before, step);
            }
        }
        state.files.extend(found.into_iter().map(|file| (file.place(), file)));
        self.note_clock(state.clock);
        self.trim(&mut state, ledger);
    }

    fn look_in(&self, place: &Path, depth: usize, found: &mut Vec<Waiting>) {
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
    fn waiting(&self, place: &Path, rows: impl FnOnce(&Path) -> Option<u64>) -> Option<Waiting> {
        let key = place.to_str()?.to_owned();
        let id = Uuid::parse_str(place.file_name()?.to_str()?.strip_suffix(".parquet")?).ok()?;
        let path = self.folder.join(place);
        let there = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let made = there.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let made = u64::try_from(made.as_nanos()).unwrap_or(u64::MAX);
        Some(Waiting { key, rows: rows(&path)?, bytes: there.len().max(LEAST_BYTES), made, id })
    }

    /// Says of a file when it was made, for the next run too. Where that cannot be said, the time of its last write
    /// stands.
    fn date(&self, file: &mut Waiting, made: u64) {
        file.made = made;
        if let Ok(there) = File::options().write(true).open(self.folder.join(&file.key)) {
            let _ = there.set_modified(SystemTime::UNIX_EPOCH + Duration::from_nanos(made));
        }
    }

    /// The clock was wrong by so much: files that were made in this boot, which began at `boot` by that clock, are dated
    /// anew.
    fn date_anew<'a>(&self, files: impl Iterator<Item = &'a mut Waiting>, boot: i64, step: i64) {
        for file in files.filter(|file| i128::from(file.made) >= i128::from(boot)) {
            let made = file.made.saturating_add_signed(step);
            self.date(file, made);
        }
    }

    /// The difference of the clocks that files were last dated by, in this boot.
    fn dated_by(&self) -> Option<i64> {
        let text = fs::read_to_string(self.folder.join(DATED_BY)).ok()?;
        let (boot, offset) = text.trim().split_once(' ')?;
        (boot == format!("{:032x}", clock::boot_id())).then(|| offset.parse().ok())?
    }

    fn note_clock(&self, by: SteadyTime) {
        let text = format!("{:032x} {}\n", clock::boot_id(), by.offset());
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(self.folder.join(DATED_BY)).map_err(|error| error.error)
        };
        if let Err(error) = write() {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "what files are dated by cannot be kept there: a clock that is set ages them after a restart");
        }
    }

    /// Dates by another reading of the clocks if the time of day was set since.
    fn look_at_clock(&self, state: &mut State) {
        let now = (self.clocks)();
        let step = state.clock.stepped(now);
        if step == 0 {
            return;
        }
        let boot = state.clock.offset();
        let mut files: Vec<Waiting> = std::mem::take(&mut state.files).into_values().collect();
        self.date_anew(files.iter_mut().chain(&mut state.in_hand), boot, step);
        state.files = files.into_iter().map(|file| (file.place(), file)).collect();
        state.clock = now;
        self.note_clock(now);
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
            && let Some(there) = self.waiting(Path::new(&file.key), |_| Some(file.rows))
        {
            let file = Waiting { made: file.made, ..there };
            state.files.insert(file.place(), file);
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
        self.look_at_clock(state);
        let now = state.clock.unix((self.clocks)().boot());
        let oldest = now.saturating_sub(u64::try_from(self.max_age.as_nanos()).unwrap_or(u64::MAX));
        let mut bytes: u64 = state.files.values().chain(&state.in_hand).map(|file| file.bytes).sum();
        loop {
            // What a clock that was never set says of an age means nothing.
            let dated = state.files.range((clock::WAS_SET, Uuid::nil())..).next();
            let (place, cause) = match (dated, state.files.first_key_value()) {
                (Some((place, _)), _) if place.0 < oldest => (*place, Cause::Expired),
                (_, Some((place, _))) if bytes > self.max_bytes && state.files.len() > 1 => (*place, Cause::Full),
                _ => break,
            };
            let Some(file) = state.files.remove(&place) else { break };
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
            outbox.dated_by = state.clock;
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use schema::Table;
    use serde_json::json;

    use super::*;
    use crate::event::build::build;
    use crate::output::target::parquet::write_file;

    const HOUR: u64 = 3600 * 1_000_000_000;
    /// 2026-11-29.
    const NOW: u64 = 1_795_910_400_000_000_000;

    thread_local! {
        /// What the clocks show.
        static CLOCKS: Cell<(u64, u64)> = const { Cell::new((NOW, HOUR)) };
    }

    fn show(unix: u64, boot: u64) {
        CLOCKS.set((unix, boot));
    }

    fn open(folder: &Path) -> (Outbox, Arc<Ledger>) {
        let clocks = || {
            let (unix, boot) = CLOCKS.get();
            SteadyTime::at(unix, boot)
        };
        let (outbox, ledger) = (
            Outbox::with_clocks(folder, 1 << 30, Duration::from_secs(24 * 3600), clocks),
            Arc::new(Ledger::new("lake", "parquet")),
        );
        outbox.find(&ledger);
        (outbox, ledger)
    }

    fn add(outbox: &Outbox, ledger: &Ledger) {
        let (event, host) = build(&json!({"programName": "/bin/x", "processPid": 7})).unwrap();
        let place = Path::new("process_events/date=1970-01-01/hour=1");
        let table = Table::by_name("process_events").unwrap();
        let name = write_file(&outbox.folder.join(place), table, &host, &[&event]).unwrap();
        outbox.add(&place.join(name), 1, ledger);
    }

    /// How many wait, and how many were given up as too old.
    fn counts(outbox: &Outbox, ledger: &Ledger) -> (usize, u64) {
        outbox.trim(&mut outbox.lock(), ledger);
        let mut expired = 0;
        ledger.outbox(|outbox| expired = outbox.status.given_up.get("expired").copied().unwrap_or_default());
        (outbox.lock().files.len(), expired)
    }

    #[test]
    fn a_clock_that_is_set_ages_no_file_in_this_run_or_the_next() {
        let folder = tempfile::tempdir().unwrap();
        // A host without a battery for its clock: a year behind at first.
        show(NOW - 365 * 24 * HOUR, HOUR);
        let (outbox, ledger) = open(folder.path());
        add(&outbox, &ledger);
        // Set right while the sensor runs.
        show(NOW, HOUR + 1);
        assert_eq!(counts(&outbox, &ledger), (1, 0));
        // And again while it does not, by ten days; what was dated right by the run before is dated anew with it.
        drop(outbox);
        show(NOW + 10 * 24 * HOUR, HOUR + 2);
        let (outbox, ledger) = open(folder.path());
        assert_eq!(counts(&outbox, &ledger), (1, 0));
        // A day that has really gone by is one.
        show(NOW + 11 * 24 * HOUR + HOUR, 26 * HOUR + 2);
        assert_eq!(counts(&outbox, &ledger), (0, 1));
    }

    #[test]
    fn files_of_a_clock_that_was_never_set_have_no_age_and_are_the_first_to_make_room() {
        let folder = tempfile::tempdir().unwrap();
        show(5, 5);
        let (outbox, ledger) = open(folder.path());
        add(&outbox, &ledger);
        drop(outbox);
        // Another boot: nothing says how wrong that clock was.
        fs::remove_file(folder.path().join(DATED_BY)).unwrap();
        show(NOW, 7);
        let (mut outbox, ledger) = open(folder.path());
        add(&outbox, &ledger);
        assert_eq!(counts(&outbox, &ledger), (2, 0));
        outbox.max_bytes = 5000;
        let first = outbox.lock().files.first_key_value().map(|(place, _)| place.1).unwrap();
        assert_eq!(counts(&outbox, &ledger), (1, 0));
        assert!(!outbox.lock().files.keys().any(|(_, id)| *id == first));
    }
}
