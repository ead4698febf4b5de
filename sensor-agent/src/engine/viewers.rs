//! Those who look on: what is held for them to begin with, and what they are told as it happens.

use std::collections::VecDeque;
use std::sync::Arc;

use budget::{Budget, Pressure};
use schema::Class;

use super::Engine;
use crate::alert::Alert;
use crate::event::{Event, Host};
use crate::live::feed::{Feeder, Item};
use crate::live::{Filter, Subject};
use crate::recorder::{self, Position};
use crate::redaction::Redaction;

/// Rows that are looked at for one answer, at most: between two answers the engine goes on with its work.
const ROWS: usize = 1024;
/// Most alerts that are kept to be looked at.
const ALERTS: usize = 1000;

/// What somebody wants to be shown.
#[derive(Debug)]
pub struct Search {
    pub subject: Subject,
    pub filter: Filter,
    /// Of what is held, what happened from then on: nanoseconds since the Unix epoch. None: nothing.
    pub since: Option<u64>,
    /// Where to what happens from now on goes; none ends with what is held.
    pub feeder: Option<Feeder>,
    /// How far this one has come in the tables.
    at: Option<Vec<Position>>,
}

impl Search {
    #[must_use]
    pub const fn new(subject: Subject, filter: Filter, since: Option<u64>, feeder: Option<Feeder>) -> Self {
        Self { subject, filter, since, feeder, at: None }
    }
}

/// One answer to it.
#[derive(Debug)]
pub struct Piece {
    pub items: Vec<Item>,
    /// Rows that were overwritten before they could be looked at.
    pub passed: u64,
    /// What to ask next; none if all that is held was handed over, and what is to come goes to the feeder.
    pub next: Option<Box<Search>>,
    /// What there was to be searched at all.
    pub held: Held,
}

/// What is held, and what is told.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pub tables: Vec<recorder::Held>,
    pub alerts: usize,
    /// The time of the oldest alert: nanoseconds since the Unix epoch.
    pub oldest_alert: Option<u64>,
    /// Classes of which the kernel tells nothing, as nobody asks for them.
    pub unreported: Vec<Class>,
}

/// Those who follow, and the newest alerts.
#[derive(Debug)]
pub(super) struct Viewers {
    followers: Vec<Follower>,
    alerts: VecDeque<Arc<Alert>>,
    /// Of these, bytes.
    size: usize,
    budget: Budget,
}

#[derive(Debug)]
struct Follower {
    subject: Subject,
    filter: Filter,
    feeder: Feeder,
}

impl Viewers {
    pub(super) fn new(budget: Budget) -> Self {
        Self { followers: Vec::new(), alerts: VecDeque::new(), size: 0, budget }
    }

    /// Tells an event to those who follow.
    pub(super) fn event(&mut self, event: &Event, host: &Arc<Host>, redaction: &Redaction) {
        for follower in self.followers.iter_mut().filter(|follower| follower.subject == Subject::Events) {
            if follower.filter.passes(event, host) {
                follower.feeder.try_send(Item::Event(redaction.event(event), Arc::clone(host)));
            }
        }
    }

    /// Tells an alert to those who follow, and keeps it for those who come later.
    pub(super) fn alert(&mut self, alert: &Arc<Alert>) {
        for follower in self.followers.iter_mut().filter(|follower| follower.subject == Subject::Alerts) {
            if follower.filter.passes(&alert.event, &alert.host) {
                follower.feeder.try_send(Item::Alert(Arc::clone(alert)));
            }
        }
        self.size += alert.size();
        self.alerts.push_back(Arc::clone(alert));
        self.let_go();
    }

    /// Forgets those who have gone, and alerts that there is no room for any more.
    pub(super) fn prune(&mut self) {
        self.followers.retain(|follower| !follower.feeder.is_abandoned());
        self.let_go();
    }

    fn let_go(&mut self) {
        let scarce = self.budget.pressure() > Pressure::None;
        while self.alerts.len() > ALERTS || self.size > self.budget.follower() || scarce && self.alerts.len() > 1 {
            let Some(oldest) = self.alerts.pop_front() else { return };
            self.size = self.size.saturating_sub(oldest.size());
        }
    }
}

impl Engine {
    /// Goes on with a search; at its end, who follows is told what happens.
    pub(super) fn search(&mut self, mut search: Search) -> Piece {
        let held = self.held();
        let (mut items, mut piece) = (Vec::new(), recorder::Piece { is_last: true, ..recorder::Piece::default() });
        match (search.since, search.subject) {
            (None, _) | (_, Subject::Processes | Subject::Top) => {}
            (Some(since), Subject::Alerts) => {
                let alerts = self.viewers.alerts.iter().filter(|alert| alert.time() >= since);
                let asked = alerts.filter(|alert| search.filter.passes(&alert.event, &alert.host));
                items.extend(asked.map(|alert| Item::Alert(Arc::clone(alert))));
            }
            (Some(since), Subject::Events) => {
                let recorder = &self.setup.recorder;
                let mut at = search.at.take().unwrap_or_else(|| recorder.beginning());
                piece = recorder.read(&mut at, ROWS, |event| {
                    if event.time >= since && search.filter.passes(event, &self.host) {
                        let told = self.setup.redaction.event(event);
                        items.push(Item::Event(told, Arc::clone(&self.host)));
                    }
                });
                search.at = Some(at);
            }
        }
        let next = if piece.is_last {
            if let Some(feeder) = search.feeder {
                let (subject, filter) = (search.subject, search.filter);
                self.viewers.followers.push(Follower { subject, filter, feeder });
            }
            None
        } else {
            Some(Box::new(search))
        };
        Piece { items, passed: piece.passed, next, held }
    }

    fn held(&self) -> Held {
        Held {
            tables: self.setup.recorder.held(),
            alerts: self.viewers.alerts.len(),
            oldest_alert: self.viewers.alerts.front().map(|alert| alert.time()),
            unreported: self.setup.unreported(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_kept_within_their_share() {
        let sample = Arc::new(Alert::sample());
        let budget = Budget::of(sample.size() * 3 * 64);
        let mut viewers = Viewers::new(budget);
        (0..5).for_each(|_| viewers.alert(&sample));
        assert_eq!((viewers.alerts.len(), viewers.size), (3, 3 * sample.size()));
        let _scarce = budget::Charge::new(budget, budget::Part::Programs, budget.limit());
        viewers.prune();
        assert_eq!((viewers.alerts.len(), viewers.size), (1, sample.size()));
    }
}
