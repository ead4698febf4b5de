//! What waits for the names of a user or a container, while they are being asked for: events of which policies ask for them,
//! and alerts, which tell of the container. None waits for long.
//!
//! A directory, a container runtime answers in milliseconds, or is not there. Without the wait a rule on `userName` would
//! never see the first program of a user, one on `imageName` never the first of a container.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::alert::Alert;
use crate::detection::Awaited;
use crate::event::Event;

/// Longest wait. Then the event goes on with a name that is not known.
const LONGEST: Duration = Duration::from_millis(500);
/// How often it is looked whether the answer is there, while something waits.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// Most events that wait; more go on at once.
const MOST: usize = 1024;

/// In the order in which they came.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    queue: VecDeque<(T, Awaited, Instant)>,
    /// How many of them are of each container.
    containers: HashMap<String, usize>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), containers: HashMap::new() }
    }
}

impl Borrow<Event> for Alert {
    fn borrow(&self) -> &Event {
        &self.event
    }
}

impl<T: Borrow<Event>> Waiting<T> {
    /// Takes one in; gives it back if too many wait.
    pub(super) fn push(&mut self, one: T, awaited: Awaited) -> Option<T> {
        if self.queue.len() >= MOST {
            return Some(one);
        }
        if let Some(id) = container(one.borrow()) {
            *self.containers.entry(id.to_owned()).or_default() += 1;
        }
        self.queue.push_back((one, awaited, Instant::now()));
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether one waits that is of the container of this event, which is not to overtake it then.
    pub(super) fn has_of(&self, event: &Event) -> bool {
        !self.containers.is_empty() && container(event).is_some_and(|id| self.containers.contains_key(id))
    }

    /// The next that needs to wait no longer; with `all`, any.
    pub(super) fn next(&mut self, all: bool) -> Option<T> {
        let (one, awaited, since) = self.queue.front()?;
        if !all && awaited.is_missing(one.borrow()) && since.elapsed() < LONGEST {
            return None;
        }
        let (one, ..) = self.queue.pop_front()?;
        if let Some(id) = container(one.borrow())
            && let Some(count) = self.containers.get_mut(id)
        {
            *count -= 1;
            if *count == 0 {
                self.containers.remove(id);
            }
        }
        Some(one)
    }
}

fn container(event: &Event) -> Option<&str> {
    event.process.container.as_deref().map(|container| container.id.as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use schema::EventType;

    use super::*;
    use crate::event::{Container, Detail, Late, Process, UserName};

    const USER: Awaited = Awaited { user: true, container: false };

    fn event(user: UserName) -> Event {
        let process = Arc::new(Process { user, ..Process::default() });
        Event { kind: EventType::Exec, time: 0, process, detail: Detail::None }
    }

    #[test]
    fn an_event_goes_on_with_its_name_or_without() {
        let (mut waiting, name) = (Waiting::<Event>::default(), UserName::awaited());
        assert!(waiting.push(event(name.clone()), USER).is_none());
        assert!(waiting.push(event(UserName::awaited()), USER).is_none());
        assert!(waiting.next(false).is_none());
        name.tell(Some("deploy".into()));
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
    fn an_event_waits_for_what_policies_ask_for_alone() {
        let told = Late::awaited();
        let container = Arc::new(Container { told: told.clone(), ..Container::default() });
        let process = Arc::new(Process { container: Some(container), user: UserName::awaited(), ..Process::default() });
        let event = Event { kind: EventType::Exec, time: 0, process, detail: Detail::None };
        let mut waiting = Waiting::<Event>::default();
        assert!(!waiting.has_of(&event));
        assert!(waiting.push(event.clone(), Awaited { user: false, container: true }).is_none());
        assert!(waiting.next(false).is_none());
        told.tell(None);
        assert!(waiting.has_of(&event), "nothing of the container overtakes it");
        assert!(waiting.next(false).is_some(), "its user is not asked for");
        assert!(!waiting.has_of(&event));
    }

    #[test]
    fn those_that_wait_are_bounded() {
        let mut waiting = Waiting::<Event>::default();
        while waiting.push(event(UserName::awaited()), USER).is_none() {}
        assert_eq!(std::iter::from_fn(|| waiting.next(true)).count(), MOST);
    }
}
