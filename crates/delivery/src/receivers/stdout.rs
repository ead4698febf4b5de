//! The `stdout` output.
//!
//! Written to directly, not through `std::io::stdout`: that holds its lock while it waits for a reader, and whoever
//! prints something at exit would wait too.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{Mutex, PoisonError},
};

use rustix::{
    event::{PollFd, PollFlags},
    io::Errno,
};

use crate::lines::{Lines, Written};
use crate::worker::queue::Failure;

/// Alerts and rows can both go to stdout: a batch of one is not to land within a line of the other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A `stdout` output: nothing is to be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StdoutSettings;

/// An open descriptor.
pub struct Descriptor {
    descriptor: OwnedFd,
    /// Whose turn it is, where several write to the same place.
    turn: Option<&'static Mutex<()>>,
}

impl Descriptor {
    /// This process's stdout.
    ///
    /// # Errors
    ///
    /// If it is closed, or there can be no more descriptors.
    pub fn stdout() -> io::Result<Self> {
        Ok(Self { descriptor: rustix::stdio::stdout().try_clone_to_owned()?, turn: Some(&ONE_AT_A_TIME) })
    }

    /// Another place than stdout.
    #[must_use]
    pub const fn new(descriptor: OwnedFd) -> Self {
        Self { descriptor, turn: None }
    }
}

impl Lines for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> Written {
        let _turn = self.turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let mut out = 0;
        while out < bytes.len() {
            match rustix::io::write(&self.descriptor, &bytes[out..]) {
                Ok(count) => out += count,
                Err(Errno::INTR) => {}
                // Someone who shares the terminal made it non-blocking: wait until it takes more.
                Err(Errno::AGAIN) => {
                    let _ = rustix::event::poll(&mut [PollFd::new(&self.descriptor, PollFlags::OUT)], None);
                }
                Err(Errno::PIPE) => {
                    return Written { bytes: out, failure: Some(Failure::Gone("nobody reads stdout any more".into())) };
                }
                Err(error) => {
                    let reason = format!("cannot write to stdout: {}", io::Error::from(error));
                    return Written { bytes: out, failure: Some(Failure::Retry(reason)) };
                }
            }
        }
        Written { bytes: out, failure: None }
    }

    fn known(&self) -> &'static str {
        "written to stdout"
    }
}
