//! Hands Central's alerts and events to a SIEM.
//!
//! ```text
//! Central ──HTTPS──▶ source ──▶ item ──▶ format ──▶ destination ──▶ state
//!                    pages      as       JSON, CEF,  file, stdout   where each output
//!                    by cursor  received key-value                  goes on, kept after that
//! ```
//!
//! [`engine`] walks that way for every tenant, stream and output; [`config`] says which way, or [`config_ini`] as the
//! vendor's script has it; [`commands`] is the command line. A module knows the types of those before it, never of those
//! after.
//!
//! The one promise: a cursor is kept only once the output has what lies before it, so nothing is left out. What a crash
//! leaves in a file of a page whose cursor was not kept is cut off at the next start, so nothing stands there twice.

pub mod commands;
pub mod config;
pub mod config_ini;
pub mod destination;
pub mod engine;
pub mod format;
pub mod item;
pub mod metrics;
pub mod source;
pub mod state;
