//! Reads what is stored, beside the writer and without holding it up.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{StoreError, Token, schema, tokens};

/// Connections kept for the next reader.
const IDLE: usize = 8;

/// Reads, from any thread. Each call blocks while it reads.
#[derive(Debug)]
pub struct Reader {
    data_dir: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// Which alerts to read.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this tenant; else of all.
    pub tenant: Option<Uuid>,
    /// At most so many, the newest.
    pub limit: u32,
}

/// An alert as it is kept.
#[derive(Clone, Debug)]
pub struct Detection {
    pub uuid: String,
    pub sensor: String,
    /// By the sensor's clock, nanoseconds since the Unix epoch.
    pub time: i64,
    /// When it came in, nanoseconds since the Unix epoch.
    pub received: i64,
    pub priority: String,
    pub policy: String,
    pub host: String,
    /// The alert's own JSON.
    pub json: String,
}

/// A sensor that said hello.
#[derive(Clone, Debug)]
pub struct Sensor {
    pub tenant: String,
    pub sensor: String,
    pub hostname: String,
    pub version: String,
    /// By Central's clock, nanoseconds since the Unix epoch.
    pub last_seen: i64,
    /// JSON objects.
    pub metadata: String,
    pub statistics: String,
}

impl Reader {
    /// Reads the database in a folder.
    ///
    /// # Errors
    /// There is none, or it cannot be opened.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let first = schema::open_read_only(data_dir)?;
        Ok(Self { data_dir: data_dir.to_path_buf(), idle: Mutex::new(vec![first]) })
    }

    /// Every access token.
    ///
    /// # Errors
    /// The database failed.
    pub fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.with(tokens::all)
    }

    /// Every sensor that said hello, of one tenant or of all, by host.
    ///
    /// # Errors
    /// The database failed.
    pub fn sensors(&self, tenant: Option<Uuid>) -> Result<Vec<Sensor>, StoreError> {
        let tenant = tenant.map(|tenant| tenant.to_string());
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT tenant, sensor, hostname, version, last_seen, metadata, statistics FROM sensors
                     WHERE ?1 IS NULL OR tenant = ?1 ORDER BY hostname, sensor",
                )?
                .query_map([tenant], |row| {
                    Ok(Sensor {
                        tenant: row.get(0)?,
                        sensor: row.get(1)?,
                        hostname: row.get(2)?,
                        version: row.get(3)?,
                        last_seen: row.get(4)?,
                        metadata: row.get(5)?,
                        statistics: row.get(6)?,
                    })
                })?
                .collect()
        })
    }

    /// The newest alerts, in order of arrival.
    ///
    /// # Errors
    /// The database failed.
    pub fn detections(&self, filter: &Filter) -> Result<Vec<Detection>, StoreError> {
        let tenant = filter.tenant.map(|tenant| tenant.to_string());
        let mut found = self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT uuid, sensor, time, received, priority, policy, host, json FROM alerts
                     WHERE ?1 IS NULL OR tenant = ?1 ORDER BY id DESC LIMIT ?2",
                )?
                .query_map(params![tenant, filter.limit], |row| {
                    Ok(Detection {
                        uuid: row.get(0)?,
                        sensor: row.get(1)?,
                        time: row.get(2)?,
                        received: row.get(3)?,
                        priority: row.get(4)?,
                        policy: row.get(5)?,
                        host: row.get(6)?,
                        json: row.get(7)?,
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        found.reverse();
        Ok(found)
    }

    /// The newest rows of a table as JSON, in order of arrival.
    ///
    /// # Errors
    /// The database failed.
    pub fn rows(&self, table: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let mut found = self.with(|connection| {
            connection
                .prepare_cached("SELECT json FROM rows WHERE table_name = ? ORDER BY id DESC LIMIT ?")?
                .query_map(params![table, limit], |row| row.get(0))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        found.reverse();
        Ok(found)
    }

    /// Size of the database, bytes, without its write-ahead log.
    ///
    /// # Errors
    /// The database failed.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let bytes: i64 = self.with(|connection| connection.query_row(sql, [], |row| row.get(0)))?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }

    pub(super) fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let connection = match taken {
            Some(connection) => connection,
            None => schema::open_read_only(&self.data_dir)?,
        };
        let result = read(&connection)?;
        let mut idle = idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(result)
    }
}
