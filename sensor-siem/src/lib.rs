//! Hands Central's alerts and events to a SIEM.
//!
//! ```text
//! Central ──HTTPS──▶ source ──▶ item ──▶ format ──▶ destination ──▶ state
//!                    pages      as       JSON, CEF,  what has it     where to go on,
//!                    by cursor  received key-value   has it          kept after that
//! ```
//!
//! A module knows the types of those before it, never of those after.

pub mod format;
pub mod item;
