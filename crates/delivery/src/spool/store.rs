//! Items in an SQLite database.
//!
//! SQLite, because it goes on when the disk is full, never panics on damaged files and lets what lies around the damage
//! be read; `docs/delivery.md` has the measurements. One table per kind, in the order of appending, so that the oldest of a kind is found without an index. Each row
//! carries a checksum of its own, because SQLite has none for its pages.

mod account;
mod error;
mod row;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};
use uuid::Uuid;

pub(super) use self::account::given_up_in;
use self::account::note;
pub(super) use self::error::StoreError;
pub(super) use self::row::item;
use private_folder::make_private;

use self::row::{delete, drop_oldest, insert, redate, weight};
use super::item::{Cause, GivenUp, Item, ItemId, Kind, Limits, Usage};

/// Name of the database in its folder.
pub(super) const FILE: &str = "items.db";
/// Marks the file as a spool's.
const APPLICATION_ID: i64 = 0x5350_4f4c;
/// Raised when the tables change.
const VERSION: i64 = 1;
/// Above any number that an item can get.
pub(super) const MAX_SEQ: i64 = 1 << 62;
/// Free pages (4096 bytes) of an empty store above which the file is made smaller.
const SLACK_PAGES: i64 = 256;

/// An open store.
pub(super) struct Store {
    db: Connection,
    usage: [Usage; Kind::ALL.len()],
    dead_letters: u64,
    /// What was given up and is still to be told, in this run or an earlier one …
    unreported: GivenUp,
    /// … and what of it stands on disk: each change writes the rest along.
    noted: GivenUp,
}

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) items: Vec<Item>,
    /// Rows whose contents do not agree with their checksum.
    pub(super) damaged: Vec<ItemId>,
}

/// What a receiver refused for good.
pub(super) struct DeadLetter<'a> {
    pub(super) uuid: Uuid,
    /// When it was spooled, and when it was refused: nanoseconds since the Unix epoch.
    pub(super) time: u64,
    pub(super) rejected: u64,
    pub(super) reason: &'a str,
    pub(super) body: &'a [u8],
}

