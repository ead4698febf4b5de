//! What the sensor is told to do: read, checked whole, and handed on as plain values.
//!
//! ```text
//! content ─┐
//! main ────┼─▶ settings: read, checked each against the table of keys, merged ─▶ typed values ─▶ Config
//! rules ───┤                                                      │
//! environment ┘                                                   └─▶ cache_analytics.yaml
//! ```
//!
//! The module `keys` holds every key once; checking, defaults, environment variables and the reference manual are read
//! off it by [`settings`]. All findings go to one report, each with its place. Rules, templates and lists are passed on as text with
//! its place: whoever compiles them reports into the same report.

mod cache;
mod in_vain;
mod investigations;
mod keys;
mod lists;
mod load;
mod manual;
mod named_files;
mod outputs;
mod policy;
mod reference;
mod response;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use delivery::trust::CrlPolicy;
use secrecy::SecretString;
use settings::{ListenAddress, UnixSocket};
use url::Url;
use uuid::Uuid;

use crate::capture::AuditHooks;
use crate::output::target::Waiting;
use crate::redaction;

pub use cache::CacheError;
pub use investigations::{FlightRecorder, Investigations, RecorderTable, Sink, Topic};
pub use lists::ListConfig;
pub use load::{check_text, load};
pub use manual::{NAME as FILE_NAME, manual};
pub use outputs::{AlertOutput, Output};
pub use policy::{ContentGroup, Day, Exception, Off, Policy, Throttle};
pub use reference::{json_schema, reference};
pub use response::Response;
pub use words::{CloudMeta, Feature, ListType, ResponseAction, is_built};

/// The keys of a file, besides the names of policies.
pub(crate) fn top_level_keys() -> impl Iterator<Item = &'static str> {
    keys::TOP.iter().flat_map(|key| [key.name].into_iter().chain(key.aliases.iter().copied()))
}

/// What the command line says about files. What it does not name follows from the configuration or is the default.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// The main configuration. A named one must be there; else `/etc/sophos/runtimedetections.yaml`, which may be
    /// missing.
    pub main: Option<PathBuf>,
    /// Shipped detections and lists; likewise.
    pub content: Option<PathBuf>,
    /// The user's overrides; likewise. Unless it is named, it is looked for beside the main configuration.
    pub rules: Option<PathBuf>,
    /// What must outlive a restart.
    pub state_dir: Option<PathBuf>,
    /// What need not.
    pub run_dir: Option<PathBuf>,
}

/// Where the files are, after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locations {
    pub main: PathBuf,
    pub content: PathBuf,
    pub rules: PathBuf,
    pub state_dir: PathBuf,
    pub run_dir: PathBuf,
}

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    pub locations: Locations,
    /// The tenant; there when MCS is enabled.
    pub customer_id: Option<Uuid>,
    pub mcs: Mcs,
    /// Whether health statistics go along over MCS.
    pub send_labs_telemetry: bool,
    /// Whether table rows may go to the `mcs` sink.
    pub endpoint_telemetry_enabled: bool,
    pub cloud_meta: CloudMeta,
    pub alert_output: AlertOutput,
    /// Groups of shipped detections that are on.
    pub enabled_content_groups: Vec<ContentGroup>,
    pub investigations: Investigations,
    pub use_supervisor: bool,
    pub use_resource_limits: bool,
    pub metrics: Metrics,
    pub audit: Audit,
    pub crisensor: Crisensor,
    /// What waits on disk for one output, at most.
    pub spool: Waiting,
    /// What is taken out of all that is told.
    pub redaction: redaction::Settings,
    /// What policies may do about what they find.
    pub response: Response,
    /// Bytes that what is remembered and what waits may take.
    pub memory_budget: u64,
    /// All detections, also those that are off, in the order in which they were first named.
    pub policies: Vec<Policy>,
    /// The lists of each file, in the order of the files.
    pub lists: Vec<Vec<ListConfig>>,
    /// Files with tokens and authorities that it names.
    pub named_files: Vec<PathBuf>,
    /// The merged configuration as YAML, secrets masked.
    merged: String,
}

/// The connection to the management service.
#[derive(Clone, Debug)]
pub struct Mcs {
    pub enabled: bool,
    /// There when it is enabled; always `https`.
    pub url: Option<Url>,
    /// There when it is enabled.
    pub token: Option<SecretString>,
    /// The folder of trust files; without it, the first of `/etc/sophos-certs` and `/etc/sophos` that has them.
    pub certs_dir: Option<PathBuf>,
    /// Without it, the variables HTTPS_PROXY and NO_PROXY.
    pub proxy: Option<Url>,
    pub crl_policy: CrlPolicy,
}

/// Where the sensor tells how it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    pub enabled: bool,
    /// Without it, a socket in the run directory.
    pub listen: Option<ListenAddress>,
}

/// How messages to the kernel's audit are caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    pub hooks: AuditHooks,
    /// Whether to listen to the kernel's multicast group when no hook can be had.
    pub multicast_fallback: bool,
}

/// The container runtime's socket.
#[derive(Clone, Debug)]
pub struct Crisensor {
    /// Whether to ask the runtime at `addr` alone.
    pub enabled: bool,
    /// Without it, the usual sockets are looked for.
    pub addr: Option<UnixSocket>,
    pub poll_interval: Duration,
}

impl Crisensor {
    /// Whom to ask.
    #[must_use]
    pub fn lookups(&self) -> containers::Settings {
        let socket = self.addr.as_ref().filter(|_| self.enabled).map(|socket| socket.0.clone());
        containers::Settings { socket, again: self.poll_interval }
    }
}

impl Config {
    /// The merged configuration as YAML, secrets masked.
    #[must_use]
    pub fn merged_yaml(&self) -> &str {
        &self.merged
    }

    /// Writes the merged configuration into the run directory as `cache_analytics.yaml`, readable by its owner alone,
    /// there as a whole or not at all. Returns its path.
    ///
    /// # Errors
    /// The directory is missing or cannot be written.
    pub fn write_merged(&self, run_dir: &Path) -> Result<PathBuf, CacheError> {
        cache::write(&self.merged, run_dir)
    }

    /// The path of the merged configuration in a run directory.
    #[must_use]
    pub fn merged_path(run_dir: &Path) -> PathBuf {
        run_dir.join(cache::FILE_NAME)
    }
}

#[cfg(test)]
mod tests;
