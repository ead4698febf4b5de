//! The sensor: what programs do on a host, kept in tables and held against rules.
//!
//! ```text
//! kernel programs ─▶ capture ─▶ event ─▶ process table ─┬─▶ recorder ──▶ sinks
//!                                                       └─▶ detection ─▶ alert ─▶ outputs
//! configuration ─▶ config ─▶ rules, templates, outputs: checked whole before anything starts
//! ```
//!
//! A module knows the types of those before it along the data, never of those after it.

pub mod alert;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod control;
pub mod delivery;
pub mod diagnostic;
pub mod event;
pub mod host;
pub mod loss;
pub mod policy;
pub mod process;
pub mod rules;
pub mod terminal;
