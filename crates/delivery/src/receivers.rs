//! Receivers, each with its own protocol and its settings.

pub mod splunk;
pub mod syslog;
pub mod webhook;
