//! What outputs that reach over a network stand on.
//!
//! A host's network fails, its disk fills and its sensor is killed; an alert must outlive all of that. So what goes to
//! a remote receiver is first put into a [`spool`] on disk, and leaves it when the receiver has confirmed it. Whether a
//! receiver is the right one is told by [`trust`]; [`mcs`] speaks to Central.

mod backoff;
pub mod mcs;
pub mod spool;
#[cfg(test)]
pub(crate) mod test_authority;
pub mod trust;
pub(crate) mod words;

pub use self::backoff::Pace;
pub(crate) use self::backoff::{Backoff, retry_after};
