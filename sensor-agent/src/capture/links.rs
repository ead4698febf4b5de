//! What is attached, and whether it still is.
//!
//! An attachment lasts as long as its descriptor is open. Whoever may trace the sensor can close that behind its back,
//! after which the number may stand for something else: so an attachment is known by the kernel's id of it.

use aya::programs::links::{FdLink, LinkError};
use sensor_ebpf::classes::Source;

/// A program at its hook. Detaches when this is dropped.
#[derive(Debug)]
pub(super) struct Attachment {
    link: FdLink,
    /// The kernel's id; none if it does not tell.
    id: Option<u32>,
}

impl Attachment {
    pub(super) fn new(link: FdLink) -> Self {
        let id = link.info().ok().map(|info| info.id());
        Self { link, id }
    }

    /// Whether somebody else has ended it.
    pub(super) fn is_gone(&self) -> bool {
        let Some(id) = self.id else { return false };
        match self.link.info() {
            Ok(info) => info.id() != id,
            Err(LinkError::SyscallError(error)) => {
                // Not open, or open as something else. What the kernel does not want to tell is no sign of an end.
                matches!(error.io_error.raw_os_error(), Some(libc::EBADF | libc::EBADFD | libc::EINVAL))
            }
            Err(_) => false,
        }
    }

    /// Lets go of one that is gone. Its number may be another's by now, which must not be closed.
    pub(super) fn forget(self) {
        std::mem::forget(self.link);
    }
}

/// What was found about a hook whose attachment was ended from outside.
#[derive(Debug)]
pub struct Reattached {
    /// What it tells.
    pub source: Source,
    /// Where it sits.
    pub hook: &'static str,
    /// Whether it is attached again; why not.
    pub outcome: Result<(), String>,
}
