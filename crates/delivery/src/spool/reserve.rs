//! A little room on the disk, kept so that confirmed items can be deleted when the disk is full.
//!
//! Deleting writes to the log, which takes room. Without any, a full disk would keep the spool full.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

/// Bytes kept. Twice what the log takes until it is written back.
const BYTES: u64 = 512 << 10;

pub(super) struct Reserve {
    path: PathBuf,
    held: bool,
}

impl Reserve {
    pub(super) fn new(folder: &Path) -> Self {
        Self { path: folder.join("reserve"), held: false }
    }

    /// Takes the room, if there is any.
    pub(super) fn hold(&mut self) {
        if self.held {
            return;
        }
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.path);
        self.held = file.is_ok_and(|file| fallocate(&file, FallocateFlags::empty(), 0, BYTES).is_ok());
        if !self.held {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Gives the room up. Yields whether there was any.
    pub(super) fn release(&mut self) -> bool {
        self.held = false;
        fs::remove_file(&self.path).is_ok()
    }
}
