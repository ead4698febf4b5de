//! Copies of the database, while it is written to: made, looked at, put in its place.
//!
//! A copy is what was durable at one moment. It is written under a name of its own, synced, checked, and only then has the name
//! that was asked for: what has that name is whole, whenever the machine or the program ended.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, backup::Backup};

use super::{StoreError, schema};

/// What a copy says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Of the tables.
    pub version: i64,
    pub alerts: u64,
    pub rows: u64,
    pub bytes: u64,
}

impl std::fmt::Display for Contents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { version, alerts, rows, bytes } = self;
        write!(formatter, "version {version}, {alerts} alerts, {rows} rows, {bytes} bytes")
    }
}

/// How closely a database is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// That every page can be read and is where it belongs.
    Quick,
    /// And that indexes say what the tables say.
    Whole,
}

/// Copies a folder's database to a file that is not there yet, also while Central runs, and looks at the copy.
///
/// # Errors
/// There is no database, or no room for the copy, or there is such a file.
pub fn create(data_dir: &Path, to: &Path) -> Result<Contents, StoreError> {
    if to.symlink_metadata().is_ok() {
        return Err(StoreError::Exists { path: to.to_path_buf() });
    }
    let part = Part::begin(to)?;
    copy(&schema::open_read_only(data_dir)?, &part.path)?;
    let contents = verify(&part.path, Look::Quick)?;
    part.put_beside(to)?;
    Ok(contents)
}

/// Copies the database of an older version, and returns where the copy is: beside it. One that is there already is of an
/// earlier try, or of the last time that it was brought forward.
pub(super) fn before_migration(data_dir: &Path, found: i64) -> Result<PathBuf, StoreError> {
    let to = data_dir.join(format!("central.db.version-{found}"));
    let made = Part::begin(&to).and_then(|part| {
        copy(&schema::open_read_only(data_dir)?, &part.path)?;
        part.put(&to)
    });
    match made {
        Ok(()) => Ok(to),
        Err(source) => Err(StoreError::NoCopy { found, data_dir: data_dir.to_path_buf(), source: Box::new(source) }),
    }
}

/// Brings a folder's database forward, as a start of Central does, and says what it has then.
///
/// # Errors
/// There is none, or a newer program made it, or there is no room.
pub fn migrate(data_dir: &Path, with_backup: bool) -> Result<Contents, StoreError> {
    // Not one that nobody has.
    drop(schema::open_read_only(data_dir)?);
    let before = if with_backup { schema::Before::Copy } else { schema::Before::Nothing };
    contents(&schema::open_and(data_dir, before)?)
}

/// Looks at a file, or at a folder's database while Central runs, and says what is in it.
///
/// # Errors
/// It is damaged, or no database of Central, or of a newer version.
pub fn verify(path: &Path, look: Look) -> Result<Contents, StoreError> {
    let path = &if path.is_dir() { schema::file(path) } else { path.to_path_buf() };
    let damaged = |faults| StoreError::Damaged { path: path.clone(), faults };
    let database = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let faults = faults(&database, look).map_err(|error| damaged(vec![error.to_string()]))?;
    if !faults.is_empty() {
        return Err(damaged(faults));
    }
    let found = schema::version(&database)?;
    if found > schema::VERSION {
        return Err(StoreError::TooNew { path: path.clone(), found, known: schema::VERSION });
    }
    if found == 0 {
        return Err(damaged(vec!["it has no version".to_owned()]));
    }
    contents(&database).map_err(|error| damaged(vec![error.to_string()]))
}

/// Puts a copy in the place of a folder's database, which must not be in use, and says what is in it. What was there is kept
/// beside it, under the name that is returned.
///
/// # Errors
/// The copy is damaged or of a newer version, Central runs, or there is no room.
pub fn restore(data_dir: &Path, from: &Path) -> Result<(Contents, Option<PathBuf>), StoreError> {
    let contents = verify(from, Look::Whole)?;
    fs::create_dir_all(data_dir).map_err(fault("make the folder", data_dir))?;
    let to = schema::file(data_dir);
    let part = Part::begin(&to)?;
    // Through the database's own reader: a copy may have a write-ahead log of its own beside it.
    copy(&open(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?, &part.path)?;
    // Holds whoever would use the old one off until the new one is there.
    let aside = if to.exists() { Some(set_aside(data_dir, &to)?) } else { None };
    // What a log has that is without its database must not come into this one.
    for log in ["-wal", "-shm"] {
        let path = beside(&to, log);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault("remove", &path)(error)),
            _ => {}
        }
    }
    part.put(&to)?;
    Ok((contents, aside.map(|(kept, _)| kept)))
}

