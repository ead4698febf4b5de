//! Carries out what is ordered.

use std::sync::Arc;
use std::time::Instant;

use rustix::process::Signal;

use super::identity::{Held, Lost};
use super::limits::Rate;
use super::{Counts, Deed, Descendants, OffLimits, Order, Outcome, container, notification, tree};
use crate::alert::Notification;
use crate::event::Process;
use crate::event::json::lossless;
use crate::policy::Action;

pub(super) struct Worker {
    off_limits: OffLimits,
    descendants: Descendants,
    counts: Arc<Counts>,
    rate: Rate,
}

impl Worker {
    pub(super) fn new(off_limits: OffLimits, descendants: Descendants, counts: Arc<Counts>) -> Self {
        Self { off_limits, descendants, counts, rate: Rate::default() }
    }

    pub(super) fn carry_out(&mut self, order: &Order) -> Vec<Notification> {
        let actions = order.policy.response.actions.iter();
        actions
            .map(|&action| {
                let deed = self.act(order, action);
                self.counts.count(action, deed.outcome);
                notification(action, &deed)
            })
            .collect()
    }

    fn act(&mut self, order: &Order, action: Action) -> Deed {
        let (process, who) = (&*order.process, named(&order.process));
        let deed = |outcome, details| Deed { outcome, details };
        let held = match Held::hold(process.key) {
            Ok(held) => Some(held),
            // What it has left behind is there.
            Err(Lost::Gone) if action == Action::KillTree => None,
            Err(Lost::Gone) => return deed(Outcome::Gone, format!("{who} had ended")),
            Err(Lost::Unclear(why)) => return deed(Outcome::Failed, format!("nothing was done to {who}: {why}")),
        };
        if let Some(why) = self.off_limits.why(process, held.as_ref(), &order.limits) {
            return deed(Outcome::Refused, format!("nothing was done to {who}: {why}"));
        }
        let signal = match action {
            Action::Stop => Signal::STOP,
            Action::Kill | Action::KillTree | Action::KillContainer => Signal::KILL,
        };
        let name = if signal == Signal::STOP { "SIGSTOP" } else { "SIGKILL" };
        let is_dry = order.is_dry();
        if !is_dry && !self.rate.may_act(&order.policy.name, &order.limits, Instant::now()) {
            let details = format!(
                "nothing was done to {who}: the policy acts too often (`response.actions_per_minute`); it may be too wide"
            );
            return deed(Outcome::Refused, details);
        }
        let held = match (action, held) {
            (Action::KillTree, held) => return tree::kill(held, order, &self.off_limits, &self.descendants),
            (_, None) => return deed(Outcome::Gone, format!("{who} had ended")),
            (Action::KillContainer, Some(held)) => return container::kill(&held, order, &self.off_limits),
            (Action::Stop | Action::Kill, Some(held)) => held,
        };
        if is_dry {
            return deed(Outcome::DryRun, format!("dry run: {name} would have been sent to {who}"));
        }
        match held.signal(signal) {
            Ok(()) => deed(Outcome::Success, format!("{name} was sent to {who}{}", order.since())),
            Err(rustix::io::Errno::SRCH) => deed(Outcome::Gone, format!("{who} had ended")),
            Err(error) => deed(Outcome::Failed, format!("{name} could not be sent to {who}: {error}")),
        }
    }
}

/// A process as a sentence names it.
pub(super) fn named(process: &Process) -> String {
    format!("process {} ({})", process.key.tgid, lossless(&process.image.path))
}
