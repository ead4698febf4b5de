//! Opening what an output writes to, as often as it takes.
//!
//! A missing folder, a read-only file system or a port in use is the host's state, which can change while the sensor
//! runs. So it keeps neither the sensor nor another output from working: until the output opens, what it is to get
//! waits in its queue, and what there is no room for is counted there.

use super::{
    FIRST_PAUSE, LONGEST_PAUSE,
    queue::{Deliver, Load, Next, Queue},
};
use crate::{ledger::Ledger, open_error::OpenError, outcome::Outcome};

/// Opens an output. Called on the output's own thread, since it may take long.
pub(super) type Open<T> = Box<dyn FnMut() -> Opened<T> + Send>;

/// What came of it.
pub(super) type Opened<T> = Result<Box<dyn Deliver<T>>, OpenError>;

/// See the module.
pub(super) struct Opening<'a, T> {
    pub(super) queue: &'a Queue<T>,
    pub(super) ledger: &'a Ledger,
    pub(super) owner: u64,
    pub(super) open: Open<T>,
    /// Whether the last try failed.
    pub(super) failed: bool,
}

impl<T: Load> Opening<'_, T> {
    /// Tries once, and says in the accounts how it went.
    pub(super) fn attempt(&mut self) -> Opened<T> {
        let opened = (self.open)();
        let failed_before = std::mem::replace(&mut self.failed, opened.is_err());
        if let Err(error) = &opened {
            self.ledger.failed(&error.why());
            self.queue.tell_waiting(&self.ledger.name, &Outcome::Retrying(error.why()));
        } else if failed_before {
            self.ledger.works();
        }
        opened
    }

    /// Tries again until it is open. None if nothing is to be delivered any more by this owner.
    pub(super) fn until_open(mut self, mut opened: Opened<T>) -> Option<Box<dyn Deliver<T>>> {
        let mut wait = FIRST_PAUSE;
        loop {
            if let Ok(deliver) = opened {
                return Some(deliver);
            }
            if self.queue.pause(self.owner, wait) != Next::GoOn {
                return None;
            }
            wait = (wait * 2).min(LONGEST_PAUSE);
            opened = self.attempt();
        }
    }
}
