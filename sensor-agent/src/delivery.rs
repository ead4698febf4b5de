//! What outputs that reach over a network stand on.
//!
//! A host's network fails, its disk fills and its sensor is killed; an alert must outlive all of that. So what goes to
//! a remote receiver is first put into a [`spool`] on disk, and leaves it when the receiver has confirmed it.

pub mod spool;
pub mod trust;