impl Store {
    /// Opens the store in a folder; creates both if need be.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        create(folder).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => StoreError::Full,
            _ => StoreError::Unusable(error.to_string()),
        })?;
        let db = Connection::open_with_flags(
            folder.join(FILE),
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        db.busy_timeout(std::time::Duration::ZERO)?;
        // Exclusive before WAL: then the index of the log is in memory and no third file is needed. Each commit
        // syncs the log (synchronous=full). A short log bounds what a damaged byte in it can hide.
        db.execute_batch(
            "pragma locking_mode = exclusive;
             pragma trusted_schema = off;
             pragma cell_size_check = on;
             pragma mmap_size = 0;
             pragma auto_vacuum = incremental;
             pragma temp_store = memory;
             pragma cache_size = -1024;",
        )?;
        let mode: String = db.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::Unusable(format!("the file system allows no write-ahead log (mode {mode})")));
        }
        db.execute_batch(
            "pragma synchronous = full;
             pragma wal_autocheckpoint = 64;
             pragma journal_size_limit = 262144;",
        )?;
        let mut store = Self {
            db,
            usage: Default::default(),
            dead_letters: 0,
            unreported: GivenUp::default(),
            noted: GivenUp::default(),
        };
        store.prepare_tables()?;
        store.count()?;
        store.noted = given_up_in(&store.db)?;
        store.unreported = store.noted;
        Ok(store)
    }

    /// What is put into tables whose columns were hit could not be read again.
    fn check_columns(&self) -> Result<(), StoreError> {
        for kind in Kind::ALL {
            self.db.prepare(&format!("select seq, uuid, records, time, crc, body from {}", kind.name()))?;
        }
        self.db.prepare("select seq, kind, uuid, time, rejected, reason, body from dead_letter")?;
        Ok(())
    }

    fn prepare_tables(&mut self) -> Result<(), StoreError> {
        let read = |name| self.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        match (read("application_id")?, read("user_version")?) {
            (APPLICATION_ID, VERSION) => return self.check_columns(),
            (0, 0) => {}
            (APPLICATION_ID, version) => {
                return Err(StoreError::Damaged(format!("its version {version} is none that this sensor knows")));
            }
            _ => return Err(StoreError::Damaged("it is some other database".to_owned())),
        }
        let change = self.db.transaction()?;
        for kind in Kind::ALL {
            change.execute_batch(&format!(
                "create table {}(seq integer primary key, uuid blob, records integer, time integer, crc integer, body blob)",
                kind.name()
            ))?;
        }
        change.execute_batch(
            "create table dead_letter(seq integer primary key, kind text, uuid text, time integer, rejected integer,
                                      reason text, body blob)",
        )?;
        change.pragma_update(None, "application_id", APPLICATION_ID)?;
        change.pragma_update(None, "user_version", VERSION)?;
        Ok(change.commit()?)
    }

    /// Counts what is stored. Every row is visited, which also finds pages that cannot be read and rows out of place.
    fn count(&mut self) -> Result<(), StoreError> {
        for kind in Kind::ALL {
            let sql = format!("select seq, length(body), records from {} order by seq", kind.name());
            let mut statement = self.db.prepare(&sql)?;
            let mut rows = statement.query([])?;
            let mut last = 0;
            while let Some(row) = rows.next()? {
                last = ascending(last, row.get(0)?)?;
                self.usage[kind as usize].add(weight(row, 1)?);
            }
        }
        self.count_dead_letters()
    }

    pub(super) fn usage(&self) -> [Usage; Kind::ALL.len()] {
        self.usage
    }

    /// The highest number given to an item of this kind that is still here.
    pub(super) fn last(&self, kind: Kind) -> Result<i64, StoreError> {
        let sql = format!("select coalesce(max(seq), 0) from {}", kind.name());
        Ok(self.db.query_row(&sql, [], |row| row.get(0))?)
    }

    /// When the oldest item of this kind was spooled.
    pub(super) fn oldest(&self, kind: Kind) -> Result<Option<u64>, StoreError> {
        let sql = format!("select time from {} order by seq limit 1", kind.name());
        let time: Option<i64> = self.db.prepare_cached(&sql)?.query_row([], |row| row.get(0)).optional()?;
        Ok(time.map(i64::unsigned_abs))
    }

    /// Puts all items on disk with one sync, giving up older ones where there is no room; never those up to `leased`,
    /// which are on their way. Yields for each item whether it is stored; what was given up is added to `given_up`.
    pub(super) fn append(
        &mut self,
        items: &[Item],
        limits: &Limits,
        leased: [i64; Kind::ALL.len()],
        given_up: &mut GivenUp,
    ) -> Result<Vec<bool>, StoreError> {
        let change = self.db.transaction()?;
        let mut usage = self.usage;
        let mut news = GivenUp::default();
        let mut stored = Vec::with_capacity(items.len());
        for item in items {
            let kind = item.id.kind;
            let mut fits = true;
            while usage.iter().map(|usage| usage.bytes).sum::<u64>() + item.cost() > limits.disk_bytes {
                let victims = match kind {
                    Kind::Urgent => &[Kind::Bulk, Kind::Urgent][..],
                    Kind::Bulk => &[Kind::Bulk],
                };
                let mut victim = None;
                for &kind in victims {
                    if let Some(weight) = drop_oldest(&change, kind, leased[kind as usize])? {
                        victim = Some((kind, weight));
                        break;
                    }
                }
                let Some((victim, weight)) = victim else {
                    fits = false;
                    break;
                };
                usage[victim as usize].remove(weight);
                news.add(victim, Cause::Full, weight.records);
            }
            if fits {
                insert(&change, item)?;
                usage[kind as usize].add(item.weight());
            } else {
                news.add(kind, Cause::Full, u64::from(item.records));
            }
            stored.push(fits);
        }
        let unreported = note(&change, &self.unreported, &news, &self.noted)?;
        change.commit()?;
        (self.usage, self.unreported, self.noted) = (usage, unreported, unreported);
        given_up.add_all(&news);
        Ok(stored)
    }

    /// The oldest items of a kind after number `after` that are not hidden: as many as fit both bounds, but at least
    /// one if there is one.
    pub(super) fn read(
        &self,
        kind: Kind,
        after: i64,
        max_items: usize,
        max_bytes: usize,
        hidden: &BTreeSet<ItemId>,
    ) -> Result<Read, StoreError> {
        let sql = format!("select seq, uuid, records, time, crc, body from {} where seq > ? order by seq", kind.name());
        let mut statement = self.db.prepare_cached(&sql)?;
        let mut rows = statement.query([after])?;
        let mut read = Read::default();
        let (mut bytes, mut last) = (0, after);
        while read.items.len() < max_items {
            let Some(row) = rows.next()? else { break };
            last = ascending(last, row.get(0)?)?;
            let id = ItemId { kind, seq: last };
            if hidden.contains(&id) {
                continue;
            }
            let Some(item) = item(id, row) else {
                read.damaged.push(id);
                continue;
            };
            bytes += item.body.len();
            if bytes > max_bytes && !read.items.is_empty() {
                break;
            }
            read.items.push(item);
        }
        Ok(read)
    }

    /// Deletes items. Yields those that are not there.
    pub(super) fn remove<'a>(&mut self, ids: impl IntoIterator<Item = &'a ItemId>) -> Result<Vec<ItemId>, StoreError> {
        let change = self.db.transaction()?;
        let mut usage = self.usage;
        let mut missing = Vec::new();
        for id in ids {
            match delete(&change, *id)? {
                Some(weight) => usage[id.kind as usize].remove(weight),
                None => missing.push(*id),
            }
        }
        change.commit()?;
        self.usage = usage;
        self.shrink()?;
        Ok(missing)
    }

    /// Puts something among the dead letters, of which the oldest go beyond `max_bytes`; with `whole`, its item leaves
    /// the store.
    pub(super) fn bury(
        &mut self,
        id: ItemId,
        letter: &DeadLetter<'_>,
        whole: bool,
        max_bytes: u64,
    ) -> Result<(), StoreError> {
        let change = self.db.transaction()?;
        let number = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let DeadLetter { uuid, time, rejected, reason, body } = letter;
        let (uuid, time, rejected) = (uuid.to_string(), number(*time), number(*rejected));
        let unreported = note(&change, &self.unreported, &GivenUp::default(), &self.noted)?;
        change.execute(
            "insert into dead_letter(kind, uuid, time, rejected, reason, body) values(?, ?, ?, ?, ?, ?)",
            (id.kind.name(), uuid, time, rejected, reason, body),
        )?;
        let mut usage = self.usage;
        if whole && let Some(weight) = delete(&change, id)? {
            usage[id.kind as usize].remove(weight);
        }
        change.execute(
            "delete from dead_letter where seq in (
                 select seq from (select seq, sum(length(body) + length(reason) + 128) over (order by seq desc) as bytes
                                  from dead_letter) where bytes > ?)",
            [number(max_bytes)],
        )?;
        change.commit()?;
        (self.usage, self.noted) = (usage, unreported);
        self.count_dead_letters()
    }

    /// Deletes the oldest items, as long as they were spooled within `times`. Yields how many records of
    /// each kind.
    pub(super) fn expire(&mut self, times: Range<u64>, leased: [i64; Kind::ALL.len()]) -> Result<GivenUp, StoreError> {
        let mut expired = GivenUp::default();
        let change = self.db.transaction()?;
        let mut usage = self.usage;
        for kind in Kind::ALL {
            let sql = format!(
                "delete from {0} where seq = (select min(seq) from {0} where seq > ?) and time >= ? and time < ?
                 returning length(body), records",
                kind.name()
            );
            let mut statement = change.prepare_cached(&sql)?;
            let [start, end] = [times.start, times.end].map(|time| i64::try_from(time).unwrap_or(i64::MAX));
            let from = leased[kind as usize];
            while let Some(weight) = statement.query_row((from, start, end), |row| weight(row, 0)).optional()? {
                usage[kind as usize].remove(weight);
                expired.add(kind, Cause::Expired, weight.records);
            }
        }
        if expired == GivenUp::default() {
            return Ok(expired);
        }
        let unreported = note(&change, &self.unreported, &expired, &self.noted)?;
        change.commit()?;
        (self.usage, self.unreported, self.noted) = (usage, unreported, unreported);
        self.shrink()?;
        Ok(expired)
    }

    /// What was given up, in this run or an earlier one, and is still to be told.
    pub(super) const fn unreported(&self) -> GivenUp {
        self.unreported
    }

    /// What of that is not on disk yet.
    pub(super) fn unnoted(&self) -> GivenUp {
        self.unreported.beyond(&self.noted)
    }

    /// So much was given up besides; the next change writes it along.
    pub(super) fn owe(&mut self, given_up: &GivenUp) {
        self.unreported.add_all(given_up);
    }

    /// So much of it has been told.
    pub(super) fn reported(&mut self, given_up: &GivenUp) {
        self.unreported = self.unreported.beyond(given_up);
    }

    /// Puts on disk what is still to be told, if that has changed.
    pub(super) fn note(&mut self) -> Result<(), StoreError> {
        if self.unreported == self.noted {
            return Ok(());
        }
        let change = self.db.transaction()?;
        let unreported = note(&change, &self.unreported, &GivenUp::default(), &self.noted)?;
        change.commit()?;
        self.noted = unreported;
        Ok(())
    }

    /// How many dead letters there are.
    pub(super) const fn dead_letters(&self) -> u64 {
        self.dead_letters
    }

    fn count_dead_letters(&mut self) -> Result<(), StoreError> {
        let count: i64 = self.db.query_row("select count(*) from dead_letter", [], |row| row.get(0))?;
        self.dead_letters = count.unsigned_abs();
        Ok(())
    }

    /// Says by which clock items are dated from now on: in this boot, its difference to the boot clock. Items that were
    /// spooled in the same boot while the clock was another by `step` or more are dated anew.
    pub(super) fn date(&mut self, boot: u128, offset: i64, step: u64) -> Result<(), StoreError> {
        let boot = format!("{boot:032x}");
        let change = self.db.transaction()?;
        change.execute_batch(
            "create table if not exists clock(boot text, offset integer, alert integer, telemetry integer)",
        )?;
        let known: Option<(i64, [i64; Kind::ALL.len()])> = change
            .query_row("select offset, alert, telemetry from clock where boot = ?", [&boot], |row| {
                Ok((row.get(0)?, [row.get(1)?, row.get(2)?]))
            })
            .optional()?;
        let mut first = [1; Kind::ALL.len()];
        for kind in Kind::ALL {
            let next: i64 =
                change.query_row(&format!("select coalesce(max(seq), 0) + 1 from {}", kind.name()), [], |row| {
                    row.get(0)
                })?;
            first[kind as usize] = known.map_or(next, |(_, first)| first[kind as usize].min(next));
        }
        if let Some((before, _)) = known
            && before.abs_diff(offset) >= step
        {
            for kind in Kind::ALL {
                redate(&change, kind, first[kind as usize], offset.saturating_sub(before))?;
            }
        }
        change.execute("delete from clock", [])?;
        change.execute("insert into clock values(?, ?, ?, ?)", (&boot, offset, first[0], first[1]))?;
        Ok(change.commit()?)
    }

    /// Gives the room of an emptied store back to the file system.
    fn shrink(&mut self) -> Result<(), StoreError> {
        if self.usage.iter().any(|usage| usage.items > 0) {
            return Ok(());
        }
        let free: i64 = self.db.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free > SLACK_PAGES {
            // One page per step.
            let mut statement = self.db.prepare_cached("pragma incremental_vacuum")?;
            let mut pages = statement.query([])?;
            while pages.next()?.is_some() {}
        }
        Ok(())
    }
}

/// Makes the folder and an empty file, for root's eyes alone, and puts both names on disk.
fn create(folder: &Path) -> io::Result<()> {
    make_private(folder)?;
    let path = folder.join(FILE);
    if fs::symlink_metadata(&path).is_ok() {
        return Ok(());
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.sync_all()?;
    File::open(folder)?.sync_all()?;
    if let Some(parent) = folder.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Numbers stand in ascending order, or the tree is none any more and searches in it go astray.
fn ascending(last: i64, seq: i64) -> Result<i64, StoreError> {
    if last < seq && seq <= MAX_SEQ {
        Ok(seq)
    } else {
        Err(StoreError::Damaged("its rows are out of order".to_owned()))
    }
}
