//! Processes that are hit together: stopped one by one, then killed.

use foldhash::HashSet;
use rustix::io::Errno;
use rustix::process::Signal;

use super::identity::Held;
use super::{Deed, Order, Outcome};

/// Most that are held at once: each is a descriptor.
pub(super) const HELD: usize = 200;

/// What was done so far.
#[derive(Default)]
pub(super) struct Tally {
    hit: usize,
    /// Those of them that must not be hit.
    spared: usize,
    /// The first error.
    failed: Option<Errno>,
    /// Pids, with their start, that are done with.
    seen: HashSet<(u32, u64)>,
}

impl Tally {
    pub(super) fn has_seen(&self, one: &Held) -> bool {
        self.seen.contains(&(one.pid, one.stat.start))
    }

    /// Leaves one out that must not be hit.
    pub(super) fn spare(&mut self, one: &Held) {
        self.spared += 1;
        self.seen.insert((one.pid, one.stat.start));
    }

    /// Stops one, so that it forks nobody any more, and holds it.
    pub(super) fn take(&mut self, one: Held, is_dry: bool, held: &mut Vec<Held>) {
        self.seen.insert((one.pid, one.stat.start));
        if !is_dry {
            // One that has ended is none; what else is wrong shows when it is killed.
            let _ = one.signal(Signal::STOP);
        }
        held.push(one);
    }

    /// Kills those that are held.
    pub(super) fn kill(&mut self, held: &mut Vec<Held>, is_dry: bool) {
        for one in held.drain(..) {
            match if is_dry { Ok(()) } else { one.signal(Signal::KILL) } {
                Ok(()) => self.hit += 1,
                Err(Errno::SRCH) => {}
                Err(error) => self.failed = self.failed.or(Some(error)),
            }
        }
    }

    /// What came of it. `whom` names so many, and is a sentence of none.
    pub(super) fn deed(self, order: &Order, is_whole: bool, whom: impl Fn(usize) -> String) -> Deed {
        let is_dry = order.is_dry();
        let outcome = match (self.hit, is_dry, self.failed) {
            (_, _, Some(_)) => Outcome::Failed,
            (0, ..) => Outcome::Gone,
            (_, true, _) => Outcome::DryRun,
            (_, false, _) => Outcome::Success,
        };
        let mut details = whom(self.hit);
        if self.hit > 0 {
            let sent = if is_dry { "dry run: SIGKILL would have been sent to" } else { "SIGKILL was sent to" };
            details = format!("{sent} {details}");
            if !is_dry {
                details.push_str(&order.since());
            }
        }
        if self.spared > 0 {
            details.push_str(&format!("; spared, as nothing may be done to them: {}", self.spared));
        }
        if let Some(error) = self.failed {
            details.push_str(&format!("; not all could be killed: {error}"));
        }
        if !is_whole {
            details.push_str("; there was no time to look whether that is all of them");
        }
        Deed { outcome, details }
    }
}
