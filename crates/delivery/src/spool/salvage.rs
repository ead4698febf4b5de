//! What becomes of a damaged store: it is set aside, and what is still readable in it moves to a new one.
//!
//! Setting aside is one rename of a folder, and the new store is filled before anything else is put into it, so a
//! sensor that dies in between does it again at its next start.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::item::{GivenUp, Item, ItemId, Kind, Limits};
use super::store::{self, Store, StoreError};

/// The store, in the folder of a spool.
pub(super) const STORE: &str = "store";
/// A store that was set aside, from which items are still to be moved.
const SALVAGING: &str = "salvaging";
/// The store that was set aside last and from which everything readable was moved; kept for inspection.
const DAMAGED: &str = "damaged";
/// Neighbouring rows tried one by one past a row that cannot be read. A page holds fewer.
const TRIES: i64 = 10_000;
/// Items moved with one sync.
const CHUNK: usize = 256;

/// What was had back from a damaged store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salvage {
    /// What was wrong.
    pub reason: String,
    /// Where the damaged store was put.
    pub aside: PathBuf,
    /// Items that were had back.
    pub recovered: u64,
    /// Items that are known to be lost; more may be if whole pages are.
    pub lost: [u64; Kind::ALL.len()],
}

/// Opens the store of a spool; a damaged one is set aside first.
pub(super) fn open(folder: &Path) -> (Result<Store, StoreError>, Option<Salvage>) {
    match Store::open(&folder.join(STORE)) {
        Err(StoreError::Damaged(reason)) => start_anew(folder, reason),
        Ok(store) if folder.join(SALVAGING).is_dir() => {
            drop(store);
            resume(folder, "an earlier run did not finish moving its items".to_owned())
        }
        opened => (opened, None),
    }
}

/// Sets the store aside, which must be closed, and opens a new one with what can be had back.
pub(super) fn start_anew(folder: &Path, reason: String) -> (Result<Store, StoreError>, Option<Salvage>) {
    match set_aside(folder) {
        Ok(()) => resume(folder, reason),
        Err(error) => (Err(StoreError::Unusable(format!("{reason}; it cannot be set aside: {error}"))), None),
    }
}

fn resume(folder: &Path, reason: String) -> (Result<Store, StoreError>, Option<Salvage>) {
    let moved = Store::open(&folder.join(STORE)).and_then(|mut store| {
        let (recovered, lost) = transfer(&folder.join(SALVAGING), &mut store)?;
        // Nothing else may enter the store before this is done: it could get a number that an item is yet to bring.
        put_away(folder).map_err(|error| StoreError::Unusable(error.to_string()))?;
        Ok((store, recovered, lost))
    });
    match moved {
        Ok((store, recovered, lost)) => {
            (Ok(store), Some(Salvage { reason, aside: folder.join(DAMAGED), recovered, lost }))
        }
        Err(error) => (Err(error), None),
    }
}

/// Renames the store's folder, at one stroke with its log.
fn set_aside(folder: &Path) -> io::Result<()> {
    if folder.join(SALVAGING).exists() {
        // The new store broke before it was filled; what it held is still here.
        if folder.join(STORE).exists() {
            fs::remove_dir_all(folder.join(STORE))?;
        }
    } else {
        fs::rename(folder.join(STORE), folder.join(SALVAGING))?;
    }
    File::open(folder)?.sync_all()
}

fn put_away(folder: &Path) -> io::Result<()> {
    let damaged = folder.join(DAMAGED);
    if damaged.exists() {
        fs::remove_dir_all(&damaged)?;
    }
    fs::rename(folder.join(SALVAGING), damaged)?;
    File::open(folder)?.sync_all()
}

