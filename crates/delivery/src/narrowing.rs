//! Finds the messages that are at fault where a receiver refuses several together.
//!
//! What is refused together is sent again in halves, until each message that is refused stands alone: that one is at fault,
//! and the others arrive. One that the receiver names is left out at once. After so many that are refused one by one,
//! with none taken in between, it looks like the receiver's fault and not theirs: from then on one at a time is given up,
//! slowly.

use std::{collections::VecDeque, ops::Range, time::Duration};

use crate::remote::{Answer, Message, Setback, Settled};

/// So many in a row are given up at once.
const MOST_IN_A_ROW: u32 = 8;

/// What came of one exchange.
pub enum Took {
    /// What became of each message, in order.
    Each(Vec<Settled>),
    /// None was taken.
    Refused(Refusal),
}

/// Why messages were refused together.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The place of the one at fault, if the receiver says so.
    pub at: Option<usize>,
    /// For people: why.
    pub reason: String,
    /// It is for their size, which a shorter one, or fewer, may be taken in place of.
    pub is_for_size: bool,
    /// Nothing is to be tried again before this, as the receiver asked.
    pub wait: Option<Duration>,
}

impl Took {
    /// All of so many messages.
    #[must_use]
    pub fn all(messages: usize) -> Self {
        Self::Each(vec![Settled::Confirmed; messages])
    }
}

/// What is still to be done, in order.
enum Step {
    Send(Range<usize>),
    GiveUp(usize, Refusal),
}

/// See the module. Of one sort of messages to one receiver.
#[derive(Debug, Default)]
pub struct Narrowing {
    /// Refused since the last that was taken.
    in_row: u32,
}

impl Narrowing {
    /// Sends messages by exchanges, the first ones first, until all are settled or something does not work.
    pub fn send(
        &mut self,
        messages: &[Message<'_>],
        mut exchange: impl FnMut(&[Message<'_>]) -> Result<Took, Setback>,
    ) -> Answer {
        let mut answer = Answer::default();
        let mut steps = VecDeque::from([Step::Send(0..messages.len())]);
        while let Some(step) = steps.pop_front() {
            let outcome = match step {
                Step::Send(range) if range.is_empty() => continue,
                Step::Send(range) => match exchange(&messages[range.clone()]) {
                    Ok(Took::Each(settled)) => {
                        self.in_row = 0;
                        Ok(settled)
                    }
                    Ok(Took::Refused(refusal)) => {
                        narrow(range, refusal).into_iter().rev().for_each(|step| steps.push_front(step));
                        continue;
                    }
                    Err(setback) => Err(setback),
                },
                Step::GiveUp(at, refusal) => self.give_up(&messages[at], refusal).map(|settled| vec![settled]),
            };
            match outcome {
                Ok(settled) => answer.settled.extend(settled),
                Err(setback) => {
                    answer.setback = Some(setback);
                    break;
                }
            }
        }
        answer
    }

    /// One message is refused by itself: for its size, while it has a shorter form, or for good, unless too many are.
    fn give_up(&mut self, message: &Message<'_>, refusal: Refusal) -> Result<Settled, Setback> {
        let Refusal { reason, is_for_size, wait, .. } = refusal;
        if is_for_size && !message.is_shortest {
            return Ok(Settled::TooLarge(reason));
        }
        self.in_row += 1;
        if self.in_row > MOST_IN_A_ROW {
            // It stays for the next try. If that is refused too, it goes.
            self.in_row = MOST_IN_A_ROW - 1;
            let reason = format!("{reason}; {MOST_IN_A_ROW} in a row were refused: is it really the right receiver?");
            return Err(Setback { reason, wait, lasting: true });
        }
        Ok(Settled::Rejected(reason))
    }
}

/// What is to be done instead after these were refused together.
fn narrow(Range { start, end }: Range<usize>, refusal: Refusal) -> Vec<Step> {
    let alone = (end - start == 1).then_some(0);
    match alone.or(refusal.at).and_then(|at| start.checked_add(at)).filter(|at| *at < end) {
        Some(at) => vec![Step::Send(start..at), Step::GiveUp(at, refusal), Step::Send(at + 1..end)],
        None => {
            let half = start.midpoint(end);
            vec![Step::Send(start..half), Step::Send(half..end)]
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn messages(count: u8) -> Vec<Message<'static>> {
        (0..count).map(|number| Message::new(Uuid::from_u128(number.into()), b"x")).collect()
    }

    fn refused(at: Option<usize>) -> Result<Took, Setback> {
        Ok(Took::Refused(Refusal { at, reason: "odd".into(), is_for_size: false, wait: None }))
    }

    proptest! {
        /// Whoever is at fault, whether the receiver names one, and a wrong one at that: each message is settled in its
        /// place, and only those at fault are given up.
        #[test]
        fn those_at_fault_alone_are_given_up(
            faulty in proptest::collection::btree_set(0_u128..40, 0..8),
            names in any::<Option<u8>>(),
        ) {
            let mut sent = 0;
            let answer = Narrowing::default().send(&messages(40), |part| {
                sent += 1;
                let at = part.iter().position(|message| faulty.contains(&message.uuid.as_u128()));
                match (at, names) {
                    (None, _) => Ok(Took::all(part.len())),
                    (at, Some(0..100)) => refused(at),
                    // A place that no message has.
                    (_, Some(wrong)) => refused(Some(usize::MAX - usize::from(wrong))),
                    (_, None) => refused(None),
                }
            });
            prop_assert_eq!(answer.setback, None);
            let given_up: Vec<_> = (0..).zip(&answer.settled).filter(|(_, it)| **it != Settled::Confirmed).collect();
            prop_assert_eq!(answer.settled.len(), 40);
            prop_assert!(given_up.iter().map(|(at, _)| *at).eq(faulty.iter().copied()));
            prop_assert!(sent <= 1 + 16 * faulty.len());
        }
    }

    #[test]
    fn a_receiver_that_refuses_all_gets_rid_of_few() {
        let mut narrowing = Narrowing::default();
        let all = messages(30);
        let first = narrowing.send(&all, |_| refused(None));
        assert_eq!(first.settled, vec![Settled::Rejected("odd".into()); 8]);
        assert!(first.setback.is_some_and(|setback| setback.lasting && setback.reason.contains("right receiver")));
        // One with each try from then on, until something is taken.
        let second = narrowing.send(&all[8..], |_| refused(None));
        assert_eq!((second.settled.len(), second.setback.is_some()), (1, true));
        narrowing.send(&all[9..10], |part| Ok(Took::all(part.len())));
        assert_eq!(narrowing.send(&all[10..], |_| refused(None)).settled.len(), 8);
    }

    #[test]
    fn one_that_is_too_large_is_to_be_shortened_first() {
        let mut narrowing = Narrowing::default();
        let too_large = || Took::Refused(Refusal { at: None, reason: "long".into(), is_for_size: true, wait: None });
        let long = Message { is_shortest: false, ..messages(1)[0] };
        for _ in 0..100 {
            assert_eq!(narrowing.send(&[long], |_| Ok(too_large())).settled, [Settled::TooLarge("long".into())]);
        }
        assert_eq!(narrowing.send(&messages(1), |_| Ok(too_large())).settled, [Settled::Rejected("long".into())]);
    }
}
