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
#[cfg(test)]
mod class_tests;
pub mod cli;
pub mod commands;
pub mod config;
pub mod control;
pub mod detection;
pub mod doctor;
pub mod engine;
pub mod event;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod health;
pub mod host;
pub mod limits;
pub mod live;
pub mod lock;
pub mod log;
pub mod loss;
pub mod metrics;
pub mod name_service;
pub mod output;
pub mod plan;
pub mod policy;
pub mod privilege;
pub mod process;
pub mod recorder;
pub mod redaction;
pub mod response;
pub mod rules;
pub mod sensor;
pub mod sigma;
pub mod silent;
pub mod systemd;
pub mod tuning;
