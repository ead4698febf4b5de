//! From an event to its findings, its alerts and its rows, with what is waited for in between.

use std::sync::Arc;

use budget::Pressure;
use clock::boot_now;

use super::{Engine, watch};
use crate::alert::Alert;
use crate::detection::Awaited;
use crate::event::Event;
use crate::policy::MessageType;

impl Engine {
    /// Takes in an event that happened at this time of the boot clock.
    pub(super) fn event(&mut self, event: Event, at: u64) {
        self.counts[event.kind as usize] += 1;
        if !self.watches.is_empty() {
            watch::saw(&mut self.watches, &event);
        }
        let event = if self.has_room() { self.wait(event) } else { Some(event) };
        if let Some(event) = event {
            self.evaluate(event, at);
        }
    }

    /// Has an event wait for what policies ask for of it; gives back one that has no need.
    fn wait(&mut self, event: Event) -> Option<Event> {
        let is_behind = self.waiting.has_of(&event);
        if !is_behind && !event.awaits_name() && !event.awaits_container() {
            return Some(event);
        }
        let awaited = self.setup.detection.awaits(&event);
        let waits = awaited.is_missing(&event) || awaited.container && is_behind;
        if waits { self.waiting.push(event, awaited) } else { Some(event) }
    }

    /// Whether something is looked at again in a moment.
    pub(super) fn somebody_waits(&self) -> bool {
        !self.waiting.is_empty() || !self.waiting_alerts.is_empty()
    }

    /// Goes on with what needs to wait no longer; with `all`, with everything.
    pub(super) fn let_go(&mut self, all: bool) {
        while let Some(event) = self.waiting.next(all) {
            self.evaluate(event, boot_now());
        }
        while let Some(alert) = self.waiting_alerts.next(all) {
            self.alert(alert);
        }
    }

    fn has_room(&self) -> bool {
        self.budget.pressure() == Pressure::None
    }

    fn evaluate(&mut self, mut event: Event, at: u64) {
        let (detection, findings) = (&mut self.setup.detection, &mut self.findings);
        detection.evaluate(&event, at, &self.host, &mut |finding| findings.push(finding));
        for finding in std::mem::take(&mut self.findings) {
            let ordered = self.responding.order(&finding.policy, &event, &self.setup.limits);
            if finding.is_held {
                continue;
            }
            let told = self.setup.redaction.event(&event);
            let alert = Alert::new(finding.policy, finding.rule, told, Arc::clone(&self.host))
                .held_back(finding.held_back)
                .container_untold(finding.container_untold);
            watch::alerted(&mut self.watches, &event, &alert);
            if event.process.incident.is_none() && alert.policy.message_type == MessageType::Alert {
                self.table.set_incident(&mut event, alert.incident_id);
            }
            if let Some(alert) = self.responding.wait(ordered, alert) {
                self.raise(alert);
            }
        }
        self.show(&event);
        if self.setup.recorder.is_pressing() {
            self.hand_over();
        }
        self.table.recycle(event);
    }

    /// Tells an alert, once the names of its container are there or have been waited for.
    pub(super) fn raise(&mut self, alert: Alert) {
        let waits =
            alert.event.awaits_container() && !alert.is_container_untold() || self.waiting_alerts.has_of(&alert.event);
        let awaited = Awaited { user: false, container: true };
        let alert = if waits && self.has_room() { self.waiting_alerts.push(alert, awaited) } else { Some(alert) };
        if let Some(alert) = alert {
            self.alert(alert);
        }
    }

    /// Shows an event to those who look on, and to the tables.
    pub(super) fn show(&mut self, event: &Event) {
        self.viewers.event(event, &self.host, &self.setup.redaction);
        self.setup.recorder.observe(event, &self.host);
    }

    pub(super) fn alert(&mut self, alert: Alert) {
        self.alerts += 1;
        let alert = Arc::new(alert);
        self.viewers.alert(&alert);
        self.outputs.send(alert);
    }
}
