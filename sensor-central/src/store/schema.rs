//! The database file: where it is, how it is opened, what tables it has.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::StoreError;

/// Version of the tables, kept in the file. Each step from one to the next is an entry of [`STEPS`].
const VERSION: i64 = STEPS.len() as i64;

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// What makes an empty file one of version 1, that one of version 2, and so on. Entries are never changed.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE tokens (
        id       TEXT NOT NULL PRIMARY KEY,
        tenant   TEXT NOT NULL,
        label    TEXT NOT NULL,
        hash     BLOB NOT NULL UNIQUE,   -- SHA-256 of the token
        created  INTEGER NOT NULL,       -- this and every other time: nanoseconds since the Unix epoch
        expires  INTEGER
    ) STRICT;
    CREATE TABLE sensors (
        tenant     TEXT NOT NULL,
        sensor     TEXT NOT NULL,
        hostname   TEXT NOT NULL DEFAULT '',
        version    TEXT NOT NULL DEFAULT '',
        metadata   TEXT NOT NULL DEFAULT '{}',
        skew       INTEGER,              -- Central's clock less the sensor's
        first_seen INTEGER NOT NULL,
        last_seen  INTEGER NOT NULL,
        PRIMARY KEY (tenant, sensor)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE alerts (
        id       INTEGER PRIMARY KEY AUTOINCREMENT, -- in order of arrival, never used again
        tenant   TEXT NOT NULL,
        uuid     TEXT NOT NULL,
        sensor   TEXT NOT NULL,
        received INTEGER NOT NULL,
        time     INTEGER NOT NULL,
        priority TEXT NOT NULL,
        policy   TEXT NOT NULL,
        host     TEXT NOT NULL,
        json     TEXT NOT NULL,
        UNIQUE (tenant, uuid)
    ) STRICT;
    CREATE INDEX alerts_by_time ON alerts (tenant, time);
    CREATE TABLE rows (
        id         INTEGER PRIMARY KEY,  -- in order of arrival
        tenant     TEXT NOT NULL,
        sensor     TEXT NOT NULL,
        received   INTEGER NOT NULL,
        table_name TEXT NOT NULL,
        time       INTEGER NOT NULL,
        json       TEXT NOT NULL
    ) STRICT;
    CREATE INDEX rows_by_time ON rows (tenant, table_name, time);
    CREATE TABLE batches (
        tenant   TEXT NOT NULL,
        sensor   TEXT NOT NULL,
        kind     TEXT NOT NULL,
        key      TEXT NOT NULL,
        digest   BLOB NOT NULL,
        received INTEGER NOT NULL,
        reply    BLOB NOT NULL,
        PRIMARY KEY (tenant, sensor, kind, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX batches_by_arrival ON batches (received);
",
    "
    -- What the sensor last told of its own health: a JSON object of numbers; empty if it never did.
    ALTER TABLE sensors ADD COLUMN statistics TEXT NOT NULL DEFAULT '{}';
",
];

/// The database's file in a folder.
pub(super) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("central.db")
}

/// Opens the database for writing; makes it first if need be, readable by its owner alone.
pub(super) fn open(data_dir: &Path) -> Result<Connection, StoreError> {
    let path = file(data_dir);
    let folder = |source| StoreError::Folder { folder: data_dir.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(folder)?;
    let create = |source| StoreError::Create { path: path.clone(), source };
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(create)?;
    let fault = |source| StoreError::Open { path: path.clone(), source };
    let mut connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fault)?;
    prepare(&connection).map_err(fault)?;
    migrate(&mut connection, &path)?;
    Ok(connection)
}

/// Opens the database for reading.
pub(super) fn open_read_only(data_dir: &Path) -> Result<Connection, StoreError> {
    let path = file(data_dir);
    let fault = |source| StoreError::Open { path: path.clone(), source };
    let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fault)?;
    connection.busy_timeout(BUSY).map_err(fault)?;
    Ok(connection)
}

/// A write-ahead log that is synced at each commit: what is committed outlives a crash of the machine.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    // Must come before the first table: lets retention give space back to the file system.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > VERSION {
        return Err(StoreError::TooNew { path: path.to_path_buf(), found, known: VERSION });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}