/// Moves every readable item, under the number it had: moving twice does no harm. Yields how many were moved, and how
/// many of each kind are known to be lost.
fn transfer(aside: &Path, store: &mut Store) -> Result<(u64, [u64; Kind::ALL.len()]), StoreError> {
    let mut lost = [0; Kind::ALL.len()];
    // Not read-only: what is in its log has to be taken in.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(db) = Connection::open_with_flags(aside.join(store::FILE), flags) else { return Ok((0, lost)) };
    let _ =
        db.execute_batch("pragma locking_mode = exclusive; pragma cell_size_check = on; pragma trusted_schema = off");
    // As far as it can be read.
    store.owe(&store::given_up_in(&db).unwrap_or_default());
    let mut recovered = 0;
    for kind in Kind::ALL {
        let mut mover = Mover { store, waiting: Vec::new(), moved: HashSet::new() };
        lost[kind as usize] = move_kind(&db, kind, &mut mover)?;
        mover.flush()?;
        recovered += mover.moved.len() as u64;
    }
    store.note()?;
    Ok((recovered, lost))
}

/// Takes items and puts them into the new store, many with one sync.
struct Mover<'a> {
    store: &'a mut Store,
    waiting: Vec<Item>,
    moved: HashSet<i64>,
}

impl Mover<'_> {
    fn take(&mut self, item: Item) -> Result<(), StoreError> {
        if self.moved.insert(item.id.seq) {
            self.waiting.push(item);
        }
        if self.waiting.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        // Bounds were kept when the items were first stored, and will be at the next append.
        let unbounded = Limits { disk_bytes: u64::MAX, ..Limits::default() };
        self.store.append(&self.waiting, &unbounded, Default::default(), &mut GivenUp::default())?;
        self.waiting.clear();
        Ok(())
    }
}

/// Reads a table from the front, past what cannot be read, and if it got stuck also from the back. Yields how many
/// rows, or stretches of rows, could not be read.
fn move_kind(db: &Connection, kind: Kind, mover: &mut Mover<'_>) -> Result<u64, StoreError> {
    let mut damaged = HashSet::new();
    let forward =
        format!("select seq, uuid, records, time, crc, body from {} where seq >= ? order by seq", kind.name());
    let front = walk(db, kind, &forward, (i64::MIN, 1), i64::MAX, mover, &mut damaged)?;
    if let Some(stuck) = front {
        let backward =
            format!("select seq, uuid, records, time, crc, body from {} where seq <= ? order by seq desc", kind.name());
        walk(db, kind, &backward, (i64::MAX, -1), stuck, mover, &mut damaged)?;
    }
    Ok(damaged.len() as u64)
}

/// Reads rows from one end up to number `end`. Yields where it last could not go on by itself, if that happened.
fn walk(
    db: &Connection,
    kind: Kind,
    sql: &str,
    (mut at, step): (i64, i64),
    end: i64,
    mover: &mut Mover<'_>,
    damaged: &mut HashSet<i64>,
) -> Result<Option<i64>, StoreError> {
    let Ok(mut statement) = db.prepare(sql) else {
        damaged.insert(0);
        return Ok(Some(at));
    };
    let (mut tries, mut stuck) = (0, None);
    while tries < TRIES && (step > 0 || at > end) {
        let mut rows = statement.query([at]).map_err(StoreError::from)?;
        loop {
            match rows.next() {
                Ok(None) => return Ok(stuck),
                Ok(Some(row)) => {
                    tries = 0;
                    let seq = row.get(0).unwrap_or(at);
                    at = seq.saturating_add(step);
                    match store::item(ItemId { kind, seq }, row) {
                        Some(item) if (1..=store::MAX_SEQ).contains(&seq) => mover.take(item)?,
                        _ => drop(damaged.insert(seq)),
                    }
                    if step < 0 && at <= end {
                        return Ok(stuck);
                    }
                }
                Err(_) => {
                    if tries == 0 {
                        damaged.insert(at);
                    }
                    tries += 1;
                    // The first numbers are far from the ends that a walk starts at.
                    at = if at == i64::MIN { 1 } else { at.saturating_add(step) };
                    stuck = Some(at);
                    break;
                }
            }
        }
    }
    Ok(stuck)
}
