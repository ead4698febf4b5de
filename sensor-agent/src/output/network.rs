//! Receivers over a network, each with its own protocol, and what the protocols stand on: HTTP, TLS, and what
//! [`remote`] asks of a receiver that confirms.

pub(super) mod http;
#[cfg(test)]
mod receiver;
pub(super) mod remote;
pub(super) mod splunk;
pub(super) mod syslog;
pub(super) mod tls;
pub(super) mod webhook;
pub(super) mod zeromq;
