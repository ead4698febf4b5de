//! What runs on the host: the process table, and what is known of a process beyond its records.
//!
//! ```text
//! record ─▶ Table::apply ─▶ Event (with a snapshot of its process, and through it the lineage)
//!              ├─ groups: cgroup, namespaces, root directory ─▶ container (containers: the names)
//!              ├─ lineage: how long it may be
//!              ├─ mounts: a file of another mount namespace ─▶ where the host has it
//!              ├─ logins: audit session ─▶ who logged in, from where
//!              ├─ container_names: id ─▶ what its runtime says, from another thread
//!              └─ users: uid ─▶ login name, from a cache that another thread fills
//! ```
//!
//! The table is fed by one thread, in the order of the records. Nothing here blocks: what needs the disk or the name
//! service ([`users`], [`baseline`], [`unlisted`]) runs elsewhere or before the first record.

pub mod baseline;
mod container_lives;
mod container_names;
pub mod containers;
mod crashes;
mod ended;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod groups;
mod host_place;
mod lineage;
mod logins;
mod machines;
pub mod mounts;
mod observed;
mod pool;
pub mod rescan;
mod table;
pub mod unlisted;
pub mod users;

pub use container_names::Lookups;
pub use host_place::HostPlace;
pub use lineage::MAX_DEPTH;
pub use table::{MAX_PROCESSES, Table, TableCounters};
