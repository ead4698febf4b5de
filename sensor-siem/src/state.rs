//! Where to go on: what outlives the process.
//!
//! One JSON file, replaced as a whole by rename, mode 0600, and a lock beside it (`….lock`) that one process holds. It has
//! no secrets: tokens are never kept. A file that cannot be read is put aside under another name and told; one of a newer
//! version is refused, since its positions would be lost.
//!
//! ```text
//! {"format": "sensor-siem state", "version": 1,
//!  "streams": {TENANT: {"event": {"cursor": "…", "updated_at": 1796000000}, "alert": …}},
//!  "file": {"path", "device", "inode", "length", "appending"}}
//! ```
//!
//! Where this file knows nothing of a stream, that of the vendor's script does ([`script`]): so an export goes on where the
//! script stopped. The script's file is only read.

pub mod script;
mod store;

pub use store::{StateError, Store};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{destination::file::Mark, item::Stream};

const FORMAT: &str = "sensor-siem state";
const VERSION: u64 = 1;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// By tenant.
    pub streams: BTreeMap<String, Positions>,
    /// The file that was written last.
    pub file: Option<Mark>,
}

/// Of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    #[serde(rename = "event", skip_serializing_if = "Option::is_none")]
    pub events: Option<Position>,
    #[serde(rename = "alert", skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Position>,
}

/// How far a stream was read and handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What Central gave with the last page.
    pub cursor: String,
    /// When that was, Unix seconds; none if the script did not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
}

impl Positions {
    #[must_use]
    pub const fn of(&self, stream: Stream) -> Option<&Position> {
        match stream {
            Stream::Events => self.events.as_ref(),
            Stream::Alerts => self.alerts.as_ref(),
        }
    }

    pub fn set(&mut self, stream: Stream, position: Position) {
        *match stream {
            Stream::Events => &mut self.events,
            Stream::Alerts => &mut self.alerts,
        } = Some(position);
    }
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Written {
    format: String,
    version: u64,
    streams: BTreeMap<String, Positions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Mark>,
}

/// Why a file is not this program's state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("another program wrote it")]
    Foreign,
    #[error("version {0} of this program's state, which is newer than this program")]
    Newer(u64),
}

impl State {
    /// Reads the content of a file.
    ///
    /// # Errors
    /// It is not this program's state.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unfit> {
        let value: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|error| Unfit::Damaged(error.to_string()))?;
        if value["format"] != FORMAT {
            return Err(Unfit::Foreign);
        }
        match value["version"].as_u64() {
            Some(newer) if newer > VERSION => return Err(Unfit::Newer(newer)),
            _ => {}
        }
        let Written { streams, file, .. } =
            serde_json::from_value(value).map_err(|error| Unfit::Damaged(error.to_string()))?;
        Ok(Self { streams, file })
    }

    /// The content of a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { streams, file } = self.clone();
        let written = Written { format: FORMAT.into(), version: VERSION, streams, file };
        let mut bytes = serde_json::to_vec_pretty(&written).expect("texts and numbers are JSON");
        bytes.push(b'\n');
        bytes
    }
}

#[cfg(test)]
mod tests;
