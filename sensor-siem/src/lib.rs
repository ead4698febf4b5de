//! Hands Central's alerts and events to a SIEM.
//!
//! ```text
//! Central ──HTTPS──▶ source ──▶ item ──▶ format ──▶ destination ──▶ state
//!                    pages      as       JSON, CEF,  file, stdout   where to go on,
//!                    by cursor  received key-value                  kept after that
//! ```
//!
//! [`pass`] walks that way once for every tenant and stream; [`config_ini`] says which way, [`commands`] is the command
//! line. A module knows the types of those before it, never of those after.
//!
//! The one promise: a cursor is kept only once the destination has what lies before it, so nothing is left out. What a crash
//! leaves in a file of a page whose cursor was not kept is cut off at the next start, so nothing stands there twice.

pub mod commands;
pub mod config_ini;
pub mod destination;
pub mod format;
pub mod item;
pub mod pass;
pub mod source;
pub mod state;
