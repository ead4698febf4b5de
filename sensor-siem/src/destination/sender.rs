//! Hands pages over to a receiver of the network, message by message as it settles them.
//!
//! A receiver that fails is tried a few times at once: it may only have closed a connection, and which message it does
//! not take is found by sending them one by one. After that it is left alone until the next round, or for as long as it
//! asks. What it has confirmed of a page by then is remembered and not sent again. Where it confirms nothing, a connection
//! that breaks may have taken along what went out before: all of the page is sent again, with the same ids, as it is by a
//! process that begins in the place of one that ended within a page.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
};

use delivery::{
    backoff::{Backoff, Pace},
    remote::{Message, Remote, Setback, Settled},
};
use uuid::Uuid;

/// So often in a row it is tried at once while nothing gets through.
const TRIES: u32 = 4;
/// The waits between these tries.
const PACE: Pace =
    Pace { first: Duration::from_millis(100), most: Duration::from_secs(2), slow: Duration::from_secs(300) };

/// See the module.
pub struct Sender {
    remote: Box<dyn Remote>,
    backoff: Backoff,
    /// What it has, or will never take, of pages that it does not have whole.
    settled: HashSet<Uuid>,
    /// Those of them that went out and were not confirmed.
    unsure: HashSet<Uuid>,
    /// Not to be tried before this, and why.
    rests: Option<(Instant, String)>,
    /// What is known of messages that went out, once it was told.
    known: Option<&'static str>,
}

/// What happens on the way.
pub trait Watch {
    /// The receiver will never take this message: the reason. It has been handed over once this is done.
    ///
    /// # Errors
    /// It cannot be set aside, and why.
    fn refused(&mut self, message: &Message<'_>, reason: String) -> Result<(), String>;

    /// What is known of messages that went out, where the receiver confirms nothing. Said once.
    fn known(&mut self, what: &'static str);

    /// So many messages that went out are known not to have come to one that was to have them.
    fn lost(&mut self, count: u64);

    /// Whether it is to stop: it is not tried again then.
    fn stops(&self) -> bool;
}

impl Sender {
    #[must_use]
    pub fn new(remote: Box<dyn Remote>) -> Self {
        Self {
            remote,
            backoff: Backoff::new(PACE),
            settled: HashSet::new(),
            unsure: HashSet::new(),
            rests: None,
            known: None,
        }
    }

    /// Whether it may be tried now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_try(&mut self) -> Result<(), String> {
        match &self.rests {
            Some((until, reason)) if Instant::now() < *until => Err(reason.clone()),
            _ => {
                self.rests = None;
                Ok(())
            }
        }
    }

    /// Hands over all of these.
    ///
    /// # Errors
    /// Why not all were. What it has taken it is not given again.
    pub fn hand_over(&mut self, page: &[Message<'_>], watch: &mut dyn Watch) -> Result<(), String> {
        self.may_try()?;
        let mut faults = 0;
        loop {
            let next = self.next(page);
            if next.is_empty() {
                break;
            }
            let answer = self.remote.send(&next);
            match self.remote.lost() {
                0 => {}
                count => watch.lost(count),
            }
            let mut is_further = false;
            for (message, settled) in next.iter().zip(answer.settled) {
                match settled {
                    Settled::Confirmed => {}
                    Settled::HandedOver(what) => {
                        self.unsure.insert(message.uuid);
                        if self.known.replace(what) != Some(what) {
                            watch.known(what);
                        }
                    }
                    // There is no shorter form of an item.
                    Settled::TooLarge(reason) | Settled::Rejected(reason) => watch.refused(message, reason)?,
                }
                self.settled.insert(message.uuid);
                is_further = true;
            }
            if is_further {
                faults = 0;
                self.backoff.reset();
            }
            let Some(Setback { reason, wait, lasting }) = answer.setback else {
                if is_further {
                    continue;
                }
                return Err("it says nothing of what it was given".into());
            };
            for uuid in self.unsure.drain() {
                self.settled.remove(&uuid);
            }
            faults += 1;
            if lasting {
                self.rests = Some((Instant::now() + self.backoff.wait_after_refusal(wait), reason.clone()));
                return Err(reason);
            }
            let pause = self.backoff.wait_after_fault(wait);
            self.backoff.count();
            if faults >= TRIES || pause > PACE.most || watch.stops() {
                self.rests = wait.map(|_| (Instant::now() + pause, reason.clone()));
                return Err(reason);
            }
            thread::sleep(pause);
        }
        self.unsure.clear();
        for message in page {
            self.settled.remove(&message.uuid);
        }
        Ok(())
    }

    /// The first messages that it does not have, as many as it takes at once.
    fn next<'a>(&self, page: &[Message<'a>]) -> Vec<Message<'a>> {
        let (most, bytes) = self.remote.bounds();
        let mut length = 0;
        let left = page.iter().filter(|message| !self.settled.contains(&message.uuid));
        left.take(most)
            .enumerate()
            .take_while(|(number, message)| {
                length += message.body.len();
                *number == 0 || length <= bytes
            })
            .map(|(_, message)| *message)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use delivery::remote::Answer;

