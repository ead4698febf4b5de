//! The database file: where it is, how it is opened, what tables it has.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::{StoreError, backup};
use crate::{ids, severity::Severity};

/// Version of the tables, kept in the file. Each step from one to the next is an entry of [`STEPS`].
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(10);

/// A step from one version of the tables to the next: what is told to the database, and what is worked out here of what
/// it has then.
struct Step {
    sql: &'static str,
    then: Option<fn(&Transaction<'_>) -> rusqlite::Result<()>>,
}

/// What makes an empty file one of version 1, that one of version 2, and so on. Entries are never changed.
const STEPS: [Step; 12] = [
    Step { sql: include_str!("schema/1.sql"), then: None },
    Step { sql: include_str!("schema/2.sql"), then: None },
    Step { sql: include_str!("schema/3.sql"), then: Some(arrivals) },
    Step { sql: include_str!("schema/4.sql"), then: None },
    Step { sql: include_str!("schema/5.sql"), then: None },
    Step { sql: include_str!("schema/6.sql"), then: None },
    Step { sql: include_str!("schema/7.sql"), then: None },
    Step { sql: include_str!("schema/8.sql"), then: None },
    Step { sql: include_str!("schema/9.sql"), then: None },
    Step { sql: include_str!("schema/10.sql"), then: None },
    Step { sql: include_str!("schema/11.sql"), then: None },
    Step { sql: include_str!("schema/12.sql"), then: None },
];

/// Alerts get what later ones get as they are stored.
fn arrivals(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let alerts = transaction
        .prepare("SELECT id, uuid, received, priority FROM alerts ORDER BY id")?
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut update = transaction.prepare("UPDATE alerts SET public_id = ?, raised = ?, severity = ? WHERE id = ?")?;
    let mut raised = 0;
    for (id, uuid, received, priority) in alerts {
        raised = raised.max(received / NANOSECONDS);
        let public_id = ids::of_alert(Uuid::parse_str(&uuid).unwrap_or_default());
        update.execute(params![public_id.as_bytes(), raised, Severity::of_priority(&priority).number, id])?;
    }
    Ok(())
}

/// In a millisecond.
const NANOSECONDS: i64 = 1_000_000;

/// The database's file in a folder.
pub(super) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("central.db")
}

/// Whether a database of an older version is copied before it is brought forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Copy,
    Nothing,
}

/// Opens the database for writing; makes it first if need be, readable by its owner alone. One of an older version is brought
/// forward, once there is a copy of it.
pub(super) fn open(data_dir: &Path) -> Result<Connection, StoreError> {
    open_and(data_dir, Before::Copy)
}

pub(super) fn open_and(data_dir: &Path, before: Before) -> Result<Connection, StoreError> {
    let path = file(data_dir);
    let folder = |source| StoreError::Folder { folder: data_dir.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(folder)?;
    let create = |source| StoreError::Create { path: path.clone(), source };
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(create)?;
    let fault = |source| StoreError::Open { path: path.clone(), source };
    let mut connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(fault)?;
    prepare(&connection).map_err(fault)?;
    migrate(&mut connection, data_dir, before)?;
    Ok(connection)
}

/// The version of a database.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
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

fn migrate(connection: &mut Connection, data_dir: &Path, before: Before) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > VERSION {
        return Err(StoreError::TooNew { path: file(data_dir), found, known: VERSION });
    }
    let is_older = (1..VERSION).contains(&found);
    if is_older && before == Before::Copy {
        // Nobody else writes meanwhile: this transaction has begun.
        let copy = backup::before_migration(data_dir, found)?;
        tracing::info!(from = found, to = VERSION, copy = %copy.display(),
            "bringing the database forward; with this copy and `sensor-central restore` an older program can go on");
    }
    for Step { sql, then } in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(sql)?;
        if let Some(then) = then {
            then(&transaction)?;
        }
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    if is_older {
        tracing::info!(version = VERSION, "the database is brought forward");
    }
    Ok(())
}
