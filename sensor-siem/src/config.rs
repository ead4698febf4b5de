//! What is to be done: what a YAML file says, or the `config.ini` of the vendor's script ([`crate::config_ini`]).
//!
//! The module [`keys`] holds every key of the YAML file once; checking, defaults and the reference are read off it.

pub mod keys;
mod outputs;
mod read;
mod words;
mod write;

use std::{path::PathBuf, time::Duration};

use settings::ListenAddress;

pub use read::{load, read};
pub use words::{LogFormat, LogLevel, StartWord};
pub use write::write;

use crate::{
    destination::Destination,
    format::Layout,
    item::Stream,
    source::{Connection, Credentials, Start},
};

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    pub credentials: Credentials,
    pub connection: Connection,
    pub streams: Vec<Stream>,
    /// Without events of little interest.
    pub light: bool,
    /// Minutes that a first reading begins earlier: of events, of alerts.
    pub earlier_minutes: [u32; 2],
    /// How far back a stream that was read to its end is read again.
    pub overlap: Duration,
    /// Between the begins of two readings, as a service.
    pub poll: Duration,
    pub outputs: Vec<Output>,
    pub state: PathBuf,
    /// The state of the vendor's script.
    pub script_state: Option<PathBuf>,
    /// Where items go that cannot be handed over.
    pub dead_letters: PathBuf,
    /// Where metrics are served, as a service.
    pub metrics: Option<ListenAddress>,
    pub log_level: LogLevel,
    pub log_format: LogFormat,
    /// Keys that are set and do nothing beside the others, in words.
    pub idle: Vec<String>,
}

impl Config {
    /// Whether a tenant may be among those that are read: where some are named, others are not.
    #[must_use]
    pub fn may_read(&self, tenant: &str) -> bool {
        match &self.credentials {
            Credentials::Client { tenants, .. } if !tenants.is_empty() => {
                tenants.iter().any(|named| named.eq_ignore_ascii_case(tenant))
            }
            Credentials::Client { .. } | Credentials::Legacy { .. } => true,
        }
    }
}

/// Where lines go, and which.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its position in the state is kept under this name.
    pub name: String,
    pub destination: Destination,
    pub layout: Layout,
    /// Where a stream begins that was never handed over to it.
    pub start: Start,
    /// The longest line, bytes. A longer one is set aside.
    pub max_bytes: Option<u64>,
}

/// The name of the one output that a `config.ini` has.
pub const MAIN: &str = "main";

/// Replies that are held in memory at the same time.
pub const REPLIES: usize = 3;

#[cfg(test)]
mod tests;
