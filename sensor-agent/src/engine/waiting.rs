//! Events whose user's name is being asked for, while policies ask for names: they wait for it, and not for long.
//!
//! A directory answers in milliseconds, or is not there. Without the wait a rule on `userName` would never see the first
//! program of a user.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::event::Event;

/// Longest wait. Then the event goes on with a name that is not known.
const LONGEST: Duration = Duration::from_millis(500);
/// How often it is looked whether a name is there.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// Most events that wait; more go on at once.
const MOST: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Waiting(VecDeque<(Event, Instant)>);

impl Waiting {
    /// Takes an event in; gives it back if too many wait.
    pub(super) fn push(&mut self, event: Event) -> Option<Event> {
        if self.0.len() >= MOST {
            return Some(event);
        }
        self.0.push_back((event, Instant::now()));
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next event that needs to wait no longer; with `all`, any.
    pub(super) fn next(&mut self, all: bool) -> Option<Event> {
        let (event, since) = self.0.front()?;
        let ready = all || !event.awaits_name() || since.elapsed() >= LONGEST;
        if ready { self.0.pop_front().map(|(event, _)| event) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schema::EventType;

    use super::*;
    use crate::event::{Detail, Process, UserName};

    fn event(user: UserName) -> Event {
        let process = Arc::new(Process { user, ..Process::default() });
        Event { kind: EventType::Exec, time: 0, process, detail: Detail::None }
    }

    #[test]
    fn an_event_goes_on_with_its_name_or_without() {
        let (mut waiting, name) = (Waiting::default(), UserName::awaited());
        assert!(waiting.push(event(name.clone())).is_none());
        assert!(waiting.push(event(UserName::awaited())).is_none());
        assert!(waiting.next(false).is_none());
        name.tell(Some("deploy"));
        assert_eq!(waiting.next(false).unwrap().process.user.as_deref(), Some("deploy"));
        // Nobody tells the other one's.
        let first = loop {
            if let Some(event) = waiting.next(false) {
                break event;
            }
            std::thread::yield_now();
        };
        assert!(first.process.user.is_pending() && waiting.is_empty());
    }

    #[test]
    fn those_that_wait_are_bounded() {
        let mut waiting = Waiting::default();
        while waiting.push(event(UserName::awaited())).is_none() {}
        assert_eq!(std::iter::from_fn(|| waiting.next(true)).count(), MOST);
    }
}
