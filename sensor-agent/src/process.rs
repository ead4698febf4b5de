//! What runs on the host: the process table, and what is known of a process beyond its records.
//!
//! ```text
//! record ─▶ Table::apply ─▶ Event (with a snapshot of its process, and through it the lineage)
//!              ├─ groups: cgroup, namespaces, root directory ─▶ container (containers: the names)
//!              ├─ lineage: how long it may be
//!              ├─ mounts: a file of another mount namespace ─▶ where the host has it
//!              ├─ logins: audit session ─▶ who logged in, from where
//!              └─ users: uid ─▶ login name, from a cache that another thread fills
//! ```
//!
//! The table is fed by one thread, in the order of the records. Nothing here blocks: what needs the disk or the name
//! service ([`users`], [`baseline`], [`unlisted`]) runs elsewhere or before the first record.

pub mod baseline;
pub mod containers;
mod ended;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod groups;
mod host_place;
mod lineage;
mod logins;
pub mod mounts;
mod pool;
pub mod rescan;
mod table;
mod told;
pub mod unlisted;
pub mod users;

pub use host_place::HostPlace;
pub use lineage::MAX_DEPTH;
pub use table::{MAX_PROCESSES, Table, TableCounters};
