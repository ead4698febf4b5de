//! What is sent reaches its receiver: over a network that fails, onto a disk that fills, from a process that is killed.
//!
//! What goes to a remote receiver is first put into a [`spool`] on disk, and leaves it when the receiver has confirmed it.
//! Whether a receiver is the right one is told by [`trust`], or by what [`tls`] is set; the protocols are in [`receivers`]
//! and in [`mcs`], which speaks to Central. What is sent, the program that uses this knows: here it is bytes with an id.

pub mod backoff;
mod blocking;
pub mod cause;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod http;
pub mod latency;
pub mod ledger;
pub mod lines;
pub mod mcs;
pub mod narrowing;
pub mod open_error;
pub mod outcome;
pub mod receivers;
pub mod remote;
pub mod spool;
pub mod spooled;
#[cfg(test)]
mod test_authority;
#[cfg(test)]
mod test_receiver;
pub mod tls;
pub mod trust;
pub mod words;
pub mod worker;