    use super::*;

    /// Takes two messages, fails, and takes all after that; keeps what it was given.
    struct Scripted {
        settles: Settled,
        given: Arc<Mutex<Vec<u128>>>,
        has_failed: bool,
    }

    impl Remote for Scripted {
        fn send(&mut self, messages: &[Message<'_>]) -> Answer {
            let took = if self.has_failed { messages.len() } else { 2 };
            self.given.lock().unwrap().extend(messages[..took].iter().map(|message| message.uuid.as_u128()));
            let setback = Setback { reason: "away".into(), wait: None, lasting: true };
            let setback = (!std::mem::replace(&mut self.has_failed, true)).then_some(setback);
            Answer { settled: vec![self.settles.clone(); took], setback }
        }
    }

    #[derive(Default)]
    struct Seen(Vec<(u128, String)>);

    impl Watch for Seen {
        fn refused(&mut self, message: &Message<'_>, reason: String) -> Result<(), String> {
            self.0.push((message.uuid.as_u128(), reason));
            Ok(())
        }

        fn known(&mut self, _: &'static str) {}

        fn lost(&mut self, _: u64) {}

        fn stops(&self) -> bool {
            false
        }
    }

    /// What a receiver that settles messages so is given, and what is set aside, over two tries of a page of four.
    fn over_two_tries(settles: Settled) -> (Vec<u128>, usize) {
        let given = Arc::default();
        let mut sender = Sender::new(Box::new(Scripted { settles, given: Arc::clone(&given), has_failed: false }));
        let page: Vec<_> = (1..5).map(|number| Message::new(Uuid::from_u128(number), b"x")).collect();
        let mut seen = Seen::default();
        assert_eq!(sender.hand_over(&page, &mut seen), Err("away".into()));
        assert_eq!(sender.hand_over(&page, &mut seen), Err("away".into()), "it rests");
        sender.rests = None;
        assert_eq!(sender.hand_over(&page, &mut seen), Ok(()));
        assert!(sender.settled.is_empty() && sender.unsure.is_empty());
        let given = given.lock().unwrap().clone();
        (given, seen.0.len())
    }

    #[test]
    fn what_is_confirmed_or_refused_is_not_given_again_and_what_may_be_lost_is() {
        assert_eq!(over_two_tries(Settled::Confirmed), (vec![1, 2, 3, 4], 0));
        assert_eq!(over_two_tries(Settled::HandedOver("known")), (vec![1, 2, 1, 2, 3, 4], 0));
        assert_eq!(over_two_tries(Settled::Rejected("no".into())), (vec![1, 2, 3, 4], 4));
    }
}
