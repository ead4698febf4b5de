//! From the engine to one who follows: a queue that is bounded in bytes, and counts what it had no room for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use budget::{Budget, Pressure};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::alert::Alert;
use crate::event::{Event, Host};

/// What a follower is told of.
#[derive(Clone, Debug)]
pub enum Item {
    Event(Event, Arc<Host>),
    Alert(Arc<Alert>),
}

impl Item {
    /// Bytes that it takes by itself.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Event(event, _) => event.size(),
            Self::Alert(alert) => alert.size(),
        }
    }
}

/// A queue within this budget.
#[must_use]
pub fn feed(budget: Budget) -> (Feeder, Feed) {
    let (sender, receiver) = unbounded();
    let counts = Arc::new(Counts::default());
    let feeder = Feeder { sender, counts: Arc::clone(&counts), budget };
    (feeder, Feed { receiver, counts, told: 0, next: None })
}

#[derive(Debug, Default)]
struct Counts {
    /// Bytes that wait.
    waiting: AtomicUsize,
    /// Items that there was no room for.
    lost: AtomicU64,
}

/// The engine's end. Never waits.
#[derive(Debug)]
pub struct Feeder {
    sender: Sender<Sent>,
    counts: Arc<Counts>,
    budget: Budget,
}

#[derive(Debug)]
struct Sent {
    item: Item,
    size: usize,
    /// So many had been lost when it was sent.
    lost: u64,
}

impl Feeder {
    /// Hands an item over, or counts it as lost.
    pub fn try_send(&self, item: Item) {
        let size = item.size();
        let waiting = self.counts.waiting.load(Ordering::Relaxed);
        // One that is larger than all that may wait goes alone.
        let fits = waiting == 0 || waiting + size <= self.budget.follower();
        if !fits || self.budget.pressure() > Pressure::None {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.counts.waiting.fetch_add(size, Ordering::Relaxed);
        // If nobody is there any more, it is pruned soon.
        let _ = self.sender.send(Sent { item, size, lost: self.counts.lost.load(Ordering::Relaxed) });
    }

    /// Whether nobody follows any more.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.counts) == 1
    }
}

/// The follower's end.
#[derive(Debug)]
pub struct Feed {
    receiver: Receiver<Sent>,
    counts: Arc<Counts>,
    /// Of the lost, those that were told.
    told: u64,
    /// What comes after the lost that are told first.
    next: Option<Sent>,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    Item(Item),
    /// So many are missing here.
    Lost(u64),
    /// Nothing for so long.
    Nothing,
    /// The engine has ended.
    End,
}

impl Feed {
    /// The next item, with what was lost before it told first. Waits for at most so long.
    pub fn next(&mut self, wait: Duration) -> Next {
        let received = self.next.take().map_or_else(|| self.receiver.recv_timeout(wait), Ok);
        match received {
            Ok(sent) if sent.lost > self.told => {
                let lost = sent.lost - self.told;
                self.told = sent.lost;
                self.next = Some(sent);
                Next::Lost(lost)
            }
            Ok(sent) => {
                self.counts.waiting.fetch_sub(sent.size, Ordering::Relaxed);
                Next::Item(sent.item)
            }
            Err(why) => {
                let lost = self.counts.lost.load(Ordering::Relaxed);
                let unreported = lost - self.told;
                self.told = lost;
                match why {
                    _ if unreported > 0 => Next::Lost(unreported),
                    RecvTimeoutError::Timeout => Next::Nothing,
                    RecvTimeoutError::Disconnected => Next::End,
                }
            }
        }
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next.is_none() && self.receiver.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use budget::{Charge, Part};
    use schema::EventType;

    use super::*;
    use crate::event::{Detail, Process, ProcessKey};

    const NOW: Duration = Duration::ZERO;

    fn item(pid: u32) -> Item {
        let process = Arc::new(Process { key: ProcessKey::new(pid, 0), ..Process::default() });
        Item::Event(Event { kind: EventType::Exec, time: 0, process, detail: Detail::None }, Arc::default())
    }

    /// A budget in which so many items may wait.
    fn room(items: usize) -> Budget {
        Budget::of(item(0).size() * items * 64)
    }

    fn shown(feed: &mut Feed) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            match feed.next(NOW) {
                Next::Item(Item::Event(event, _)) => told.push(event.process.key.tgid.to_string()),
                Next::Item(Item::Alert(_)) => told.push("alert".into()),
                Next::Lost(count) => told.push(format!("{count} lost")),
                Next::Nothing => return told,
                Next::End => told.push("end".into()),
            }
            if told.last().is_some_and(|last| last == "end") {
                return told;
            }
        }
    }

    #[test]
    fn what_is_lost_is_told_where_it_is_missing() {
        let (feeder, mut feed) = feed(room(2));
        (1..=5).for_each(|pid| feeder.try_send(item(pid)));
        assert!(matches!(feed.next(NOW), Next::Item(_)));
        (6..=8).for_each(|pid| feeder.try_send(item(pid)));
        assert_eq!(shown(&mut feed), ["2", "3 lost", "6", "2 lost"]);
        feeder.try_send(item(9));
        assert_eq!(shown(&mut feed), ["9"]);
        drop(feeder);
        assert_eq!(shown(&mut feed), ["end"]);
    }

    #[test]
    fn one_that_is_larger_than_the_room_goes_alone() {
        let (feeder, mut feed) = feed(Budget::of(64));
        feeder.try_send(item(1));
        feeder.try_send(item(2));
        assert_eq!(shown(&mut feed), ["1", "1 lost"]);
    }

    #[test]
    fn who_follows_gets_nothing_more_while_memory_is_scarce() {
        let budget = room(10);
        let (feeder, mut feed) = feed(budget);
        feeder.try_send(item(1));
        let scarce = Charge::new(budget, Part::Programs, budget.limit() / 2);
        feeder.try_send(item(2));
        drop(scarce);
        feeder.try_send(item(3));
        assert_eq!(shown(&mut feed), ["1", "1 lost", "3"]);
    }

    #[test]
    fn a_follower_that_has_gone_is_known() {
        let (feeder, feed) = feed(room(1));
        assert!(!feeder.is_abandoned());
        drop(feed);
        assert!(feeder.is_abandoned());
        feeder.try_send(item(1));
    }
}
