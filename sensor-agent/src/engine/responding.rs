//! Alerts of policies that act: they wait for what came of it, and not for long.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, never};

use crate::alert::{Alert, Notification};
use crate::event::Event;
use crate::policy::{Action, Policy};
use crate::response::{Answer, Limits, Order, Outcome, Responder, none_done};

/// Longest wait. Then the alert is told without the outcome.
const LONGEST: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Responding {
    responder: Option<Responder>,
    waiting: VecDeque<Waits>,
    orders: u64,
}

#[derive(Debug)]
struct Waits {
    number: u64,
    alert: Alert,
    since: Instant,
}

/// What became of an order.
#[derive(Debug)]
pub(super) enum Ordered {
    /// The policy does nothing.
    Nothing,
    /// It is answered under this number.
    Number(u64),
    /// It is not carried out.
    Refused(Vec<Notification>),
}

impl Responding {
    pub(super) const fn new(responder: Option<Responder>) -> Self {
        Self { responder, waiting: VecDeque::new(), orders: 0 }
    }

    pub(super) fn answers(&self) -> Receiver<Answer> {
        self.responder.as_ref().map_or_else(never, |responder| responder.answers().clone())
    }

    /// Orders what the policy does about this event.
    pub(super) fn order(&mut self, policy: &Arc<Policy>, event: &Event, limits: &Arc<Limits>) -> Ordered {
        if policy.response.actions.is_empty() {
            return Ordered::Nothing;
        }
        let Some(responder) = &self.responder else {
            let why = "nothing was done: the sensor was started without `response.enabled`; restart it";
            return Ordered::Refused(none_done(policy, Outcome::Refused, why));
        };
        self.orders += 1;
        let number = self.orders;
        let order = Order {
            number,
            policy: Arc::clone(policy),
            process: Arc::clone(&event.process),
            happened: event.time,
            limits: Arc::clone(limits),
        };
        match responder.order(order) {
            Ok(()) => Ordered::Number(number),
            Err((order, why)) => {
                for &action in &order.policy.response.actions {
                    responder.counts().count(action, Outcome::Failed);
                }
                Ordered::Refused(none_done(policy, Outcome::Failed, &format!("nothing was done: {why}")))
            }
        }
    }

    /// Keeps an alert until its order is answered; gives it back if it need not wait.
    pub(super) fn wait(&mut self, ordered: Ordered, mut alert: Alert) -> Option<Alert> {
        match ordered {
            Ordered::Nothing => Some(alert),
            Ordered::Refused(notifications) => {
                alert.notifications.extend(notifications);
                Some(alert)
            }
            Ordered::Number(number) => {
                self.waiting.push_back(Waits { number, alert, since: Instant::now() });
                None
            }
        }
    }

    /// The alert that waited for this answer; none if it was held back by a throttle, or told before.
    pub(super) fn answered(&mut self, answer: Answer) -> Option<Alert> {
        let at = self.waiting.iter().position(|waits| waits.number == answer.number)?;
        let mut alert = self.waiting.remove(at)?.alert;
        alert.notifications.extend(answer.notifications);
        Some(alert)
    }

    /// Those that have waited for too long.
    pub(super) fn overdue(&mut self) -> Vec<Alert> {
        self.give_up(|waits| waits.since.elapsed() >= LONGEST)
    }

    /// Takes no further orders, and lets those that are there be carried out for so long.
    pub(super) fn end(&mut self, longest: Duration) -> Vec<Alert> {
        let until = Instant::now() + longest;
        let answers = self.answers();
        let mut told = Vec::new();
        while !self.waiting.is_empty() {
            let Ok(answer) = answers.recv_deadline(until) else { break };
            told.extend(self.answered(answer));
        }
        told.extend(self.give_up(|_| true));
        told
    }

    /// How often each action came to what; none of a sensor whose policies do nothing.
    pub(super) fn counts(&self) -> Vec<(Action, Outcome, u64)> {
        self.responder.as_ref().map(|responder| responder.counts().all().collect()).unwrap_or_default()
    }

    fn give_up(&mut self, is_meant: impl Fn(&Waits) -> bool) -> Vec<Alert> {
        let mut told = Vec::new();
        while self.waiting.front().is_some_and(&is_meant) {
            let Some(Waits { mut alert, .. }) = self.waiting.pop_front() else { break };
            let why = "it was not known in time what came of it";
            alert.notifications.extend(none_done(&alert.policy, Outcome::Unknown, why));
            told.push(alert);
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Process, ProcessKey};
    use crate::policy::Response;
    use crate::response::OffLimits;

    /// An alert of a policy that kills, on a process that nobody can be: its pid is above what one can be.
    fn alert() -> Alert {
        let mut alert = Alert::sample();
        let response = Response { actions: vec![Action::Kill], dry_run: false };
        alert.policy = Arc::new(Policy { response, ..(*alert.policy).clone() });
        alert.event.process = Arc::new(Process { key: ProcessKey::new(1 << 23, 5), ..Process::default() });
        alert
    }

    fn order(responding: &mut Responding, alert: &Alert) -> Ordered {
        responding.order(&alert.policy, &alert.event, &Arc::default())
    }

    fn result_of(alert: &Alert) -> &str {
        let told = alert.notifications.last().expect("a notification");
        let result = told.message_fields.iter().find(|(key, _)| *key == "action_result");
        &result.expect("a result").1
    }

    #[test]
    fn an_alert_waits_for_its_answer_and_is_told_with_it() {
        let off_limits = OffLimits::new(None, &Process::default());
        let mut responding = Responding::new(Some(Responder::start(off_limits, Box::new(|_| None)).unwrap()));
        let ordered = order(&mut responding, &alert());
        assert!(responding.wait(ordered, alert()).is_none());
        assert!(responding.overdue().is_empty());
        let told = responding.end(Duration::from_secs(60));
        assert_eq!(told.iter().map(result_of).collect::<Vec<_>>(), ["gone"]);
        assert!(responding.counts().contains(&(Action::Kill, Outcome::Gone, 1)));
    }

    #[test]
    fn what_is_not_answered_in_time_is_told_without() {
        let mut responding = Responding::new(None);
        assert!(responding.wait(Ordered::Number(1), alert()).is_none());
        let told = responding.end(Duration::ZERO);
        assert_eq!(told.iter().map(result_of).collect::<Vec<_>>(), ["unknown"]);
        // An answer that comes after that finds nobody.
        assert!(responding.answered(Answer { number: 1, notifications: Vec::new() }).is_none());
    }

    #[test]
    fn without_the_right_to_act_the_alert_says_so_at_once() {
        let mut responding = Responding::new(None);
        let ordered = order(&mut responding, &alert());
        let told = responding.wait(ordered, alert()).unwrap();
        assert_eq!(result_of(&told), "refused");
        let quiet = Alert::sample();
        let ordered = order(&mut responding, &quiet);
        let count = quiet.notifications.len();
        assert_eq!(responding.wait(ordered, quiet).unwrap().notifications.len(), count);
    }
}