/// Gives a database that nobody uses a second name, with all that its write-ahead log had. It is locked while what is returned
/// besides lives.
fn set_aside(data_dir: &Path, path: &Path) -> Result<(PathBuf, Option<Connection>), StoreError> {
    let kept = (1_u32..).map(|number| data_dir.join(format!("central.db.replaced-{number}")));
    let kept = kept.into_iter().find(|kept| kept.symlink_metadata().is_err()).unwrap_or_default();
    let lock = match alone(path) {
        Ok(lock) => Some(lock),
        Err(error) => match error.sqlite_error_code() {
            // Nobody can use it, and its log cannot be folded into it.
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => None,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                return Err(StoreError::InUse { path: path.to_path_buf() });
            }
            _ => return Err(error.into()),
        },
    };
    let log = beside(path, "-wal");
    if log.exists() {
        let kept_log = beside(&kept, "-wal");
        fs::rename(&log, &kept_log).map_err(fault("keep the log of what is there as", &kept_log))?;
    }
    fs::hard_link(path, &kept).map_err(fault("keep what is there as", &kept))?;
    Ok((kept, lock))
}

/// Opens a database that nobody else has open; then there is neither a log nor anybody who reads one.
fn alone(path: &Path) -> rusqlite::Result<Connection> {
    let alone = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    alone.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    alone.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    alone.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(alone)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A file that is being written, beside the one that it is to be. It goes if it comes to nothing.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    /// Locked: nobody else writes it.
    file: File,
}

impl Part {
    /// Makes it, empty and readable by its owner alone; one that was left by a program that ended is taken.
    fn begin(of: &Path) -> Result<Self, StoreError> {
        let path = beside(of, ".part");
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(fault("make", &path))?;
        if file.try_lock().is_err() {
            return Err(StoreError::BeingWritten { path });
        }
        file.set_len(0).map_err(fault("empty", &path))?;
        Ok(Self { path, file })
    }

    /// Gives it the name that it is to have, whatever had it.
    fn put(self, to: &Path) -> Result<(), StoreError> {
        self.file.sync_all().map_err(fault("sync", &self.path))?;
        fs::rename(&self.path, to).map_err(fault("name the copy", to))?;
        sync_folder(to)
    }

    /// The same, if nothing has that name.
    fn put_beside(self, to: &Path) -> Result<(), StoreError> {
        self.file.sync_all().map_err(fault("sync", &self.path))?;
        fs::hard_link(&self.path, to).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => StoreError::Exists { path: to.to_path_buf() },
            _ => fault("name the copy", to)(source),
        })?;
        drop(self);
        sync_folder(to)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // What was put in its place is there no more.
        let _ = fs::remove_file(&self.path);
    }
}

/// All at one moment. It takes no lock that writers wait for: they write to the log meanwhile.
fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Copy { path: to.to_path_buf(), source };
    let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    // It has another name until it is whole, and is synced at the end: no journal for it.
    target.pragma_update(None, "journal_mode", "OFF").map_err(failed)?;
    Backup::new(from, &mut target).and_then(|backup| backup.step(-1).map(drop)).map_err(failed)?;
    // One file, without a log beside it.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).map_err(failed)?;
    target.close().map_err(|(_, source)| failed(source))
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    Connection::open_with_flags(path, flags).map_err(|source| StoreError::Open { path: path.to_path_buf(), source })
}

fn faults(database: &Connection, look: Look) -> rusqlite::Result<Vec<String>> {
    let sql = match look {
        Look::Quick => "PRAGMA quick_check(10)",
        Look::Whole => "PRAGMA integrity_check(10)",
    };
    let said: Vec<String> = database.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(said.into_iter().filter(|line| line != "ok").collect())
}

fn contents(database: &Connection) -> Result<Contents, StoreError> {
    let number = |sql| database.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    Ok(Contents {
        version: schema::version(database)?,
        alerts: number("SELECT count(*) FROM alerts")?,
        rows: number("SELECT count(*) FROM rows")?,
        bytes: number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
    })
}

fn sync_folder(of: &Path) -> Result<(), StoreError> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fault("sync the folder", folder))
}

fn fault(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::File { what, path: path.to_path_buf(), source }
}
