//! What a collector replies to events.

use super::{Acks, Reply, Step, VecDeque, Words, narrow};

/// Replies to a batch of so many events, one after the other, until they are used up.
///
/// # Panics
///
/// If an event is settled twice, or passed over.
pub fn splunk_reply(events: usize, bodies: &[&[u8]]) {
    let mut steps = VecDeque::from([Step::Post(0..events)]);
    let mut settled = 0;
    let mut bodies = bodies.iter();
    while let Some(step) = steps.pop_front() {
        match step {
            Step::Post(range) => {
                assert_eq!(range.start, settled);
                let Some(body) = bodies.next() else { return };
                let reply = Reply { status: 400, wish: None, body: body.to_vec() };
                let _ = serde_json::from_slice::<Acks>(body);
                let words = Words::of(&reply);
                match words.code {
                    Some(0) => settled = range.end,
                    _ => {
                        let place = words.invalid_event.and_then(|place| usize::try_from(place).ok());
                        narrow(&mut steps, range, place, reply);
                    }
                }
            }
            Step::Ask(_) => {}
            Step::Refuse(_) => settled += 1,
        }
    }
    assert_eq!(settled, events);
}
