//! What a collector replies to events.

use uuid::Uuid;

use super::{Acks, Reply, Words, refused_event};
use crate::{
    narrowing::{Narrowing, Refusal, Took},
    remote::{Message, Setback},
};

/// Replies to a batch of so many events, one after the other, until they are used up.
///
/// # Panics
///
/// If an event is settled twice, or passed over.
pub fn splunk_reply(events: usize, bodies: &[&[u8]]) {
    let messages: Vec<_> = (0..events).map(|at| Message::new(Uuid::from_u128(at as u128), b"x")).collect();
    let mut bodies = bodies.iter();
    let mut next = 0;
    let answer = Narrowing::default().send(&messages, |part| {
        let none_is_left = || Setback { reason: String::new(), wait: None, lasting: false };
        let body = bodies.next().ok_or_else(none_is_left)?;
        let first = usize::try_from(part[0].uuid.as_u128()).expect("one of so many");
        assert!(first >= next, "event {first} was settled before");
        let reply = Reply { status: 400, wish: None, body: body.to_vec() };
        let _ = serde_json::from_slice::<Acks>(body);
        let words = Words::of(&reply);
        if words.code == Some(0) {
            next = first + part.len();
            return Ok(Took::all(part.len()));
        }
        let at = refused_event(&words);
        Ok(Took::Refused(Refusal { at, reason: String::new(), is_for_size: false, wait: None }))
    });
    assert!(answer.settled.len() <= events);
    assert!(answer.setback.is_some() || answer.settled.len() == events, "events were passed over");
}
