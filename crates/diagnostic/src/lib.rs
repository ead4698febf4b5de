//! What is wrong with a text that a person wrote, told to that person.
//!
//! Everything that reads what users write (YAML, rules, templates, lists) puts its findings into one [`Report`], each
//! with the place in the file, so that all of them are shown in one run.
//!
//! ```
//! use diagnostic::{Report, Span, nearest};
//!
//! let mut report = Report::default();
//! let source = report.add_source("a.yaml", "lisen: 1\n");
//! let help = nearest("lisen", ["listen", "limits"]).map(|near| format!("did you mean `{near}`?"));
//! report.warning(Span { source, bytes: 0..5 }, "unknown key `lisen`").help(help.unwrap_or_default());
//! assert!(report.to_string().contains("--> a.yaml:1:1"));
//! assert_eq!(report.summary(), "1 warning");
//! ```
//!
//! What is shown may hold anything: [`printable`] spells out what a terminal would obey, and [`terminal`] lays text out
//! and prints it.

pub mod finding;
mod nearest;
mod report;
mod span;
pub mod terminal;
mod text;

pub use nearest::nearest;

pub use report::{Appearance, Diagnostic, Located, Place, Related, Report, Severity};
pub use span::{SourceId, Span, Spanned};
pub use text::{printable, printable_json};
