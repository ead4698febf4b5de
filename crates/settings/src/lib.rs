//! Configuration files for people: YAML in which every value knows its place, held against tables of keys.
//!
//! ```text
//! text ─▶ Layer: a tree with places ─▶ check: each against the table of keys ─▶ merge ─▶ Section: values
//!    (faults: what broke it)                           │                                   │
//!                                                      └──────────▶ Report ◀───────────────┘
//! ```
//!
//! A program hands in its keys as tables ([`Schema`], [`Key`], [`Kind`]); nothing here knows one of them. Checking,
//! defaults, the names of environment variables, the manual page and the reference are read off these tables. All
//! findings of all files go to one [`Report`](diagnostic::Report), each with its place, so that one run names everything
//! there is to mend; what is wrong there counts as not given in the [`Section`] that hands out values.
//!
//! ```
//! use settings::{Key, Kind, Layer, Schema, Section, check};
//!
//! static TOP: &[Key] = &[Key::new("rows", Kind::Count(1, 100), "10", "Rows that are kept.")];
//! static SCHEMA: Schema = Schema::new(TOP);
//!
//! let mut report = diagnostic::Report::default();
//! let source = report.add_source("a.yaml", "rows: 5\nrow: 6\n");
//! let layer = Layer::read(source, &SCHEMA, &mut report);
//! check(&layer.root, &SCHEMA, &Default::default(), &mut report);
//! assert_eq!(Section::new(Some(&layer.root), TOP).value::<u64>("rows"), 5);
//! assert!(report.to_string().contains("did you mean `rows`?"));
//! ```
//!
//! Secrets ([`Kind::Secret`], and what looks like one anywhere in a file) are in no report and in nothing that is
//! written back ([`Masked`]).

mod address;
mod check;
mod duration;
pub mod environment;
#[cfg(test)]
mod example;
mod faults;
pub mod files;
mod json_schema;
mod layer;
pub mod manual;
mod masked;
mod meant;
mod merge;
mod outline;
mod problem;
mod quoting;
pub mod reference;
mod scalar;
mod schema;
pub mod secrets;
mod section;
mod words;
mod yaml;

pub use address::{HostPort, LISTEN, ListenAddress, UNIX_SOCKET, UnixSocket, socket_path};
pub use check::{check, named};
pub use environment::Environment;
pub use faults::explain;
pub use json_schema::json_schema;
pub use layer::{Layer, first_secret};
pub use masked::Masked;
pub use merge::merge;
pub use problem::Problem;
pub use scalar::{FromText, Size};
pub use schema::{Key, Kind, Named, Own, Pairs, Schema, Variant, Variants, find};
pub use section::Section;
pub use words::{Word, Words};
pub use yaml::{Broken, Entry, Node, Scalar, Value, parse};
