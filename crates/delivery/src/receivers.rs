//! Receivers, each with its own protocol and its settings.

pub mod file;
pub mod kafka;
pub mod parquet;
pub mod s3;
pub mod splunk;
pub mod stdout;
pub mod syslog;
pub mod webhook;
pub mod zeromq;
